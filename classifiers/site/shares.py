"""A site's model from nothing but the shares of spam and abuse that it states, for the days before it has decisions."""

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from classifiers.calibration import Calibration
from classifiers.errors import LabelsError
from classifiers.runtime import PRETRAINED, Scorer
from classifiers.site import artefact
from classifiers.site.fitting import Fitted, anchor
from classifiers.site.inputs import FEATURES
from classifiers.site.labels import LabelledText
from classifiers.site.material import Material, read
from classifiers.site.refit import shift_to_share
from classifiers.site.training import Trained

MAX_COMMENTS = 20_000
MIN_COMMENTS = 100


def state_shares(
    comments: Iterable[LabelledText],
    shares: Mapping[str, float],
    *,
    out: Path,
    prior: Path | None = None,
    name: str = "site",
) -> str:
    """Write a model whose mean probability of each output over a site's recent comments is the share that it states.

    Labels of the comments are not read; the first MAX_COMMENTS count. `shares` are by output of `spam` and `abuse`, each in
    (0, 1). Returns the version. Raises LabelsError below MIN_COMMENTS comments in languages that the prior knows. What a share
    alone mends is about half the error; two numbers refitted on 200 decisions mend more.
    """
    with artefact.publishing(out) as folder:
        base = artefact.base_of(PRETRAINED if prior is None else prior)
        known = Scorer.load(base)
        material = read(list(islice(comments, MAX_COMMENTS)), known)
        trained = {output: _shifted(material, known, output, share) for output, share in shares.items()}
        manifest = {
            "name": name,
            "outputs": list(trained),
            "languages": sorted(known.languages),
            "names": {},
            "calibrations": artefact.heads(trained, known.languages),
            "thresholds": dict(known.thresholds),
            "shares": dict(shares),
        }
        card = f"# Model card: {name}\n\nThe prior, shifted to the shares that the site states: {dict(shares)}.\n"
        return artefact.write(
            folder, artefact.Parts(manifest, artefact.arrays(trained, material.columns), card), base
        ).version


def _shifted(material: Material, prior: Scorer, output: str, share: float) -> Trained:
    rows = np.flatnonzero(np.isin(material.languages, sorted(prior.languages)))
    if rows.size < MIN_COMMENTS:
        raise LabelsError(
            "too_few_comments",
            "a share needs {needed} comments to stand for; there are {found}",
            needed=MIN_COMMENTS,
            found=rows.size,
        )
    offset = shift_to_share(material.prior[rows, FEATURES.index(output)], share)
    fitted = Fitted(np.zeros(0), anchor(output), {})
    languages = tuple(sorted(prior.languages))
    return Trained(
        fitted,
        {},
        languages,
        Calibration(1.0, offset.offset),
        {},
        rows[:0],
        np.zeros(0),
        is_prior_alone=True,
    )
