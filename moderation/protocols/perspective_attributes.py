"""Perspective's names for what a text may be, and which of our probabilities answers each.

Only where an output of ours means the same is there an answer: a number made up for FLIRTATION or INCOHERENT would be
taken for a measurement. Names may carry a version (``TOXICITY@6``) or the suffix ``_EXPERIMENTAL``; both are passed over.
"""

from collections.abc import Mapping

from moderation.domain.label import Targets
from moderation.domain.verdict import OUTPUTS, Scores

OF_THE_SITE = ("reject",)
"""What a site's own model alone says, in whatever language."""

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "TOXICITY": ("abuse",),
    "TOXICITY_FAST": ("abuse",),
    "SEVERE_TOXICITY": ("hate", "threat"),
    "IDENTITY_ATTACK": ("hate",),
    "INSULT": ("insult",),
    "PROFANITY": ("obscene",),
    "OBSCENE": ("obscene",),
    "THREAT": ("threat",),
    "SPAM": ("spam",),
    "LIKELY_TO_REJECT": OF_THE_SITE,
}
"""By name, the outputs of which the greatest is the answer."""


def outputs_of(name: str) -> tuple[str, ...] | None:
    """Return which outputs answer the attribute; None for one that we know nothing of."""
    return ATTRIBUTES.get(name.partition("@")[0].removesuffix("_EXPERIMENTAL"))


def probability(scores: Scores, outputs: tuple[str, ...]) -> float | None:
    """Return the answer; None where the model says nothing of one of the outputs for this text."""
    values = dict(zip(OUTPUTS, scores.as_list(), strict=True))
    found = [value for output in outputs if (value := values[output]) is not None]
    return max(found) if len(found) == len(outputs) else None


def targets_of(values: Mapping[str, float]) -> tuple[Targets, float] | None:
    """Return what suggested values say and how surely; None when they say nothing of an output of ours.

    Above one half is 1, below is 0, exactly one half says nothing. That a text is not *severely* toxic, or insults nobody,
    denies the kind and not abuse as such.
    """
    said: dict[str, int] = {}
    weights = []
    for name, value in values.items():
        outputs = outputs_of(name)
        if outputs is None or value == 0.5 or (len(outputs) > 1 and value < 0.5):
            continue
        said["abuse" if len(outputs) > 1 else outputs[0]] = int(value > 0.5)
        weights.append(max(abs(2 * value - 1), 0.01))
    return (Targets(**said), sum(weights) / len(weights)) if said else None
