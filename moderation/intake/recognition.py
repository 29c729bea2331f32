"""Has this submission come before? And what is known of its author and its parent: one visit to the database a group."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from moderation.domain.errors import FieldError, GoneError, IdempotencyMismatchError, InvalidCommentError
from moderation.domain.ids import CommentId, parse_uuid
from moderation.domain.policy import AuthorRecord, Standing
from moderation.domain.verdict import Scores, State, Verdict
from moderation.intake.authors import combine
from moderation.intake.candidates import SAME_SUBMISSION, Candidate, Outcome
from moderation.storage.database import Connection
from moderation.storage.reasons import reasons_from_json


@dataclass(slots=True)
class Recognised:
    """What became of a group: ``fresh`` ones go on, ``edits`` are known comments with other content; the rest is answered."""

    fresh: list[Candidate]
    edits: list[tuple[Candidate, CommentId]]
    replays: int = 0


_SEEN = """
SELECT 'external' AS kind, NULL::bytea AS key, c.site_id, c.external_id, c.id, c.revision, c.content_hash,
       NULL::text AS standing, NULL::int AS approved, NULL::int AS rejected
  FROM json_to_recordset($1::json->'externals') AS asked (site_id int, external_id text),
       LATERAL (SELECT * FROM comments WHERE site_id = asked.site_id AND external_id = asked.external_id LIMIT 1) c
 UNION ALL
SELECT 'key', key, NULL, NULL, comment_id, revision, content_hash, NULL, NULL, NULL
  FROM recognitions
 WHERE key = ANY(ARRAY(SELECT decode(asked, 'hex') FROM json_array_elements_text($1::json->'keys') AS asked))
   AND expires_at > $2
 UNION ALL
SELECT 'author', identity, NULL, NULL, NULL, NULL, NULL, standing, approved, rejected
  FROM authors
 WHERE identity = ANY(ARRAY(SELECT decode(asked, 'hex') FROM json_array_elements_text($1::json->'identities') AS asked))
"""
"""All that a group asks, as one statement: a round trip costs this process more than the look-ups cost PostgreSQL.

