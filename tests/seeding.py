"""Sites, people and comments put straight into a database, for tests that do not care how they came there."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from moderation.domain.ids import CommentId, ModeratorId, SiteId, new_uuid
from moderation.domain.ranks import rank
from moderation.domain.site import Person, Role
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Reason, ReasonCode, Scores, State, Verdict
from moderation.review.reviewer import Reviewer
from moderation.storage.database import Database
from moderation.storage.reasons import reasons_to_json

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
_VERDICTS = {State.APPROVED: Verdict.APPROVE, State.HELD: Verdict.HOLD, State.REJECTED: Verdict.REJECT}


class SteppedClock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = START + timedelta(hours=1)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


async def add_site(
    database: Database, name: str = "paper", *, webhook_url: str | None = None, language: str = "ar"
) -> SiteId:
    """Add a site with a policy of defaults."""
    async with database.transaction() as connection:
        site_id = await connection.fetchval(
            "INSERT INTO sites (name, title, url, language, webhook_url) VALUES ($1, $1, $2, $3, $4) RETURNING id",
            name,
            f"https://{name}.example",
            language,
            webhook_url,
        )
        await connection.execute(
            "INSERT INTO policies (site_id, version, policy, created_by) VALUES ($1, 1, $2, 'test')",
            site_id,
            {},
        )
    return SiteId(site_id)


async def add_site_key(database: Database, site_id: SiteId, *, dialect: str = "native") -> str:
    """Add a key of the site and return it."""
    token = "mds_" + secrets.token_urlsafe(32)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO site_keys (id, site_id, dialect, token_hash) VALUES ($1, $2, $3, $4)",
            new_uuid(),
            site_id,
            dialect,
            hashlib.sha256(token.encode()).digest(),
        )
    return token


async def add_moderator(database: Database, roles: Mapping[SiteId, Role]) -> tuple[Person, str]:
    """Add a person with ``roles``; return them with a token."""
    person = Person(ModeratorId(new_uuid()), dict(roles))
    token = "mdu_" + secrets.token_urlsafe(32)
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO moderators (id) VALUES ($1)", person.id)
        await connection.executemany(
            "INSERT INTO moderator_roles (moderator_id, site_id, role) VALUES ($1, $2, $3)",
            [(person.id, site_id, role.value) for site_id, role in roles.items()],
        )
        await connection.execute(
            "INSERT INTO moderator_tokens (id, moderator_id, token_hash) VALUES ($1, $2, $3)",
            new_uuid(),
            person.id,
            hashlib.sha256(token.encode()).digest(),
        )
    return person, token


async def reviewer(database: Database, site_id: SiteId, role: Role = Role.MODERATOR) -> Reviewer:
    """Add a person with a role on one site, who reviews."""
    person, _ = await add_moderator(database, {site_id: role})
    return Reviewer.person(person)


async def fetch(database: Database, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(sql, *parameters)]


CALM = Scores(spam=0.1, abuse=0.2)


@dataclass(frozen=True, slots=True)
class Seed:
    """A comment as the service judged it; ``task`` is left out for one that nobody need look at."""

    text: str = "تعليق هادئ على المقال"
    state: State = State.HELD
    reasons: tuple[ReasonCode, ...] = (ReasonCode.PREMODERATION,)
    scores: Scores | None = CALM
    task: TaskKind | None = TaskKind.HELD
    thread: str = "article-1"
    language: str | None = "ar"
    received_at: datetime = START
    identity: bytes | None = None
    external_id: str | None = None


async def add_comment(database: Database, site_id: SiteId, seed: Seed | None = None) -> CommentId:
    """Store one comment with its first decision and its task."""
    return (await add_comments(database, site_id, [seed or Seed()]))[0]


async def add_comments(database: Database, site_id: SiteId, seeds: Sequence[Seed]) -> list[CommentId]:
    """Store comments in one transaction; return their ids in order."""
    ids = [CommentId(new_uuid()) for _ in seeds]
    seeded = list(zip(ids, seeds, strict=True))
    async with database.transaction() as connection:
        await connection.executemany(
            "INSERT INTO threads (site_id, id, url, title) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            [
                (site_id, thread, f"https://news.example/{thread}", "عنوان المقال")
                for thread in {s.thread for s in seeds}
            ],
        )
        await connection.executemany(
            "INSERT INTO comments (id, site_id, thread_id, external_id, author_name, author_url, identity, text, language,"
            " content_hash, state, sequence, origin, created_at, received_at)"
            " VALUES ($1, $2, $3, $4, 'ليلى', 'https://layla.example', $5, $6, $7, $8, $9, 1, 'native', $10, $10)",
            [
                (
                    i,
                    site_id,
                    s.thread,
                    s.external_id,
                    s.identity,
                    s.text,
                    s.language,
                    bytes(16),
                    s.state,
                    s.received_at,
                )
                for i, s in seeded
            ],
        )
        await connection.executemany(
            "INSERT INTO decisions (comment_id, sequence, site_id, revision, state, verdict, reasons, scores, model, policy,"
            " decided_by, origin, decided_at) VALUES ($1, 1, $2, 1, $3, $4, $5, $6, 'model-1', 1, 'service', 'native', $7)",
            [
                (
                    i,
                    site_id,
                    s.state,
                    _VERDICTS[s.state],
                    reasons_to_json(Reason(code) for code in s.reasons),
                    s.scores.as_list() if s.scores else None,
                    s.received_at,
                )
                for i, s in seeded
            ],
        )
        await connection.executemany(
            "INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, language, reasons,"
            " rank, abuse_rank, uncertain_rank) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9)",
            [
                (i, site_id, s.task, s.thread, s.language, list(s.reasons), *_ranks(s))
                for i, s in seeded
                if s.task
            ],
        )
    return ids


async def add_tasks(database: Database, site_id: SiteId, count: int) -> None:
    """Add ``count`` bare held tasks at once, without comments, in every order well mixed; for tests of size."""
    async with database.connection() as connection:
        await connection.execute(
            """
            INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, language, reasons,
                               rank, abuse_rank, uncertain_rank)
            SELECT gen_random_uuid(), $1, 'held', 1, 'article-' || n % 50, 'ar', '{premoderation}',
                   n, hashint8(n) & 32767, hashint8(n + 1) & 32767
              FROM generate_series(1, $2::bigint) AS n
            """,
            site_id,
            count,
            timeout=120,
        )
        await connection.execute("ANALYZE tasks")


async def edit_comment(
    database: Database, comment_id: CommentId, text: str, *, now: datetime = START
) -> None:
    """Give the comment a new text, held once more, as an edit by its site does."""
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO revisions (comment_id, revision, text, author_name, author_url, replaced_at)"
            " SELECT id, revision, text, author_name, author_url, $2 FROM comments WHERE id = $1",
            comment_id,
            now,
        )
        await connection.execute(
            "UPDATE comments SET text = $2, revision = revision + 1, sequence = sequence + 1, state = 'held' WHERE id = $1",
            comment_id,
            text,
        )
        await connection.execute(
            "INSERT INTO decisions (comment_id, sequence, site_id, revision, state, verdict, reasons, decided_by, origin,"
            " decided_at) SELECT id, sequence, site_id, revision, state, 'hold', $2, 'service', 'native', $3"
            " FROM comments WHERE id = $1",
            comment_id,
            [{"code": "premoderation"}],
            now,
        )
        await connection.execute(
            "INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, language, reasons, rank, abuse_rank,"
            " uncertain_rank) SELECT id, site_id, 'held', revision, thread_id, language, '{premoderation}', 1, 1, 1"
            " FROM comments WHERE id = $1 ON CONFLICT (comment_id) DO UPDATE SET revision = excluded.revision",
            comment_id,
        )


async def open_task(database: Database, comment_id: UUID) -> TaskKind | None:
    """Return the kind of the comment's open task."""
    async with database.connection() as connection:
        kind = await connection.fetchval("SELECT kind FROM tasks WHERE comment_id = $1", comment_id)
    return None if kind is None else TaskKind(kind)


def _ranks(seed: Seed) -> tuple[int, int, int]:
    scores = seed.scores or Scores()
    ranks = rank(seed.received_at, abuse=scores.abuse, spam=scores.spam)
    return ranks.oldest, ranks.abuse, ranks.uncertain
