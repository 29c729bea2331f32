"""The minimum record of a decision, and the statement of reasons that may be sent to an author: no personal data in either.

After Regulation (EU) 2022/2065: Art. 17 says what a statement holds; the names under ``transparency`` are those of the Union's
database of statements. Everything here follows from what `decisions` holds; nothing is stored for it on a comment's way in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moderation.domain.clock import wire_time
from moderation.domain.decision import Decider, Decision
from moderation.domain.ids import CommentId
from moderation.domain.messages import message
from moderation.domain.verdict import MODE_ONLY, ReasonCode, Verdict

JsonObject = dict[str, Any]

TEXT_HASH = "text"
"""The purpose under which texts are hashed for records (`domain.ports.Vault.fingerprint`)."""
TEMPLATE_VERSION = 1

_OTHER = ("OTHER_VIOLATION_TC", "OTHER")
_CATEGORIES: dict[ReasonCode, tuple[str, str]] = {
    ReasonCode.ILLEGAL: ("ILLEGAL_OR_HARMFUL_SPEECH", "OTHER"),
    ReasonCode.THREAT: ("VIOLENCE", "INCITEMENT_VIOLENCE_HATRED"),
    ReasonCode.HATE: ("ILLEGAL_OR_HARMFUL_SPEECH", "HATE_SPEECH"),
    ReasonCode.INSULT: ("CYBER_VIOLENCE", "CYBER_HARASSMENT"),
    ReasonCode.ABUSE: ("CYBER_VIOLENCE", "CYBER_HARASSMENT"),
    ReasonCode.UNKNOWN_LANGUAGE: ("OTHER_VIOLATION_TC", "LANGUAGE_REQUIREMENTS"),
}
"""Category and keyword, gravest first; every other reason is a breach of the site's own rules."""
_BULK = frozenset({ReasonCode.SPAM, ReasonCode.DUPLICATE, ReasonCode.FLOOD})
"""Deceptive high-volume commercial content, for which Art. 17(2) asks no statement."""
_NOT_FOUND_BY_MACHINE = MODE_ONLY | {ReasonCode.NOT_SCORED}


@dataclass(frozen=True, slots=True)
class Subject:
    """What the decisions were about; ``text_hashes`` by revision, missing after an erasure."""

    id: CommentId
    external_id: str | None
    site: str
    site_title: str
    language: str | None
    created_at: datetime
    text_hashes: Mapping[int, bytes] = field(default_factory=dict)
    heard: Mapping[int, datetime] = field(default_factory=dict)
    """When the site took the event of a decision, by sequence; known for as long as attempts are kept."""


def decision_records(subject: Subject, history: Sequence[Decision]) -> list[JsonObject]:
    """Return one record a decision, oldest first."""
    return [_record(subject, history[: at + 1], is_last=at + 1 == len(history)) for at in range(len(history))]


def _record(subject: Subject, history: Sequence[Decision], *, is_last: bool) -> JsonObject:
    decision = history[-1]
    code = gravest(decision)
    category, keyword = _CATEGORIES.get(code, _OTHER) if code else (None, None)
    hashed = subject.text_hashes.get(decision.revision)
    heard = subject.heard.get(decision.sequence)
    is_restriction = decision.verdict is Verdict.REJECT
    return {
        "id": _name(subject, decision.sequence),
        "comment": {
            "id": str(subject.id),
            "external_id": subject.external_id,
            "revision": decision.revision,
            "text_hash": None if hashed is None else hashed.hex(),
        },
        "site": subject.site,
        "created_at": wire_time(subject.created_at),
        "decided_at": wire_time(decision.decided_at),
        "measure": _measure(history),
        "ground": None if not is_restriction else ("illegal" if code is ReasonCode.ILLEGAL else "rules"),
        "reasons": [reason.code.value for reason in decision.reasons],
        "category": category if is_restriction else None,
        "keyword": keyword if is_restriction else None,
        "source": "own_initiative",
        "detection": _detection(history),
        "decided_by": decision.decided_by.value,
        "moderator": decision.actor if decision.decided_by is Decider.MODERATOR else None,
        "automation": _automation(history),
        "language": subject.language,
        "notified": None if heard is None else {"channel": "webhook", "at": wire_time(heard)},
        "superseded_by": None if is_last else _name(subject, decision.sequence + 1),
        "statement": _statement(subject, history, code or ReasonCode.OTHER) if is_restriction else None,
    }


def gravest(decision: Decision) -> ReasonCode | None:
    """Return the reason that names the category; None without one."""
    codes = [reason.code for reason in decision.reasons]
    return next((code for code in _CATEGORIES if code in codes), codes[0] if codes else None)


def _name(subject: Subject, sequence: int) -> str:
    return f"{subject.id}-{sequence}"


def _measure(history: Sequence[Decision]) -> str:
    decision = history[-1]
    if decision.verdict is None:
        return "withdrawn"
    if decision.verdict is Verdict.REJECT:
        was_visible = any(earlier.verdict is Verdict.APPROVE for earlier in history[:-1])
        return "removed" if was_visible else "not_published"
    return "withheld" if decision.verdict is Verdict.HOLD else "none"


