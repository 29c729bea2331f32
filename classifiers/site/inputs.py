"""What a site's model sees of a batch of comments: the prior's log-odds, the n-grams and rules, length and language.

Training and serving share this module, so that they cannot disagree.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.analysis import Analysis
from classifiers.calibration import MAX_LOGIT
from classifiers.runtime import THREAT, TextScores
from classifiers.scripts import of_script
from classifiers.threats import SILENT

PRIOR = ("spam", "abuse", "insult", "obscene", "threat", "hate")
EITHER = "either"  # spam or abuse, as if they were independent: what comes nearest to a rejection
FEATURES = (*PRIOR, EITHER)
SPOKEN_OF_ALL = frozenset({"spam"})  # what the prior says of texts in any language


def language_keys(found: Analysis) -> list[str]:
    """Return for each text the language that was told, else a code from its script, "und" where there is none."""
    starts = found.stream.starts.tolist()
    return [
        language if language is not None else of_script(found.stream.codes[starts[at] : starts[at + 1]])
        for at, language in enumerate(found.language)
    ]


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability, within ±MAX_LOGIT."""
    if probability <= 0 or probability >= 1:
        return math.copysign(MAX_LOGIT, probability - 0.5)
    return max(min(math.log(probability / (1 - probability)), MAX_LOGIT), -MAX_LOGIT)


def prior_features(scores: TextScores) -> list[float]:
    """Return the log-odds of FEATURES; 0, which says nothing, where the prior says nothing.

    That no threat was heard says nothing either: it is the same number for nearly every text, and no site could weigh it.
    """
    given = [None if name == THREAT and scores.threat == SILENT else getattr(scores, name) for name in PRIOR]
    found = [0.0 if value is None else log_odds(value) for value in given]
    neither = math.prod(1 - value for value in given[:2] if value is not None)
    found.append(log_odds(1 - neither) if given[1] is not None else 0.0)
    return found


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """Whole steps of the site's own outputs, by bucket and by rule; both of shape (size, n_outputs), int32.

    `counts_repeats`: an n-gram that a text repeats weighs more there, by FACTORS; else once.
    """

    buckets: NDArray[np.int32]
    rules: NDArray[np.int32]
    counts_repeats: bool

    def sums(
        self, found: Analysis, found_keys: NDArray[np.uint32], firsts: NDArray[np.int64], *, mask: np.uint32
    ) -> NDArray[np.int64]:
        """Return the steps of each text's n-grams and rules, times ONCE: shape (n_texts, n_outputs), exact."""
        weights = self.buckets.take(found_keys & mask, axis=0).astype(np.int64)
        weights *= self._factors(found_keys)[:, None]
        sums = np.add.reduceat(weights, firsts, axis=0)
        for at, rules in enumerate(found.rules):
            if rules:
                sums[at] += ONCE * self.rules[rules].sum(axis=0)
        return sums

    def _factors(self, found_keys: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return what each key weighs: the first of equal ones for all of them."""
        begins = run_starts(found_keys)
        factors = np.zeros(found_keys.size, np.int64)
        factors[begins] = FACTORS[run_sizes(begins, found_keys.size)] if self.counts_repeats else ONCE
        return factors


ONCE = 16
MOST_REPEATS = 255
FACTORS = np.concatenate([[0], np.rint(ONCE * (1 + np.log(np.arange(1, MOST_REPEATS + 1))))]).astype(np.int64)
"""By how often a text holds an n-gram, at most MOST_REPEATS times: ONCE the first time, then as the logarithm grows."""
TIMES = FACTORS / ONCE
"""The same where once weighs 1."""


def run_starts(found_keys: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return where runs of equal keys begin; keys are sorted and there is at least one."""
    is_first = np.ones(found_keys.size, np.bool_)
    is_first[1:] = found_keys[1:] != found_keys[:-1]
    return np.flatnonzero(is_first)


def run_sizes(begins: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return how long the runs of so many keys are, MOST_REPEATS at most."""
    return np.minimum(np.diff(begins, append=size), MOST_REPEATS)


def distinct(
    found_keys: NDArray[np.uint32], texts: int, *, text_bit: int, mask: np.uint32
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Return text, bucket and count of every distinct n-gram of a batch; bucket 0 marks places without one and is left out.

    Counts are MOST_REPEATS at most.
    """
    begins = run_starts(found_keys)
    counts = run_sizes(begins, found_keys.size).astype(np.uint8)
    found = found_keys[begins]
    columns = (found & mask).astype(np.int64)
    is_some = columns != 0
    rows = (found >> np.uint32(text_bit)).astype(np.int64) if texts > 1 else np.zeros(found.size, np.int64)
    return rows[is_some], columns[is_some], counts[is_some]
