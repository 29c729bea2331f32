"""Commit a group of new comments in one statement: all of it or nothing, one round trip, one fsync.

Each row carries a comment, its first decision (which is its first event), and where due its open task, its recognition key,
an Akismet client's receipt, by what Coral's word will find it, and its place among the undelivered. A unique violation means
that another process stored the same submission a moment ago; the caller recognises it then. The group travels as one JSON
parameter: encoding thirty arrays element by element cost this process more than all the rest of the store.
"""

from collections.abc import Sequence
from typing import Any

from moderation.domain.comment import Receipt
from moderation.domain.decision import Decider
from moderation.domain.policy import Ruling
from moderation.domain.ports import Vault
from moderation.domain.ranks import rank
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Scores, Verdict
from moderation.intake.candidates import Candidate
from moderation.storage.database import Connection
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

# What travels, and as what type; the names are those of the columns where there is one.
_GIVEN = """
    id uuid, site_id int, thread_id text, external_id text, parent_id uuid, author_name text, author_url text,
    author_external_id text, identity text, email_sealed text, email_hash text, address_sealed text, user_agent text,
    text text, language text, context jsonb, content_hash text, state text, origin text, created_at timestamptz,
    received_at timestamptz, verdict text, reasons jsonb, scores real[], model text, policy int, decided_by text,
    decided_at timestamptz, actor text, position bigint, kind text, codes text[], rank bigint, abuse_rank bigint,
    uncertain_rank bigint, key text, earlier_key text, expires_at timestamptz, is_due boolean, guid uuid, key_id uuid, match_key text,
    callback text, name text, unconfirmed_until timestamptz, coral_author text, coral_text text
"""

STORE = f"""
WITH input AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS given ({_GIVEN})
), new_comments AS (
    INSERT INTO comments (id, site_id, thread_id, external_id, parent_id, author_name, author_url, author_external_id,
                          identity, email_sealed, email_hash, address_sealed, user_agent, text, language, context,
                          content_hash, state, sequence, origin, created_at, received_at)
    SELECT id, site_id, thread_id, external_id, parent_id, author_name, author_url, author_external_id,
           decode(identity, 'hex'), decode(email_sealed, 'hex'), decode(email_hash, 'hex'), decode(address_sealed, 'hex'),
           user_agent, text, language, context, decode(content_hash, 'hex'), state, 1, origin, created_at, received_at
      FROM input
), new_decisions AS (
    INSERT INTO decisions (comment_id, sequence, site_id, revision, state, verdict, reasons, scores, model, policy,
                           decided_by, actor, origin, decided_at, position)
    SELECT id, 1, site_id, 1, state, verdict, reasons, scores, model, policy, decided_by, actor, origin, decided_at, position
      FROM input
), new_tasks AS (
    INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, language, reasons, rank, abuse_rank, uncertain_rank)
    SELECT id, site_id, kind, 1, thread_id, language, codes, rank, abuse_rank, uncertain_rank
      FROM input WHERE kind IS NOT NULL
), new_keys AS (
    INSERT INTO recognitions (key, comment_id, revision, content_hash, expires_at)
    SELECT decode(own.key, 'hex'), id, 1, decode(content_hash, 'hex'), expires_at
      FROM input, LATERAL (VALUES (input.key), (input.earlier_key)) AS own (key)
     WHERE own.key IS NOT NULL ORDER BY own.key
), new_checks AS (
    INSERT INTO akismet_checks (guid, comment_id, site_id, key_id, match_key, callback, name, checked_at, unconfirmed_until)
    SELECT guid, id, site_id, key_id, decode(match_key, 'hex'), callback, name, received_at, unconfirmed_until
      FROM input WHERE guid IS NOT NULL
), new_coral_comments AS (
    INSERT INTO coral_comments (comment_id, site_id, author_key, text_key, seen_at)
    SELECT id, site_id, decode(coral_author, 'hex'), decode(coral_text, 'hex'), received_at
      FROM input WHERE coral_author IS NOT NULL
)
INSERT INTO deliveries (comment_id, site_id, next_sequence, next_attempt_at, first_due_at)
SELECT id, site_id, 1, received_at, received_at FROM input WHERE is_due
"""  # noqa: S608 - put together from the constant above; every value is in the parameter


async def store_group(connection: Connection, group: Sequence[Candidate], vault: Vault) -> None:
    """Commit the group. Raises `asyncpg.UniqueViolationError` when one of it is already there, and driver errors as they are.

    In the order of what must be unique, so that two processes given the same submissions wait for each other in turn.
    """
    rows = [_row(candidate, vault) for candidate in sorted(group, key=_unique)]
    await connection.execute(STORE, rows)