def _found_by_machine(history: Sequence[Decision]) -> Sequence[Decision]:
    """Return the service's own decisions on the same text that saw more in it than the site's mode."""
    return [
        decision
        for decision in history
        if decision.decided_by is Decider.SERVICE
        and decision.revision == history[-1].revision
        and any(reason.code not in _NOT_FOUND_BY_MACHINE for reason in decision.reasons)
    ]


def _automation(history: Sequence[Decision]) -> str:
    if history[-1].decided_by is Decider.SERVICE:
        return "fully"
    return "partially" if _found_by_machine(history) else "not_automated"


def _detection(history: Sequence[Decision]) -> JsonObject:
    decision = history[-1]
    on_it = [*_found_by_machine(history), decision]
    rules = {place.rule for one in on_it for reason in one.reasons for place in reason.evidence}
    return {
        "is_automated": bool(_found_by_machine(history)),
        "rules": sorted(rules),
        "model": decision.model,
        "policy": decision.policy,
        "scores": None if decision.scores is None else decision.scores.as_wire(),
    }


def _statement(subject: Subject, history: Sequence[Decision], code: ReasonCode) -> JsonObject:
    words = {language: _words(subject, history, code, language) for language in ("ar", "en")}
    return {
        "is_due": code not in _BULK,
        "template": TEMPLATE_VERSION,
        **words,
        "transparency": _transparency(subject, history, code, facts=words["en"]),
    }


_SENTENCES = {
    "en": {
        "not_published": "Your comment of {written} on “{site}” was not published (decided on {decided}).",
        "removed": "Your comment of {written} on “{site}” is no longer shown (decided on {decided}).",
        "reason": "Reason: {reason}",
        "illegal": "It was found to be against the law.",
        "rules": "It was found not to agree with the site's rules for comments.",
        "fully": "It was found and decided by automated means.",
        "partially": "It was found by automated means; a person decided.",
        "not_automated": "A person found and decided it; no automated means were used.",
        "redress": "You can ask the site's editors to have a person look at it again; your right to go to a court stays.",
    },
    "ar": {
        "not_published": "لم يُنشر تعليقك المكتوب في {written} على «{site}» (تاريخ القرار {decided}).",
        "removed": "لم يعد تعليقك المكتوب في {written} على «{site}» ظاهرًا (تاريخ القرار {decided}).",
        "reason": "السبب: {reason}",
        "illegal": "رُئي أنه مخالف للقانون.",
        "rules": "رُئي أنه لا يوافق قواعد التعليق في الموقع.",
        "fully": "كُشف واتُّخذ القرار بوسائل آلية.",
        "partially": "كُشف بوسائل آلية، واتخذ القرارَ إنسان.",
        "not_automated": "كشفه إنسان واتخذ القرار، دون وسائل آلية.",
        "redress": "يمكنك أن تطلب من محرري الموقع أن يراجعه إنسان مرة أخرى، ويبقى حقك في اللجوء إلى القضاء.",
    },
}


def _words(subject: Subject, history: Sequence[Decision], code: ReasonCode, language: str) -> str:
    ground = "illegal" if code is ReasonCode.ILLEGAL else "rules"
    values = {
        "written": f"{subject.created_at:%Y-%m-%d}",
        "decided": f"{history[-1].decided_at:%Y-%m-%d}",
        "site": subject.site_title,
        "reason": message(code.value, language),
    }
    parts = (_measure(history), "reason", ground, _automation(history), "redress")
    return " ".join(_SENTENCES[language][part].format_map(values) for part in parts)


def _transparency(
    subject: Subject, history: Sequence[Decision], code: ReasonCode, *, facts: str
) -> JsonObject:
    """Return the fields of the Union's database as its API takes them."""
    decision, is_illegal = history[-1], code is ReasonCode.ILLEGAL
    visibility = "REMOVED" if _measure(history) == "removed" else "DISABLED"
    category, keyword = _CATEGORIES.get(code, _OTHER)
    ground = "illegal_content" if is_illegal else "incompatible_content"
    language = (subject.language or "").split("-")[0]
    return {
        "puid": _name(subject, decision.sequence),
        "decision_visibility": [f"DECISION_VISIBILITY_CONTENT_{visibility}"],
        "decision_ground": f"DECISION_GROUND_{ground.upper()}",
        f"{ground}_{'legal_' if is_illegal else ''}ground": message(code.value, "en"),
        f"{ground}_explanation": _SENTENCES["en"]["illegal" if is_illegal else "rules"],
        **({} if is_illegal else {"incompatible_content_illegal": "No"}),
        "category": f"STATEMENT_CATEGORY_{category}",
        "category_specification": [f"KEYWORD_{keyword}"],
        "content_type": ["CONTENT_TYPE_TEXT"],
        "content_language": language.upper() if len(language) == 2 else None,  # ISO 639-1 alone
        "content_date": f"{subject.created_at:%Y-%m-%d}",
        "application_date": f"{decision.decided_at:%Y-%m-%d}",
        "decision_facts": facts,
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes" if _found_by_machine(history) else "No",
        "automated_decision": f"AUTOMATED_DECISION_{_automation(history).upper()}",
    }
