"""Decisions that a model has not learned from: only these tell how well it will do.

A model that judges its own lessons looks surer than it is, and thresholds drawn from them are too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from moderation.storage.past import PastComment

MIN_UNSEEN = 100
"""Decisions after the model's last lesson that thresholds are drawn from alone; fewer say less than flattered ones."""


@dataclass(frozen=True, slots=True)
class Honest:
    """Past comments to judge a model by. ``seen`` of their decisions it learned from; ``unseen`` came later.

    ``warning`` says what that means where any was seen, else None.
    """

    past: Sequence[PastComment]
    seen: int
    unseen: int
    warning: str | None


def honest(past: Sequence[PastComment], model: str, seen_until: datetime | None) -> Honest:
    """Set decisions aside that a model learned from, if enough others are left; None: it learned from none of the site's.

    Comments set aside stay as undecided ones: the queue counts them too.
    """
    decided = [one for one in past if one.said is not None]
    seen = {one.id for one in decided if seen_until is not None and one.said_at and one.said_at <= seen_until}
    unseen = len(decided) - len(seen)
    if not seen:
        return Honest(past, 0, unseen, None)
    if unseen >= MIN_UNSEEN:
        later = [replace(one, said=None) if one.id in seen else one for one in past]
        return Honest(
            later,
            len(seen),
            unseen,
            f"{model} learned from {len(seen)} of these decisions: they do not count",
        )
    return Honest(
        past,
        len(seen),
        unseen,
        f"{model} learned from {len(seen)} of these {len(decided)} decisions, and only {unseen} came later: "
        "precision and recall look better than they will be",
    )
