"""What leaves the service about a comment. Never an e-mail or IP address: the types rendered here hold none."""

from collections.abc import Container, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from moderation.domain.clock import wire_time
from moderation.domain.comment import StoredComment
from moderation.domain.decision import Decider, Decision
from moderation.domain.errors import ModerationError
from moderation.domain.evidence_words import rule_words
from moderation.domain.ids import CommentId, ModeratorId
from moderation.domain.messages import message
from moderation.domain.task import Claim, TaskKind
from moderation.domain.verdict import Evidence, Reason, Scores
from moderation.protocols.problems import problem_body
from moderation.review.archive import History
from moderation.review.decisions import Outcome
from moderation.review.queue import Entry

json_response = partial(web.json_bytes_response, dumps=orjson.dumps)
"""Answer with a body that is JSON."""

_BLIND: dict[str, Any] = {
    "state": None,
    "verdict": None,
    "reasons": [],
    "scores": None,
    "model": None,
    "policy": None,
    "decided_by": None,
    "decided_at": None,
}
"""What an audit leaves out: whoever looks must not be led by what the service said."""
_JUDGED = ("state", "verdict", "reasons", "scores", "model", "policy")


def comment_body(comment: StoredComment, language: str) -> dict[str, Any]:
    """Return a comment as its site and its moderators see it, with reasons in words of ``language``."""
    return {
        "id": str(comment.id),
        "external_id": comment.external_id,
        "site": comment.site,
        "thread": {"id": comment.thread.id, "url": comment.thread.url, "title": comment.thread.title},
        "parent_id": None if comment.parent_id is None else str(comment.parent_id),
        "author": {"name": comment.author_name, "url": comment.author_url},
        "text": comment.text,
        "language": comment.language,
        "revision": comment.revision,
        "sequence": comment.sequence,
        "state": comment.state.value,
        "verdict": None if comment.verdict is None else comment.verdict.value,
        "reasons": reason_bodies(comment.reasons, language),
        "scores": _scores(comment.scores),
        "model": comment.model,
        "policy": comment.policy,
        "created_at": wire_time(comment.created_at),
        "received_at": wire_time(comment.received_at),
        "decided_by": comment.decided_by,
        "decided_at": wire_time(comment.decided_at),
        "links": links(comment.id),
    }


def links(comment_id: CommentId) -> dict[str, str]:
    """Return where a comment is found."""
    return {"self": f"/v1/comments/{comment_id}", "history": f"/v1/comments/{comment_id}/history"}


def reason_bodies(reasons: Iterable[Reason], language: str) -> list[dict[str, Any]]:
    """Return reasons with their evidence, each in words of ``language``."""
    return [
        {
            "code": reason.code,
            "message": message(reason.code, language),
            "evidence": [_evidence(evidence, language) for evidence in reason.evidence],
        }
        for reason in reasons
    ]


def found_body(comment: StoredComment, audited: Container[CommentId], language: str) -> dict[str, Any]:
    """Return a comment beside the one that is judged; one of an open audit without what the service said."""
    body = comment_body(comment, language)
    return body | _BLIND if comment.id in audited else body


def entry_body(entry: Entry, language: str, *, reader: ModeratorId, now: datetime) -> dict[str, Any]:
    """Return an open task with its comment, and its claim where one is live; an audit without what the service said."""
    comment = comment_body(entry.comment, language)
    task = {"kind": entry.task.kind.value, "revision": entry.task.revision}
    body = {"comment": comment | _BLIND if entry.task.kind is TaskKind.AUDIT else comment, "task": task}
    claim = entry.task.claim
    if claim is not None and claim.is_live(now):
        body["claim"] = claim_body(claim, reader=reader)
    return body


def claim_body(claim: Claim, *, reader: ModeratorId) -> dict[str, str]:
    """Return who holds a task until when; its id to the holder alone."""
    body = {"by": str(claim.by), "expires_at": wire_time(claim.expires_at)}
    return {"id": str(claim.id), **body} if claim.by == reader else body


def history_body(history: History, language: str, *, is_blind: bool = False) -> dict[str, Any]:
    """Return what was decided about a comment, its earlier texts and who passed it on, each oldest first.

    ``is_blind`` leaves out what the service said, where that left the comment, and what people's decisions repeat of it.
    """
    decisions = [one for one in history.decisions if not is_blind or one.decided_by is not Decider.SERVICE]
    return {
        "id": str(history.comment.id),
        "external_id": history.comment.external_id,
        "revision": history.comment.revision,
        "state": None if is_blind else history.comment.state.value,
        "decisions": [_decision(one, language) | (_unsaid(one) if is_blind else {}) for one in decisions],
        "revisions": [
            {
                "revision": earlier.revision,
                "text": earlier.text,
                "author": {"name": earlier.author_name, "url": earlier.author_url},
                "replaced_at": wire_time(earlier.replaced_at),
            }
            for earlier in history.revisions
        ],
        "escalations": [
            {
                "revision": escalation.revision,
                "moderator": escalation.actor,
                "note": escalation.note,
                "escalated_at": wire_time(escalation.escalated_at),
            }
            for escalation in history.escalations
        ],
    }


def outcome_body(outcome: Outcome, language: str) -> dict[str, Any]:
    """Return what became of one comment of a bulk: status 200 and where it stands, or a problem with its code."""
    if outcome.error is not None:
        return refusal_body(str(outcome.id), outcome.error, language)
    return {
        "id": str(outcome.id),
        "status": 200,
        "revision": outcome.revision,
        "state": outcome.state,
        "verdict": outcome.verdict,
        "sequence": outcome.sequence,
    }


def refusal_body(written_id: str | None, error: ModerationError, language: str) -> dict[str, Any]:
    """Return why one item of a bulk was not done; ``written_id`` as the caller wrote it."""
    return {"id": written_id, "code": error.code, **problem_body(error, language)}


def _decision(decision: Decision, language: str) -> dict[str, Any]:
    return {
        "sequence": decision.sequence,
        "revision": decision.revision,
        "state": decision.state.value,
        "verdict": None if decision.verdict is None else decision.verdict.value,
        "reasons": reason_bodies(decision.reasons, language),
        "scores": _scores(decision.scores),
        "model": decision.model,
        "policy": decision.policy,
        "decided_by": decision.decided_by.value,
        "moderator": decision.actor,
        "note": decision.note,
        "undoes": decision.undoes,
        "task": None if decision.task is None else decision.task.value,
        "origin": decision.origin,
        "decided_at": wire_time(decision.decided_at),
    }


def _unsaid(decision: Decision) -> dict[str, Any]:
    """Return what to leave out of a person's decision, for it is the service's: scores, and all that an undo restores."""
    names = ("scores", "model", "policy") if decision.undoes is None else _JUDGED
    return {name: _BLIND[name] for name in names}


def _scores(scores: Scores | None) -> dict[str, float | None] | None:
    return None if scores is None else scores.as_wire()


def _evidence(evidence: Evidence, language: str) -> dict[str, Any]:
    return {
        "start": evidence.start,
        "end": evidence.end,
        "rule": evidence.rule,
        "message": rule_words(evidence.rule, language),
        "weight": round(evidence.weight, 4),
    }
