"""Retrain a site's model from what its moderators decided, and say whether it may take over.

The surface for the service and the command line:

    LabelledText             a text and what a person said of it
    retrain(rows, out=DIR)   train, compare with the active model, write DIR; returns a RetrainReport
    state_shares(rows, …)    shift the prior to the shares of spam and abuse that a site states
    Scorer.load(DIR)         serves what was written (`classifiers.runtime`)
    propose_thresholds, refit_two_parameters, shift_to_share, outliers

`retrain` never promotes: it says whether the gates hold. Nothing of a text is kept in a report, only ids.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from threadpoolctl import threadpool_limits

from classifiers.errors import LabelsError
from classifiers.runtime import PRETRAINED, Scorer
from classifiers.site import artefact
from classifiers.site.gates import MustPass, Refusal
from classifiers.site.judgement import Changes, Slice, Thresholds
from classifiers.site.labels import LabelledText
from classifiers.site.material import Progress, read, silent
from classifiers.site.must_pass import frozen_cases
from classifiers.site.outliers import Labeller, outliers, trust
from classifiers.site.refit import refit_two_parameters, shift_to_share
from classifiers.site.reports import RetrainReport
from classifiers.site.reservoir import MAX_ROWS, Sample, draw
from classifiers.site.run import Retraining, Wishes
from classifiers.site.shares import state_shares
from classifiers.site.thresholds import MIN_CALLED, Decided, Proposal, describe, propose_thresholds
from classifiers.site.workers import workers

__all__ = [
    "MIN_CALLED", "Changes", "Decided", "LabelledText", "Labeller", "MustPass", "Proposal", "Refusal", "RetrainReport", "Slice",
    "describe", "outliers", "propose_thresholds", "refit_two_parameters", "retrain", "shift_to_share", "state_shares", "trust",
]  # fmt: skip


def retrain(
    rows: Iterable[LabelledText],
    *,
    out: Path,
    prior: Path | None = None,
    active: Path | None = None,
    active_saw: datetime | None = None,
    thresholds: Thresholds | None = None,
    must_pass: Sequence[MustPass] | None = None,
    name: str = "site",
    seed: int = 0,
    max_rows: int = MAX_ROWS,
    two_parameters: bool = False,
    language: str = "en",
    progress: Progress = silent,
) -> RetrainReport:
    """Train on labelled rows (a stream, read once) and write artefact and report into ``out``, at once or not at all.

    Parameters
    ----------
    prior
        The artefact of prior knowledge, the shipped one by default; of a site's artefact, its prior.
    active
        What the new model is compared with, the prior by default.
    active_saw
        The active model learned from the rows up to then, so it is compared on later ones alone, and elsewhere the prior stands in.
    thresholds
        The site's, by language or "*" and output; by default each model's own. `changes` are at these.
    two_parameters
        Only refit slope and offset of every output on the prior, from MIN_DECISIONS labels on: for a site's first days.
    language
        Of the page beside the report, one of `page_words.LANGUAGES`.
    must_pass
        The frozen cases; a list written for this program by default.

    Raises LabelsError where nothing can be learned from the rows, OutputBusyError where another retraining writes to ``out``,
    OutputRefusedError where ``out`` holds something else, and what the stream raises; ``out`` is then as it was.

    """
    with (
        artefact.publishing(out) as folder,
        threadpool_limits(1),
    ):  # threads of BLAS cost forty times what they save here
        sample = _drawn(rows, seed, max_rows, progress)
        base = artefact.base_of(PRETRAINED if prior is None else prior)
        cases = frozen_cases() if must_pass is None else must_pass
        wishes = Wishes(base, thresholds, cases, name, seed, two_parameters, active_saw, language)
        return _run(folder, sample, wishes, active, progress)


def _drawn(rows: Iterable[LabelledText], seed: int, max_rows: int, progress: Progress) -> Sample:
    sample = draw(progress_of(rows, progress), seed=seed, max_rows=max_rows)
    if not sample.rows:
        raise LabelsError("no_labels", "no row says what a person decided")
    return sample


def _run(
    folder: Path, sample: Sample, wishes: Wishes, active: Path | None, progress: Progress
) -> RetrainReport:
    known = Scorer.load(wishes.prior)
    material = read(sample.rows, known, progress)
    before = known if active is None else Scorer.load(active)
    with workers() as hands:
        made = Retraining.of(sample, material, before, wishes, progress=progress, workers=hands)
        return made.run(folder)


def progress_of(rows: Iterable[LabelledText], progress: Progress) -> Iterable[LabelledText]:
    """Pass rows on, saying how many came."""
    at = 0
    for at, row in enumerate(rows, start=1):
        if at % 10_000 == 0:
            progress("collecting", at, 0)
        yield row
    progress("collecting", at, at)
