"""One retraining from a sample to a folder: learn, judge on untouched rows, learn from all, write, pass the gates."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import artifacts
from classifiers.calibration import MAX_LOGIT
from classifiers.errors import LabelsError
from classifiers.page_words import BOTH_WAYS, LEARNED_FROM_THESE, REPLACED, TOO_FEW_LABELS, TOO_FEW_ROWS
from classifiers.runtime import Scorer
from classifiers.site import artefact, naming
from classifiers.site.curves import curves
from classifiers.site.foreign import foreign_keys
from classifiers.site.gates import MustPass, Refusal, failed_cases, lost, unjudged, unproven, worse_slices
from classifiers.site.judgement import ALPHA, NEW, SINCE, Rows, Slice, Thresholds, changes, slices
from classifiers.site.labels import OUTPUTS, LabelledText, contradictions
from classifiers.site.material import Material, Progress
from classifiers.site.measures import Interval, Scored, bootstrap
from classifiers.site.outliers import Labeller, outliers, trust
from classifiers.site.page import render
from classifiers.site.reports import Note, RetrainReport
from classifiers.site.reservoir import Sample
from classifiers.site.splits import Plan, plan
from classifiers.site.suggestions import model_thresholds
from classifiers.site.training import (
    MIN_LANGUAGE_ROWS,
    Trained,
    distinct_labels,
    finish,
    refit,
    train,
    trainable,
)
from classifiers.site.workers import Workers

_BATCH = 256
REPORT, PAGE = "report.json", "report.html"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a retraining is asked for besides its rows."""

    prior: Path
    thresholds: Thresholds | None
    must_pass: Sequence[MustPass]
    name: str
    seed: int
    is_refit: bool = False
    active_saw: datetime | None = None
    """The active model learned from rows up to then; None: from none of these."""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Retraining:
    """A sample, what was read of it, the model before, and what is wished for."""

    sample: Sample
    material: Material
    before: Scorer
    wishes: Wishes
    progress: Progress
    workers: Workers
    aliases: Mapping[str, str]
    foreign: frozenset[str]

    @classmethod
    def of(
        cls,
        sample: Sample,
        material: Material,
        before: Scorer,
        wishes: Wishes,
        *,
        progress: Progress,
        workers: Workers,
    ) -> "Retraining":
        """Begin with what was read of a sample."""
        keys = material.languages.tolist()
        known = artifacts.load(wishes.prior).manifest["languages"]
        foreign = foreign_keys(sample.rows, keys, known, naming.names(sample.rows, keys))
        aliases = naming.aliases(sample.rows, keys, MIN_LANGUAGE_ROWS, foreign)
        languages = np.array([aliases.get(key, key) for key in keys], np.str_)
        read_so = replace(material.without_prior(foreign), languages=languages)
        return cls(sample, read_so, before, wishes, progress, workers, aliases, foreign)

    def run(self, folder: Path) -> RetrainReport:
        """Write artefact and report into an empty folder and return the report; raises LabelsError."""
        outputs = trainable(self.material, np.arange(len(self.sample.rows)))
        planned = plan(self.material.at, self.material.groups)
        first = self.learn(planned, outputs)
        labellers = self._labellers(first)
        trusting = self._trusting(labellers)
        if trusting is not self:
            first = trusting.learn(planned, list(first))
        return trusting.conclude(folder, planned, first, labellers)

    def learn(self, planned: Plan, outputs: Sequence[str]) -> dict[str, Trained]:
        """Train every output on all rows but the untouched ones."""
        self.progress("learning", 0, len(outputs))

        def one(output: str) -> Trained | LabelsError:
            try:
                if self.wishes.is_refit:
                    return refit(self.material, planned, output)
                return train(self.material, planned, output, workers=self.workers)
            except LabelsError as error:
                return error  # another output may have labels enough

        trained, refused = {}, LabelsError("no_labels", "no output has labels")
        with closing(self.workers.together(one, outputs)) as all_found:
            for at, (output, found) in enumerate(zip(outputs, all_found, strict=True)):
                self.progress("learning", at + 1, len(outputs))
                if isinstance(found, Trained):
                    trained[output] = found
                else:
                    refused = found
        if not trained:
            raise refused
        return trained

    def _labellers(self, trained: Mapping[str, Trained]) -> list[Labeller]:
        """Return who labelled what, the farthest from the others first."""
        found = []
        for output, one in trained.items():
            actors = [self.sample.rows[at].actor for at in one.held_rows.tolist()]
            log_odds = one.apply(self.material, one.held_rows, one.held_log_odds)
            labels = self.material.labels[output][one.held_rows]
            found += outliers(actors, labels, log_odds, output=output)
        return sorted(found, key=lambda one: -one.standard_errors)

    def _trusting(self, labellers: Sequence[Labeller]) -> "Retraining":
        """Return a retraining with less weight on the labels of outliers; this one where there is none."""
        weights = trust(labellers)
        if not weights:
            return self
        factors = np.array([weights.get(row.actor or "", 1.0) for row in self.sample.rows])
        return replace(self, material=replace(self.material, weights=self.material.weights * factors))

    def conclude(
        self, folder: Path, planned: Plan, first: Mapping[str, Trained], labellers: Sequence[Labeller]
    ) -> RetrainReport:
        """Judge what was learned, learn from all rows, write it down and pass the gates."""
        self.progress("judging", 0, 1)
        judged = self._judge(planned.test, first)
        self.progress("learning from all", 0, 1)
        final = self._finish(planned, first)
        parts = self._parts(final)
        scorer = artefact.write(folder, parts, self.wishes.prior)
        compared, found = self._slices(judged, self._given(first), self._in_force(scorer))
        refusals = self._refusals(scorer, found, first)
        report = RetrainReport(
            version=scorer.version,
            is_promotable=not refusals,
            refusals=refusals,
            slices=found,
            changes=changes(judged, self._in_force(self.before), self._in_force(scorer)),
            outputs=list(final),
            strengths=parts.manifest["strengths"],
            languages=parts.manifest["languages"],
            labellers=labellers,
            notes=[
                *self._stand_in(),
                *_notes(self.material, final),
                *_replaced(self.sample.replaced),
                *_contradictory(self.sample.rows),
            ],
            counts=parts.manifest["counts"],
            snapshot=self.sample.snapshot,
            active=self.before.version,
            is_by_time=planned.is_by_time,
            curves={output: curves(compared, output) for output in first},
        )
        self._write_report(folder, report)
        return report

    def _refusals(
        self, scorer: Scorer, found: Sequence[Slice], first: Mapping[str, Trained]
    ) -> list[Refusal]:
        """Return which gates the new model does not pass."""
        known, learned = artefact.own_heads(self.before), artefact.own_heads(scorer)
        return [
            *lost(known, learned, self.before.manifest.get("names", {})),
            *worse_slices(found),
            *unproven(found, lambda output: self._held_auc(output, first[output])),
            *unjudged(found, {output: _labelled(self.material, output) for output in first}),
            *failed_cases(scorer, self._cases(), scorer.thresholds),
        ]

    def _write_report(self, folder: Path, report: RetrainReport) -> None:
        """Write the report for programs and for people."""
        plain = report.as_json()
        (folder / REPORT).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")
        page = render(plain, plain["refusals"], language=self.wishes.language)
        (folder / PAGE).write_text(page, "utf-8")

    def _slices(
        self, judged: Rows, outputs: Sequence[str], thresholds: Thresholds
    ) -> tuple[Rows, list[Slice]]:
        """Return what the new model is compared on, and the slices.

        An active model that learned from some of these rows would win on them unfairly: there the prior stands in for it, and it is
        compared on those rows alone that came later than all it saw.
        """
        saw = self.wishes.active_saw
        if saw is None:
            return judged, slices(judged, outputs, thresholds, seed=self.wishes.seed)
        prior = _score(Scorer.load(self.wishes.prior), judged.rows)[1]
        compared = replace(judged, active=prior)
        later = [at for at, row in enumerate(judged.rows) if row.at is not None and row.at > saw]
        return compared, [
            *slices(compared, outputs, thresholds, seed=self.wishes.seed),
            *(
                replace(one, kind=SINCE, name=one.name if one.kind == "all" else f"{one.kind} {one.name}")
                for one in slices(judged.part(later), outputs, thresholds, seed=self.wishes.seed)
            ),
        ]

    def _stand_in(self) -> list[Note]:
        saw = self.wishes.active_saw
        if saw is None:
            return []
        fields = {"version": self.before.version, "time": f"{saw:%Y-%m-%d %H:%M} UTC"}
        return [Note("active_learned_from_these", LEARNED_FROM_THESE, fields)]

    def _given(self, first: Mapping[str, Trained]) -> list[str]:
        """Return the outputs to judge: what was learned, and what the active model learned and this one did not."""
        before = {output for _, output in artefact.own_heads(self.before)}
        return [*first, *(output for output in OUTPUTS if output in before - set(first))]

    def _parts(self, trained: Mapping[str, Trained]) -> artefact.Parts:
        manifest = self._manifest(trained)
        return artefact.Parts(manifest, artefact.arrays(trained, self.material.columns), _card(manifest))

    def _manifest(self, trained: Mapping[str, Trained]) -> dict[str, Any]:
        rows, keys = self.sample.rows, self.material.languages.tolist()
        prior = artifacts.load(self.wishes.prior)
        learned = sorted({key for one in trained.values() for key in one.languages})
        called, main = naming.names(rows, keys), naming.main_key(rows, keys, self.foreign)
        heard = set(prior.manifest["languages"]) - self.foreign
        return {
            "name": self.wishes.name,
            "outputs": list(trained),
            "languages": sorted({*prior.manifest["languages"], *(called.get(key, key) for key in learned)}),
            "names": called | {key: called[main] for key, main in self.aliases.items() if main in called},
            "fallback": main if main in learned else None,
            "aliases": dict(self.aliases),
            "calibrations": artefact.heads(trained, heard),
            "foreign": sorted(self.foreign),
            "counts_repeats": self.material.counts_repeats,
            "thresholds": model_thresholds(self.material, trained, called, prior.manifest["thresholds"]),
            "strengths": {
                output: {str(way): share for way, share in one.ways.items()}
                for output, one in trained.items()
            },
            "snapshot": self.sample.snapshot,
            "seed": self.wishes.seed,
            "counts": {
                "seen": self.sample.seen,
                "unlabelled": self.sample.unlabelled,
                "learned_from": len(rows),
                **{f"labels_{output}": _labelled(self.material, output) for output in trained},
            },
        }

    def _held_auc(self, output: str, one: Trained) -> Interval:
        """Return the AUC on what the folds held."""
        log_odds = np.clip(one.apply(self.material, one.held_rows, one.held_log_odds), -MAX_LOGIT, MAX_LOGIT)
        labels = self.material.labels[output][one.held_rows]
        scored = Scored(labels, 1 / (1 + np.exp(-log_odds)), self.material.weights[one.held_rows], 0.5)
        return bootstrap({NEW: scored}, seed=self.wishes.seed, alpha=ALPHA)[NEW]["auc"]

    def _cases(self) -> list[MustPass]:
        """Return the cases in languages that the site's texts are not merely taken for."""
        return [case for case in self.wishes.must_pass if case.language not in self.foreign]

    def _in_force(self, scorer: Scorer) -> Thresholds:
        """Return the thresholds of the site, else of a model."""
        return scorer.thresholds if self.wishes.thresholds is None else self.wishes.thresholds

    def _finish(self, planned: Plan, first: Mapping[str, Trained]) -> dict[str, Trained]:
        finished = self.workers.each(
            lambda output: finish(self.material, planned, output, first[output]), list(first)
        )
        return dict(zip(first, finished, strict=True))

    def _judge(self, test: NDArray[np.int64], trained: Mapping[str, Trained]) -> Rows:
        """Score the untouched rows with both models, the new one as it would serve: what it did not learn is its prior's."""
        rows = [self.sample.rows[at] for at in test.tolist()]
        languages, old = _score(self.before, rows)
        with tempfile.TemporaryDirectory() as folder:
            scorer = artefact.write(Path(folder), self._parts(trained), self.wishes.prior)
            _, new = _score(scorer, rows)
        called = naming.names(self.sample.rows, self.material.languages.tolist())
        keys = self.material.languages[test].tolist()
        named = [called.get(key, language) for key, language in zip(keys, languages, strict=True)]
        return Rows(rows, named, old, new, self.material.weights[test])