Comments are looked up one by one (`LATERAL`, `LIMIT`): a plain join, planned while the table is young, reads all of it for every
group until PostgreSQL next counts its rows. What is asked travels as one JSON value: PostgreSQL sees the lengths of arrays, thinks a
plan for just these lengths better, and plans the statement anew for every group, which takes longer than to carry it out.
"""

_HEARD = "UPDATE recognitions SET expires_at = $2 WHERE key = ANY($1) AND expires_at > $2"
"""Whoever was told 503 has the first answer now: from then on the same words are recognised as long as any."""

_MAKE_WAY = "DELETE FROM recognitions WHERE key = ANY($1) AND comment_id = ANY($2)"
"""Not of another that was stored under the same key meanwhile: these words are recognised as that one then."""

_Known = tuple[UUID, int, bytes]
"""Comment, revision and content hash of what a key stands for."""


@dataclass(slots=True)
class _Seen:
    by_key: dict[bytes, _Known] = field(default_factory=dict)
    by_external: dict[tuple[int, str], _Known] = field(default_factory=dict)
    authors: dict[bytes, AuthorRecord] = field(default_factory=dict)


async def recognise(connection: Connection, group: Sequence[Candidate], *, now: datetime) -> Recognised:
    """Answer what was seen before, and fill in author records and parents of what was not."""
    found = Recognised([], [])
    seen = await _look_up(connection, group, now=now)
    heard: list[bytes] = []
    for candidate in group:
        keyed = seen.by_key.get(candidate.recognition_key) or seen.by_key.get(candidate.earlier_key or b"")
        if candidate.unheard_key in seen.by_key:
            keyed = keyed or seen.by_key[candidate.unheard_key]
            if candidate.is_open:  # else this caller was told 503, too, and may come once more
                heard.append(candidate.unheard_key)
        external = seen.by_external.get((candidate.site.id, candidate.submission.external_id or ""))
        is_same = candidate.history or (external is not None and external[2] == candidate.content_hash)
        if keyed is None and external is not None and not is_same:
            found.edits.append((candidate, CommentId(external[0])))
            continue
        known = keyed or external
        if known is not None:
            found.replays += await _answer_again(connection, candidate, known)
        if known is None or candidate.is_open:
            candidate.author = combine(candidate.identities, seen.authors)
            found.fresh.append(candidate)
    if heard:
        await connection.execute(_HEARD, heard, now + SAME_SUBMISSION)
    await _fill_in_parents(connection, found.fresh)
    found.fresh = [candidate for candidate in found.fresh if candidate.is_open]
    return found


async def _look_up(connection: Connection, group: Sequence[Candidate], *, now: datetime) -> _Seen:
    rows = await connection.fetch(_SEEN, _asked(group), now)
    seen = _Seen()
    for row in rows:
        if row["kind"] == "author":
            seen.authors[row["key"]] = AuthorRecord(
                Standing(row["standing"]), row["approved"], row["rejected"]
            )
        else:
            known = (row["id"], row["revision"], row["content_hash"])
            if row["kind"] == "key":
                seen.by_key[row["key"]] = known
            else:
                seen.by_external[row["site_id"], row["external_id"]] = known
    return seen


def _asked(group: Sequence[Candidate]) -> dict[str, Any]:
    externals = [
        {"site_id": c.site.id, "external_id": c.submission.external_id}
        for c in group
        if c.submission.external_id is not None
    ]
    keys = [
        key.hex()
        for c in group
        if c.remember_until > c.received_at
        for key in (c.recognition_key, c.earlier_key, c.unheard_key)
        if key
    ]
    identities = {identity.hex() for c in group for identity in c.identities.known()}
    return {"externals": externals, "keys": keys, "identities": list(identities)}


async def _answer_again(connection: Connection, candidate: Candidate, known: _Known) -> bool:
    """Give the first answer again; tell whether that was right. What a site decided long ago never changes a comment.

    Of a comment that was withdrawn, or whose text is gone, there is no answer any more: its site would wait for a decision. Where
    nothing but the words says that it is the same, it is left open, as a new one: somebody took it back and wrote it again.
    """
    comment_id, revision, content = known
    if content != candidate.content_hash and candidate.history is None:
        candidate.fail(IdempotencyMismatchError())
        return False
    outcome, gone_as = await _first_answer(connection, CommentId(comment_id), revision)
    if gone_as is not None and candidate.history is None:
        if candidate.has_id:
            candidate.fail(GoneError("", id=str(comment_id), state=gone_as))
        else:
            candidate.instead_of = CommentId(comment_id)
        return False
    if candidate.history is None and candidate.submission.external_id not in (None, outcome.external_id):
        # The words are the same and the comment is another: its site would wait for events that name this one.
        candidate.fail(IdempotencyMismatchError())
        return False
    candidate.succeed(outcome)
    return True


async def _first_answer(
    connection: Connection, comment_id: CommentId, revision: int
) -> tuple[Outcome, State | None]:
    """Build the answer that was given when ``revision`` was first judged; tell its state, too, where the comment is gone by now."""
    row = await connection.fetchrow(
        "SELECT d.*, c.external_id,"
        " CASE WHEN c.state = 'deleted' OR c.text_removed_at IS NOT NULL THEN c.state END AS gone_as"
        " FROM decisions d JOIN comments c ON c.id = d.comment_id"
        " WHERE d.comment_id = $1 AND d.revision = $2 ORDER BY d.sequence LIMIT 1",
        comment_id,
        revision,
    )
    assert row is not None, "a comment is stored with its first decision"
    outcome = Outcome(
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
    return outcome, None if row["gone_as"] is None else State(row["gone_as"])


async def make_way(connection: Connection, group: Sequence[Candidate]) -> None:
    """Forget what was remembered of withdrawn comments whose words are about to be stored again: one more retry is of the new one."""
    anew = [candidate for candidate in group if candidate.instead_of is not None]
    if anew:
        keys = [
            key for c in anew for key in (c.recognition_key, c.earlier_key, c.unheard_key) if key is not None
        ]
        await connection.execute(_MAKE_WAY, keys, [candidate.instead_of for candidate in anew])


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
