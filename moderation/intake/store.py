"""Commit a group of new comments in one statement: all of it or nothing, one round trip, one fsync.

Each row carries a comment, its first decision (which is its first event), and where due its open task, its recognition key
and its place among the undelivered. A unique violation means that another process stored the same submission a moment ago;
the caller recognises it then. Columns travel as arrays through ``unnest``.
"""

from collections.abc import Callable, Sequence
from typing import Any

from moderation.domain.decision import Decider
from moderation.domain.ports import Vault
from moderation.domain.ranks import rank
from moderation.domain.verdict import Scores, Verdict
from moderation.intake.candidates import Candidate
from moderation.storage.database import Connection, json_text
from moderation.storage.reasons import reasons_to_json

OUTSIDE_THE_FEED = 0
"""The position of decisions that a site made itself before it came to us: never told back."""

_NEW_THREADS = """
INSERT INTO threads AS t (site_id, id, url, title)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[])
    ON CONFLICT (site_id, id) DO """
_UPDATE_THREADS = """UPDATE
   SET url = coalesce(excluded.url, t.url), title = coalesce(excluded.title, t.title)
 WHERE (t.url, t.title) IS DISTINCT FROM (coalesce(excluded.url, t.url), coalesce(excluded.title, t.title))
"""

# Name, SQL type, and where the value comes from. The order here is the order of the parameters.
Column = tuple[str, str, Callable[[Candidate, Vault], Any]]

_COMMENT: tuple[Column, ...] = (
    ("id", "uuid", lambda c, _: c.id),
    ("site_id", "int", lambda c, _: c.site.id),
    ("thread_id", "text", lambda c, _: c.submission.thread.id),
    ("external_id", "text", lambda c, _: c.submission.external_id),
    ("parent_id", "uuid", lambda c, _: c.parent_id),
    ("author_name", "text", lambda c, _: c.submission.author.name),
    ("author_url", "text", lambda c, _: c.submission.author.url),
    ("author_external_id", "text", lambda c, _: c.submission.author.external_id),
    ("identity", "bytea", lambda c, _: c.identities.author),
    ("email_sealed", "bytea", lambda c, vault: _sealed(vault, c.submission.author.email, "email")),
    ("email_hash", "bytea", lambda c, _: c.identities.email),
    ("address_sealed", "bytea", lambda c, vault: _sealed(vault, c.submission.author.address, "address")),
    ("user_agent", "text", lambda c, _: c.submission.author.user_agent),
    ("text", "text", lambda c, _: c.submission.text),
    ("language", "text", lambda c, _: c.assessment.language if c.assessment else None),
    ("context", "jsonb", lambda c, _: json_text(c.submission.context) if c.submission.context else None),
    ("content_hash", "bytea", lambda c, _: c.content_hash),
    ("state", "text", lambda c, _: _ruling(c).verdict.state.value),
    ("origin", "text", lambda c, _: c.submission.origin),
    ("created_at", "timestamptz", lambda c, _: c.submission.created_at or c.received_at),
    ("received_at", "timestamptz", lambda c, _: c.received_at),
)
_DECISION: tuple[Column, ...] = (
    ("verdict", "text", lambda c, _: _ruling(c).verdict.value),
    ("reasons", "jsonb", lambda c, _: json_text(reasons_to_json(_ruling(c).reasons))),
    ("scores", "real[]", lambda c, _: scores_text(c.assessment.scores if c.assessment else None)),
    ("model", "text", lambda c, _: c.assessment.model if c.assessment else None),
    ("policy", "int", lambda c, _: None if c.history else c.site.policy.version),
    ("decided_by", "text", lambda c, _: (Decider.SITE if c.history else Decider.SERVICE).value),
    ("decided_at", "timestamptz", lambda c, _: c.history.decided_at if c.history else c.received_at),
    ("actor", "text", lambda c, _: c.history.actor if c.history else None),
    ("position", "bigint", lambda c, _: OUTSIDE_THE_FEED if c.history else None),
)
_TASK: tuple[Column, ...] = (
    ("comment_id", "uuid", lambda c, _: c.id),
    ("site_id", "int", lambda c, _: c.site.id),
    ("kind", "text", lambda c, _: task_kind(c)),
    ("thread_id", "text", lambda c, _: c.submission.thread.id),
    ("language", "text", lambda c, _: c.assessment.language if c.assessment else None),
    ("reasons", "text[]", lambda c, _: "{" + ",".join(r.code.value for r in _ruling(c).reasons) + "}"),
)
_AS_TEXT = {"jsonb", "real[]", "text[]"}
"""Types that cannot be elements of an array parameter without ado; they travel as text and are cast."""


def _parameters(columns: Sequence[Column], start: int) -> str:
    casts = (
        f"${start + i}::{'text' if kind in _AS_TEXT else kind}[]" for i, (_, kind, _) in enumerate(columns)
    )
    return ", ".join(casts)


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(name for name, _, _ in columns)