def _unique(candidate: Candidate) -> tuple[int, str, bytes]:
    return int(candidate.site.id), candidate.submission.external_id or "", candidate.recognition_key


def _row(candidate: Candidate, vault: Vault) -> dict[str, Any]:
    """Return what of a candidate is not null: columns left out are null."""
    row = _comment(candidate, vault)
    _add_decision(row, candidate)
    _add_task(row, candidate)
    if candidate.remember_until > candidate.received_at:
        row["key"], row["expires_at"] = candidate.recognition_key.hex(), candidate.remember_until
        if (
            candidate.earlier_key is not None
        ):  # so that the same one, sent to two processes as the minute ends, conflicts
            row["earlier_key"] = candidate.earlier_key.hex()
    if candidate.site.webhook_url is not None and candidate.history is None:
        row["is_due"] = True
    if candidate.submission.receipt is not None:
        row |= _check(candidate.submission.receipt)
    keys = candidate.submission.coral_keys
    if keys is not None:
        row["coral_author"], row["coral_text"] = keys.author.hex(), keys.text.hex()
    return row


def _check(receipt: Receipt) -> dict[str, Any]:
    return {
        "guid": receipt.guid,
        "key_id": receipt.key_id,
        "match_key": receipt.match_key.hex(),
        "callback": receipt.callback,
        "name": receipt.name,
        "unconfirmed_until": receipt.unconfirmed_until,
    }


def _comment(candidate: Candidate, vault: Vault) -> dict[str, Any]:
    submission, identities = candidate.submission, candidate.identities
    author, email = submission.author, submission.author.email
    return {
        "id": candidate.id,
        "site_id": candidate.site.id,
        "thread_id": submission.thread.id,
        "external_id": submission.external_id,
        "parent_id": None if candidate.parent_id is None else str(candidate.parent_id),
        "author_name": author.name,
        "author_url": author.url,
        "author_external_id": author.external_id,
        "identity": _hex(identities.author),
        "email_sealed": None if email is None else vault.seal(email, "email").hex(),
        "email_hash": _hex(identities.email),
        "address_sealed": None if author.address is None else vault.seal(author.address, "address").hex(),
        "user_agent": author.user_agent,
        "text": submission.text,
        "language": candidate.assessment.language if candidate.assessment else None,
        "context": submission.context or None,
        "content_hash": candidate.content_hash.hex(),
        "origin": submission.origin,
        "created_at": submission.created_at or candidate.received_at,
        "received_at": candidate.received_at,
    }


def _add_decision(row: dict[str, Any], candidate: Candidate) -> None:
    ruling, assessed, history = _ruling(candidate), candidate.assessment, candidate.history
    row["state"], row["verdict"] = ruling.verdict.state, ruling.verdict
    row["reasons"] = reasons_to_json(ruling.reasons)
    if assessed is not None:
        row["scores"], row["model"] = assessed.scores.as_list(), assessed.model
    if history is None:
        row["decided_by"], row["decided_at"] = Decider.SERVICE, candidate.received_at
        row["policy"] = candidate.site.policy.version
    else:
        row["decided_by"], row["decided_at"] = Decider.SITE, history.decided_at
        row["actor"], row["position"] = history.actor, OUTSIDE_THE_FEED


def _add_task(row: dict[str, Any], candidate: Candidate) -> None:
    kind = task_kind(candidate)
    if kind is None:
        return
    scores, codes = Scores(), []
    if kind is not TaskKind.AUDIT:  # its place in the queue, and what finds it, would say what it must not
        scores = candidate.assessment.scores if candidate.assessment else scores
        codes = [reason.code for reason in _ruling(candidate).reasons]
    ranks = rank(candidate.received_at, abuse=scores.abuse, spam=scores.spam)
    row["kind"], row["codes"] = kind, codes
    row["rank"], row["abuse_rank"], row["uncertain_rank"] = ranks.oldest, ranks.abuse, ranks.uncertain


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


def task_kind(candidate: Candidate) -> TaskKind | None:
    """Return the kind of review task the comment opens, if any."""
    if _ruling(candidate).verdict is Verdict.HOLD:
        return TaskKind.HELD
    return TaskKind.AUDIT if candidate.is_audited else None


def _ruling(candidate: Candidate) -> Ruling:
    assert candidate.ruling is not None, "stored only after it was decided"
    return candidate.ruling


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
