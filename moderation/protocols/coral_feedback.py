"""What Coral's moderators decided, joined to our comments.

It comes as Perspective feedback (`comments:suggestscore`, with the text and Coral's id) and as webhooks (ids alone). About
a comment of ours it is a decision of the site, which closes our task; about any other text it is a label.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from aiohttp import web

from moderation.domain.errors import ModerationError
from moderation.domain.ids import CommentId
from moderation.domain.label import LabelSource, Targets
from moderation.domain.ports import Vault
from moderation.domain.site import Site, SiteCaller
from moderation.domain.verdict import Verdict
from moderation.learning.feedback import Feedback, Statement
from moderation.protocols.coral_requests import text_key
from moderation.protocols.perspective_requests import SuggestRequest
from moderation.review.decisions import Decisions
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Ruling, Target
from moderation.storage.comments import read_comment
from moderation.storage.coral import find_by_coral_id, join
from moderation.storage.database import Database

ACTOR = "coral"
_STATUSES = {"APPROVED": Verdict.APPROVE, "REJECTED": Verdict.REJECT}
_OLD_NAMES = {"APPROVED": Verdict.APPROVE, "HIGHLIGHTED": Verdict.APPROVE, "DELETED": Verdict.REJECT}
"""Coral before version 9 named the decision where the attribute stands."""
_MAX_ID = 200


@dataclass(frozen=True, slots=True)
class CoralWord:
    """A decision of Coral's moderators about one of its comments."""

    coral_id: str
    story_url: str
    verdict: Verdict


def read_word(said: SuggestRequest) -> CoralWord | None:
    """Return what Coral's moderators decided; None where the feedback is not Coral's."""
    entry = _entry(said.entry)
    coral_id = entry.get("Coral_comment_id")
    if not _is_id(coral_id) or not said.values:
        return None
    url, (name, value) = entry.get("url"), next(iter(said.values.items()))
    rejects = Verdict.REJECT if value > 0.5 else Verdict.APPROVE
    return CoralWord(
        coral_id, url if isinstance(url, str) and url.isprintable() else "", _OLD_NAMES.get(name, rejects)
    )


def _is_id(value: Any) -> TypeGuard[str]:
    """Tell whether this can be the id of a comment that we stored: no NUL, no lone surrogate."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_ID and value.isprintable()


def _entry(written: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(written or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class CoralFeedback:
    """Joins what Coral says to what is stored. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database, vault: Vault, decisions: Decisions, feedback: Feedback) -> None:
        self._database = database
        self._vault = vault
        self._decisions = decisions
        self._feedback = feedback

    async def keep(self, caller: SiteCaller, word: CoralWord, text: str, language: str | None) -> str:
        """Decide the comment that is meant, or keep a label; return which."""
        site = caller.site
        key = text_key(self._vault, site, word.story_url, text)
        async with self._database.connection() as connection:
            comment_id = await join(connection, site.id, word.coral_id, key)
        if comment_id is not None and await self._decide(caller, comment_id, word.verdict):
            return "decision"
        targets = Targets.of_decision(word.verdict, ())
        assert targets is not None, "Coral approves or rejects"
        statement = Statement(
            LabelSource.CORAL, (word.coral_id, "".join(text.split())), text, targets, language=language
        )
        await self._feedback.keep(site, statement)
        return "label"

    async def hear(self, site: Site, coral_id: str, verdict: Verdict | None) -> str:
        """Decide the comment that a webhook names, if we know it and a decision is told; return what came of it."""
        async with self._database.connection() as connection:
            comment_id = await find_by_coral_id(connection, site.id, coral_id)
        if comment_id is None:
            return "unknown"
        caller = SiteCaller(site, key_id="", dialect="coral")
        if verdict is not None and await self._decide(caller, comment_id, verdict):
            return "decision"
        return "known"

    async def _decide(self, caller: SiteCaller, comment_id: CommentId, verdict: Verdict) -> bool:
        """Tell whether the comment could be decided: it may be withdrawn, or a moderator of ours may hold it."""
        async with self._database.connection() as connection:
            comment = await read_comment(connection, comment_id)
        if comment is None:
            return False
        reviewer, target = Reviewer.site(caller, ACTOR), Target(comment_id, comment.revision)
        try:
            await self._decisions.decide(reviewer, target, Ruling(verdict, origin="coral"))
        except ModerationError as error:
            if error.code == "unavailable":
                raise
            return False
        return True


CORAL_FEEDBACK = web.AppKey("coral_feedback", CoralFeedback)


async def hear_webhook(request: web.Request, site: Site, message: Mapping[str, Any]) -> dict[str, object]:
    """Take a webhook in; return what the log line should say of it."""
    data, kind = message.get("data"), message.get("type")
    coral_id = data.get("commentID") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not _is_id(coral_id):
        return {"coral": "ignored"}
    verdict = None
    if kind == "COMMENT_LEFT_MODERATION_QUEUE" and isinstance(data.get("status"), str):
        verdict = _STATUSES.get(data["status"])
    return {"coral": await request.app[CORAL_FEEDBACK].hear(site, coral_id, verdict)}
