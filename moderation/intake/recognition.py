"""Has this submission come before? And what is known of its author and its parent: one visit to the database a group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from moderation.domain.errors import FieldError, IdempotencyMismatchError, InvalidCommentError
from moderation.domain.ids import CommentId, parse_uuid
from moderation.domain.verdict import Scores, State, Verdict
from moderation.intake.authors import combine, read_records
from moderation.intake.candidates import Candidate, Outcome
from moderation.storage.database import Connection
from moderation.storage.reasons import reasons_from_json


@dataclass(slots=True)
class Recognised:
    """What became of a group: ``fresh`` ones go on, ``edits`` are known comments with other content; the rest is answered."""

    fresh: list[Candidate]
    edits: list[tuple[Candidate, CommentId]]
    replays: int = 0


async def recognise(connection: Connection, group: Sequence[Candidate], *, now: datetime) -> Recognised:
    """Answer what was seen before, and fill in author records and parents of what was not."""
    found = Recognised([], [])
    by_key = await _by_key(connection, group, now=now)
    by_external = await _by_external_id(connection, group)
    for candidate in group:
        keyed = by_key.get(candidate.recognition_key) or by_key.get(candidate.earlier_key or b"")
        external = by_external.get((candidate.site.id, candidate.submission.external_id or ""))
        if keyed is not None:
            found.replays += await _answer_again(connection, candidate, keyed)
        elif external is not None and (candidate.history or external[2] == candidate.content_hash):
            found.replays += await _answer_again(connection, candidate, external)
        elif external is not None:
            found.edits.append((candidate, CommentId(external[0])))
        else:
            found.fresh.append(candidate)
    await _fill_in_authors(connection, found.fresh)
    await _fill_in_parents(connection, found.fresh)
    found.fresh = [candidate for candidate in found.fresh if candidate.is_open]
    return found


_Known = tuple[UUID, int, bytes]
"""Comment, revision and content hash of what a key stands for."""


async def _by_key(
    connection: Connection, group: Sequence[Candidate], *, now: datetime
) -> dict[bytes, _Known]:
    keys = [
        k for c in group if c.remember_until > c.received_at for k in (c.recognition_key, c.earlier_key) if k
    ]
    if not keys:
        return {}
    rows = await connection.fetch(
        "SELECT key, comment_id, revision, content_hash FROM recognitions WHERE key = ANY($1) AND expires_at > $2",
        keys,
        now,
    )
    return {row["key"]: (row["comment_id"], row["revision"], row["content_hash"]) for row in rows}


async def _by_external_id(
    connection: Connection, group: Sequence[Candidate]
) -> dict[tuple[int, str], _Known]:
    asked = [(c.site.id, c.submission.external_id) for c in group if c.submission.external_id is not None]
    if not asked:
        return {}
    rows = await connection.fetch(
        "SELECT c.site_id, c.external_id, c.id, c.revision, c.content_hash FROM comments c"
        " JOIN unnest($1::int[], $2::text[]) AS asked (site_id, external_id)"
        " ON c.site_id = asked.site_id AND c.external_id = asked.external_id",
        [site_id for site_id, _ in asked],
        [external_id for _, external_id in asked],
    )
    return {(r["site_id"], r["external_id"]): (r["id"], r["revision"], r["content_hash"]) for r in rows}


async def _answer_again(connection: Connection, candidate: Candidate, known: _Known) -> bool:
    """Give the first answer again; tell whether that was right. What a site decided long ago never changes a comment."""
    comment_id, revision, content = known
    if content != candidate.content_hash and candidate.history is None:
        candidate.fail(IdempotencyMismatchError())
        return False
    candidate.succeed(await first_answer(connection, CommentId(comment_id), revision))
    return True


async def first_answer(connection: Connection, comment_id: CommentId, revision: int) -> Outcome:
    """Build the answer that was given when ``revision`` was first judged."""
    row = await connection.fetchrow(
        "SELECT d.*, c.external_id FROM decisions d JOIN comments c ON c.id = d.comment_id"
        " WHERE d.comment_id = $1 AND d.revision = $2 ORDER BY d.sequence LIMIT 1",
        comment_id,
        revision,
    )
    assert row is not None, "a comment is stored with its first decision"
    return Outcome(
        id=comment_id,
        external_id=row["external_id"],
        revision=row["revision"],
        state=State(row["state"]),
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        reasons=reasons_from_json(row["reasons"]),
        scores=Scores.from_list(row["scores"]),
        model=row["model"],
        policy=row["policy"],
        is_replay=True,
    )


async def _fill_in_authors(connection: Connection, fresh: Sequence[Candidate]) -> None:
    records = await read_records(connection, (identity for c in fresh for identity in c.identities.known()))
    for candidate in fresh:
        candidate.author = combine(candidate.identities, records)


async def _fill_in_parents(connection: Connection, fresh: Sequence[Candidate]) -> None:
    for candidate in fresh:
        written = candidate.submission.parent_id
        if written is not None:
            candidate.parent_id = await find_parent(connection, candidate, written)
            if candidate.parent_id is None:
                candidate.fail(InvalidCommentError([FieldError("/parent_id", "unknown_parent")]))


async def find_parent(connection: Connection, candidate: Candidate, written: str) -> CommentId | None:
    """Return the comment of the same site and thread with that id or external id."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM comments WHERE site_id = $1 AND thread_id = $2 AND (id = $3 OR external_id = $4) LIMIT 1",
        candidate.site.id,
        candidate.submission.thread.id,
        parse_uuid(written),
        written,
    )
    return None if found is None else CommentId(found)
