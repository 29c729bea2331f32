"""Judge a stored comment again: after an edit, or because it could not be scored before.

Never milder than what is known: a block of any of the author's identities counts, an earlier duplicate or flood stays one,
and what a person held, rejected or passed on to the leads is at best held.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moderation.domain.comment import Author
from moderation.domain.decision import Decider, Decision
from moderation.domain.identity import identify
from moderation.domain.ids import SiteId
from moderation.domain.policy import AuthorRecord, Ruling, Signals, decide
from moderation.domain.ports import Vault
from moderation.domain.ranks import rank
from moderation.domain.site import Site
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Assessment, Reason, ReasonCode, Scores, Verdict
from moderation.intake.authors import combine, read_records
from moderation.intake.scoring import GroupScorer
from moderation.storage.database import Connection
from moderation.storage.decisions import LockedComment, record
from moderation.storage.tasks import NewTask, close_tasks, open_tasks

CURRENT = """
SELECT site_id, text, author_name, author_url, author_external_id, email_sealed, address_sealed, thread_id, parent_id,
       external_id, state, text_removed_at
  FROM comments WHERE id = $1"""
"""What is read of a stored comment to judge it; rows of it are the ``row`` of this module's functions."""


@dataclass(frozen=True, slots=True)
class Content:
    """What of a comment an edit may change."""

    text: str
    name: str | None
    url: str | None

    @classmethod
    def of(cls, row: Any) -> "Content":
        """Return the content as it is stored."""
        return cls(row["text"], row["author_name"], row["author_url"])


class Judge:
    """Makes the decision on content that is about to be, or already is, a stored comment's."""

    def __init__(self, vault: Vault, scorer: GroupScorer) -> None:
        self._vault = vault
        self._scorer = scorer

    @property
    def can_score(self) -> bool:
        """Whether there is a model."""
        return self._scorer.scorer.model is not None

    async def assess(self, content: Content, site_id: SiteId) -> Assessment | None:
        """Score the content with its site's model; None if that cannot be done now."""
        (assessment,) = await self._scorer.assess([content.text], [content.url], [site_id])
        return assessment

    def author_of(self, row: Any, content: Content) -> Author:
        """Return the author with what is private opened."""
        return Author(
            name=content.name,
            email=self._vault.open(row["email_sealed"], "email") if row["email_sealed"] else None,
            url=content.url,
            address=self._vault.open(row["address_sealed"], "address") if row["address_sealed"] else None,
            external_id=row["author_external_id"],
        )

    async def decide(
        self,
        connection: Connection,
        site: Site,
        comment: LockedComment,
        *,
        row: Any,
        content: Content,
        assessment: Assessment | None,
        now: datetime,
    ) -> Decision:
        """Return the service's next decision on the locked comment, for its present revision."""
        identities = identify(self._vault, site.name, self.author_of(row, content))
        author = combine(identities, await read_records(connection, identities.known()))
        ruling = _cap(self._rule(site, content, assessment, author, comment), comment)
        return Decision(
            sequence=comment.sequence + 1,
            revision=comment.revision,
            state=ruling.verdict.state,
            verdict=ruling.verdict,
            reasons=ruling.reasons,
            scores=assessment.scores if assessment else None,
            model=assessment.model if assessment else None,
            policy=site.policy.version,
            decided_by=Decider.SERVICE,
            actor=None,
            note=None,
            decided_at=now,
            origin=comment.latest.origin,
        )

    def _rule(
        self,
        site: Site,
        content: Content,
        assessment: Assessment | None,
        author: AuthorRecord,
        comment: LockedComment,
    ) -> Ruling:
        ruling = decide(
            site.policy,
            text=content.text,
            author_url=content.url,
            author=author,
            assessment=assessment,
            signals=_known_signals(comment),
            default_thresholds=self._scorer.thresholds(site.id),
        )
        return ruling.changed(reasons=self._scorer.with_evidence(ruling.reasons, content.text, site.id))


async def carry_out(
    connection: Connection, comment: LockedComment, decision: Decision, assessment: Assessment | None
) -> None:
    """Record the decision and open the task it asks for, placed by its scores, or close one that is no longer due.

    What a moderator passed on to the leads stays theirs, whatever the service says of the new text.
    """
    is_escalated = _is_escalated(comment)
    if decision.verdict is not Verdict.HOLD and not is_escalated:
        await close_tasks(connection, [comment.id])
    else:
        scores = assessment.scores if assessment else Scores()
        task = NewTask(
            comment_id=comment.id,
            site_id=comment.site_id,
            kind=TaskKind.ESCALATED if is_escalated else TaskKind.HELD,
            revision=decision.revision,
            thread_id=comment.thread_id,
            language=assessment.language if assessment else comment.language,
            reasons=tuple(reason.code for reason in decision.reasons),
            ranks=rank(comment.received_at, abuse=scores.abuse, spam=scores.spam),
        )
        await open_tasks(connection, [task])
    await record(connection, comment, decision)


def _known_signals(comment: LockedComment) -> Signals:
    return Signals.of_reasons(
        reason.code
        for decision in comment.history
        if decision.decided_by is Decider.SERVICE
        for reason in decision.reasons
    )


def _cap(ruling: Ruling, comment: LockedComment) -> Ruling:
    if ruling.verdict is not Verdict.APPROVE:
        return ruling
    by_people = [d.verdict for d in comment.history if d.decided_by is not Decider.SERVICE and d.verdict]
    if _is_escalated(comment) or (by_people and by_people[-1] is not Verdict.APPROVE):
        return Ruling(Verdict.HOLD, (Reason(ReasonCode.PREMODERATION),))
    return ruling


def _is_escalated(comment: LockedComment) -> bool:
    return comment.task is not None and comment.task.kind is TaskKind.ESCALATED