def _score(
    scorer: Scorer, rows: Sequence[LabelledText]
) -> tuple[list[str | None], dict[str, NDArray[np.float64]]]:
    """Return the languages of rows and the probabilities by output, NaN where there is none."""
    scores = []
    for first in range(0, len(rows), _BATCH):
        batch = rows[first : first + _BATCH]
        scores += scorer.score([row.text for row in batch], author_urls=[row.author_url for row in batch])
    values = {
        output: np.array(
            [np.nan if (p := getattr(score, output)) is None else p for score in scores], np.float64
        )
        for output in OUTPUTS
    }
    return [score.language for score in scores], values


def _labelled(material: Material, output: str) -> int:
    return int((material.labels[output] >= 0).sum())


def _notes(material: Material, trained: Mapping[str, Trained]) -> list[Note]:
    """Return which languages and outputs were not learned, which somebody may have expected."""
    learned = {key for one in trained.values() for key in one.languages}
    counted = zip(*np.unique(material.languages, return_counts=True), strict=True)
    found = [
        Note("language_not_learned", TOO_FEW_ROWS, {"language": str(key), "rows": int(count)})
        for key, count in counted
        if key not in learned
    ]
    for output in OUTPUTS:
        if output not in trained and (material.labels[output] >= 0).any():
            rows = np.arange(len(material.groups))
            negative, positive = distinct_labels(material, rows, output).tolist()
            fields: dict[str, str | int] = {"output": output, "positive": positive, "negative": negative}
            found.append(Note("output_not_learned", TOO_FEW_LABELS, fields))
    return found


def _replaced(rows: int) -> list[Note]:
    return [Note("decided_otherwise_later", REPLACED, {"rows": rows})] if rows else []


def _contradictory(rows: Sequence[LabelledText]) -> list[Note]:
    return [
        Note("contradictory_labels", BOTH_WAYS, {"output": output, "texts": count})
        for output, count in contradictions(rows).items()
    ]


def _card(manifest: Mapping[str, Any]) -> str:
    counts = "\n".join(f"| {name} | {count} |" for name, count in manifest["counts"].items())
    return (
        f"# Model card: {manifest['name']}\n\nA site's own model: the prior in `prior/`, and what the site's moderators decided.\n"
        f"Outputs of its own: {', '.join(manifest['outputs'])}. Languages: {', '.join(manifest['languages'])}.\n"
        f"Data snapshot `{manifest['snapshot']}`.\n\n| rows | |\n| --- | ---: |\n{counts}\n"
    )
