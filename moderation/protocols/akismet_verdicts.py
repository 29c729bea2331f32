"""What a verdict of ours is to an Akismet client, which knows spam and ham only, and may be told more later."""

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.domain.site import AkismetDoubt, SiteSettings
from moderation.domain.verdict import MODE_ONLY, ReasonCode, Verdict

SPAM, HAM = "true", "false"
RECHECK_AFTER_S = 302_400
"""Half a week. The plugin publishes by itself what it heard nothing of after twice that, which is when it leaves our queue."""

_NO_DOUBT = MODE_ONLY | {ReasonCode.UNCONFIRMED}


@dataclass(frozen=True, slots=True)
class Answer:
    """``is_provisional``: ham for now, and the client waits for our call; ``may_discard``: nobody need see it."""

    is_spam: bool
    is_provisional: bool = False
    may_discard: bool = False

    @property
    def body(self) -> str:
        """The word itself."""
        return SPAM if self.is_spam else HAM

    @property
    def headers(self) -> dict[str, str]:
        """What else the client is told."""
        if self.may_discard:
            return {"X-akismet-pro-tip": "discard"}
        return {"X-akismet-recheck-after": str(RECHECK_AFTER_S)} if self.is_provisional else {}


def answer(
    verdict: Verdict | None, reasons: Iterable[ReasonCode], settings: SiteSettings, *, can_call: bool
) -> Answer:
    """Translate. What is held by the site's mode alone is ham: the client's own settings decide whether it waits.

    Doubt is ham for now where the client can be called, else what the site chose. ``verdict`` is None for a withdrawn comment:
    nothing speaks against it, and the client deletes it or has.
    """
    if verdict is Verdict.REJECT:
        return Answer(is_spam=True, may_discard=settings.akismet_discard)
    if verdict is Verdict.HOLD and not _NO_DOUBT.issuperset(reasons):
        if can_call:
            return Answer(is_spam=False, is_provisional=True)
        return Answer(is_spam=settings.akismet_doubt is AkismetDoubt.SPAM)
    return Answer(is_spam=False)
