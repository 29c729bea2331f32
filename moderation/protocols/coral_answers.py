"""What Coral is told, in the words of its external moderation phases."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from moderation.domain.site import CoralClean
from moderation.domain.verdict import MODE_ONLY, ReasonCode, Verdict

Answer = dict[str, Any] | None
"""The body of the answer; None is 204: no opinion."""

WITHHELD: dict[str, Any] = {"status": "SYSTEM_WITHHELD"}
"""When we cannot say: a person at Coral decides. Any refusal would publish the comment."""

_CLEAN: dict[CoralClean, Answer] = {
    CoralClean.LEAVE: None,
    CoralClean.NONE: {"status": "NONE"},
    CoralClean.APPROVE: {"status": "APPROVED"},
}


class _Flag(StrEnum):
    SPAM = "COMMENT_DETECTED_SPAM"
    TOXIC = "COMMENT_DETECTED_TOXIC"


_FLAGS = {
    ReasonCode.SPAM: _Flag.SPAM,
    ReasonCode.LINK_LIMIT: _Flag.SPAM,
    ReasonCode.DUPLICATE: _Flag.SPAM,
    ReasonCode.FLOOD: _Flag.SPAM,
    ReasonCode.ABUSE: _Flag.TOXIC,
    ReasonCode.INSULT: _Flag.TOXIC,
    ReasonCode.OBSCENE: _Flag.TOXIC,
    ReasonCode.THREAT: _Flag.TOXIC,
    ReasonCode.HATE: _Flag.TOXIC,
    ReasonCode.BANNED_WORD: _Flag.TOXIC,
}
_CODES = {
    ReasonCode.SPAM: "SPAM",
    ReasonCode.DUPLICATE: "SPAM",
    ReasonCode.HATE: "HATE_SPEECH",
    ReasonCode.THREAT: "HARASSMENT_BULLYING",
    ReasonCode.OBSCENE: "OFFENSIVE",
    ReasonCode.INSULT: "ABUSIVE",
    ReasonCode.ABUSE: "ABUSIVE",
    ReasonCode.BANNED_WORD: "BANNED_WORD",
    ReasonCode.ILLEGAL: "ILLEGAL_CONTENT",
    ReasonCode.OFF_TOPIC: "IRRELEVANT_CONTENT",
}
"""In the order in which one is named when several apply."""


def answer_for(verdict: Verdict | None, codes: Iterable[ReasonCode], clean: CoralClean) -> Answer:
    """Return what Coral is told; what is held by the site's mode alone is Coral's own pre-moderation."""
    found = set(codes)
    if verdict is Verdict.APPROVE:
        return _CLEAN[clean]
    if verdict is Verdict.REJECT:
        code = next((name for reason, name in _CODES.items() if reason in found), "OTHER")
        action = {"status": "REJECTED", "rejectionReason": {"code": code}}
        return {"status": "REJECTED", "actions": _flags(found), "moderationAction": action}
    if verdict is Verdict.HOLD and found and found <= MODE_ONLY:
        return {"status": "PREMOD"}
    return WITHHELD | {"actions": _flags(found)}


def _flags(codes: set[ReasonCode]) -> list[dict[str, str]]:
    flags = sorted({_FLAGS[code] for code in codes if code in _FLAGS})
    return [{"actionType": "FLAG", "reason": flag.value} for flag in flags]
