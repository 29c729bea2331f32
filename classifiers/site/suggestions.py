"""The thresholds that a site's model brings along, from rows that were held out; a site's policy goes before them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import LabelsError
from classifiers.site.material import Material
from classifiers.site.thresholds import Decided, propose_thresholds
from classifiers.site.training import Trained

FALSE_ALARMS_ALLOWED = {"spam": 0.01}  # above doubt, of comments that are not
_OTHER_FALSE_ALARMS = 0.10
PRECISION_WANTED = {
    "spam": 0.97,
    "abuse": 0.95,
}  # of automatic rejection; nothing else is rejected without a person
MIN_REJECT = 0.9


def model_thresholds(
    material: Material,
    trained: Mapping[str, Trained],
    called: Mapping[str, str],
    prior: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return the prior's thresholds with those of the trained outputs, for every language that they learned."""
    found = {language: dict(outputs) for language, outputs in prior.items()}
    for output, one in trained.items():
        pair = _pair(material, output, one)
        for key in one.languages:
            found.setdefault(called.get(key, key), {})[output] = pair
    return found


def _pair(material: Material, output: str, trained: Trained) -> dict[str, float | None]:
    """Return thresholds that hold on different texts: what is right of one advertisement a thousand times proves nothing of others."""
    log_odds = trained.apply(material, trained.held_rows, trained.held_log_odds)
    rows = trained.held_rows
    labels = material.labels[output][rows]
    first = {
        (material.groups[at], label): place
        for place, (at, label) in reversed(list(enumerate(zip(rows.tolist(), labels.tolist(), strict=True))))
    }
    chosen = np.array(sorted(first.values()), np.int64)
    values = 1 / (1 + np.exp(-np.clip(log_odds[chosen], -30, 30)))
    labels, weights = labels[chosen], material.weights[rows[chosen]]
    doubt = _doubt(
        values[labels == 0], weights[labels == 0], FALSE_ALARMS_ALLOWED.get(output, _OTHER_FALSE_ALARMS)
    )
    reject = None
    if output in PRECISION_WANTED:
        try:
            decided = Decided(values, labels, weights)
            proposal = propose_thresholds(decided, precision=PRECISION_WANTED[output])
            reject = max(proposal.threshold, doubt, MIN_REJECT)
        except LabelsError:
            reject = None
    return {"doubt": round(doubt, 4), "reject": None if reject is None else round(reject, 4)}


def _doubt(negatives: NDArray[np.float64], weights: NDArray[np.float64], allowed: float) -> float:
    """Return the probability above which no more than the allowed share of negatives lies."""
    if not negatives.size:
        return 0.5
    order = np.argsort(-negatives, kind="stable")
    above = np.cumsum(weights[order]) / weights.sum()
    first = int(np.searchsorted(above, allowed))
    return float(min(max(negatives[order][min(first, negatives.size - 1)] + 1e-4, 0.01), 0.99))