def _values(columns: Sequence[Column]) -> str:
    return ", ".join(f"{name}::{kind}" if kind in _AS_TEXT else name for name, kind, _ in columns)


_FIRST_TASK = 1 + len(_COMMENT) + len(_DECISION)
_RANKS = _FIRST_TASK + len(_TASK)
_KEYS = _RANKS + 3
_DUE = _KEYS + 4

STORE = f"""
WITH input AS MATERIALIZED (
    SELECT * FROM unnest({_parameters(_COMMENT + _DECISION, 1)})
        AS given ({_names(_COMMENT + _DECISION)})
), new_comments AS (
    INSERT INTO comments ({_names(_COMMENT)}, sequence)
    SELECT {_values(_COMMENT)}, 1 FROM input
), new_decisions AS (
    INSERT INTO decisions (comment_id, sequence, site_id, revision, state, {_names(_DECISION)}, origin)
    SELECT id, 1, site_id, 1, state, {_values(_DECISION)}, origin FROM input
), new_tasks AS (
    INSERT INTO tasks ({_names(_TASK)}, revision, rank, abuse_rank, uncertain_rank)
    SELECT {_values(_TASK)}, 1, rank, abuse_rank, uncertain_rank
      FROM unnest({_parameters(_TASK, _FIRST_TASK)}, ${_RANKS}::bigint[], ${_RANKS + 1}::bigint[], ${_RANKS + 2}::bigint[])
        AS given ({_names(_TASK)}, rank, abuse_rank, uncertain_rank)
), new_keys AS (
    INSERT INTO recognitions (key, comment_id, revision, content_hash, expires_at)
    SELECT key, comment_id, 1, content_hash, expires_at
      FROM unnest(${_KEYS}::bytea[], ${_KEYS + 1}::uuid[], ${_KEYS + 2}::bytea[], ${_KEYS + 3}::timestamptz[])
        AS given (key, comment_id, content_hash, expires_at)
)
INSERT INTO deliveries (comment_id, site_id, next_sequence, next_attempt_at, first_due_at)
SELECT comment_id, site_id, 1, due, due
  FROM unnest(${_DUE}::uuid[], ${_DUE + 1}::int[], ${_DUE + 2}::timestamptz[]) AS given (comment_id, site_id, due)
"""  # noqa: S608 - put together from the constants above; every value is a parameter


async def store_group(connection: Connection, group: Sequence[Candidate], vault: Vault) -> None:
    """Commit the group. Raises `asyncpg.UniqueViolationError` when one of it is already there, and driver errors as they are."""
    with_task = [c for c in group if task_kind(c) is not None]
    ranks = [_ranks(c) for c in with_task]
    with_key = [c for c in group if c.remember_until > c.received_at]
    due = [c for c in group if c.site.webhook_url is not None and c.history is None]
    await connection.execute(
        STORE,
        *([read(c, vault) for c in group] for _, _, read in _COMMENT + _DECISION),
        *([read(c, vault) for c in with_task] for _, _, read in _TASK),
        [r.oldest for r in ranks],
        [r.abuse for r in ranks],
        [r.uncertain for r in ranks],
        [c.recognition_key for c in with_key],
        [c.id for c in with_key],
        [c.content_hash for c in with_key],
        [c.remember_until for c in with_key],
        [c.id for c in due],
        [c.site.id for c in due],
        [c.received_at for c in due],
    )


async def store_threads(
    connection: Connection, threads: dict[tuple[int, str], tuple[str | None, str | None]], *, is_update: bool
) -> None:
    """Remember articles; with ``is_update`` also a new address or title of known ones.

    In the order of their keys, so that two processes cannot deadlock.
    """
    rows = sorted(threads.items())
    await connection.execute(
        _NEW_THREADS + (_UPDATE_THREADS if is_update else "NOTHING"),
        [site_id for (site_id, _), _ in rows],
        [thread_id for (_, thread_id), _ in rows],
        [url for _, (url, _) in rows],
        [title for _, (_, title) in rows],
    )


def task_kind(candidate: Candidate) -> str | None:
    """Return the kind of review task the comment opens, if any."""
    if _ruling(candidate).verdict is Verdict.HOLD:
        return "held"
    return "audit" if candidate.is_audited else None


def scores_text(scores: Scores | None) -> str | None:
    """Write scores as a PostgreSQL array literal."""
    if scores is None:
        return None
    return "{" + ",".join("NULL" if value is None else repr(float(value)) for value in scores.as_list()) + "}"


def _ruling(candidate: Candidate) -> Any:
    assert candidate.ruling is not None, "stored only after it was decided"
    return candidate.ruling


def _ranks(candidate: Candidate) -> Any:
    scores = candidate.assessment.scores if candidate.assessment else Scores()
    return rank(candidate.received_at, abuse=scores.abuse, spam=scores.spam)


def _sealed(vault: Vault, value: str | None, purpose: str) -> bytes | None:
    return None if value is None else vault.seal(value, purpose)
