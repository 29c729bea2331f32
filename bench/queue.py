"""List, claim and decide with few held comments and with very many, on the real statements and indexes."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.sizes import Sizes
from moderation.domain.clock import utc_now
from moderation.domain.ids import ModeratorId, SiteId, new_uuid
from moderation.domain.site import Person, Role
from moderation.domain.task import QueueOrder, TaskKind
from moderation.domain.verdict import Verdict
from moderation.engines import EmbeddedEngines
from moderation.review.desk import ReviewDesk
from moderation.review.queue import Entry, Selection
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Ruling, Target
from moderation.storage.database import Database, connect
from moderation.storage.migrate import migrate

FILL_TIMEOUT_S = 900.0
_FILL = (
    """
INSERT INTO comments (id, site_id, thread_id, external_id, author_name, text, language, content_hash, state, sequence,
                      origin, created_at, received_at)
SELECT uuidv7(make_interval(secs => n / 1000.0 - 86400 * 30)), $1, 't' || n % 997, 'h' || n, 'reader ' || n,
       'A held comment of usual length, number ' || n || ', that waits for a person to read and decide it.', 'en',
       decode(md5(n::text), 'hex'), 'held', 1, 'native', now(), now()
  FROM generate_series(1, $2::bigint) AS n
""",
    """
INSERT INTO decisions (comment_id, sequence, site_id, revision, state, verdict, reasons, scores, model, policy, decided_by,
                       origin, decided_at, position)
SELECT id, 1, site_id, 1, 'held', 'hold', '[{"code": "premoderation"}]', '{0.1,0.2,null,null,null,null,null}', 'bench', 1,
       'service', 'native', now(), 0
  FROM comments WHERE site_id = $1
""",
    """
INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, language, reasons, rank, abuse_rank, uncertain_rank)
SELECT id, site_id, 'held', 1, thread_id, 'en', '{premoderation}', row_number() OVER (ORDER BY id),
       hashint8(hashtext(external_id)) & 2147483647, hashint8(hashtext(external_id) + 1) & 2147483647
  FROM comments WHERE site_id = $1
""",
)


def measure(sizes: Sizes) -> None:
    """Print the median times at both sizes, and their ratios."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        asyncio.run(_measure(sizes, Path(folder) / "data"))


async def _measure(sizes: Sizes, data_dir: Path) -> None:
    engines = EmbeddedEngines(data_dir, valkey=False)
    addresses = await engines.start()
    try:
        connection = await connect(addresses.database_url)
        await migrate(connection)
        await connection.close()
        few = await _at(addresses.database_url, "few", sizes.few_held, sizes.tries)
        many = await _at(addresses.database_url, "many", sizes.held, sizes.tries)
    finally:
        await engines.stop()
    for name, few_ms in few.items():
        print(
            f"{name:>16}: {few_ms:6.2f} ms at {sizes.few_held}, {many[name]:6.2f} ms at {sizes.held}:"
            f" {many[name] / few_ms:.2f} times"
        )


async def _at(url: str, name: str, count: int, tries: int) -> dict[str, float]:
    site_id = await _fill(url, name, count)
    database = Database(url)
    try:
        return await _times(ReviewDesk(database, clock=utc_now), site_id, tries)
    finally:
        await database.close()


async def _fill(url: str, name: str, count: int) -> SiteId:
    connection = await connect(url, command_timeout_s=FILL_TIMEOUT_S)
    site_id = await connection.fetchval(
        "INSERT INTO sites (name, title, url) VALUES ($1, $1, 'https://news.example') RETURNING id", name
    )
    await connection.execute(_FILL[0], site_id, count)
    for statement in _FILL[1:]:
        await connection.execute(statement, site_id)
    await connection.execute("VACUUM ANALYZE comments, decisions, tasks")
    await connection.close()
    return SiteId(site_id)


async def _times(desk: ReviewDesk, site_id: SiteId, tries: int) -> dict[str, float]:
    person = Person(ModeratorId(new_uuid()), {site_id: Role.ADMIN})
    reviewer, kinds = Reviewer.person(person), frozenset(TaskKind)
    found: dict[str, float] = {}
    for order in QueueOrder:
        page = partial(desk.queue.page, Selection(site_id, kinds, order), limit=20)
        found[f"list, {order.value}"] = await _median(tries, page)
    selection = Selection(site_id, kinds)
    claimed: list[Sequence[Entry]] = []

    async def claim() -> None:
        claimed.append(await desk.claims.claim(person.id, selection, limit=5))

    found["claim of 5"] = await _median(tries, claim)
    waiting = iter([entry.comment for entries in claimed for entry in entries])

    async def decide() -> None:
        comment = next(waiting)
        await desk.decisions.decide(reviewer, Target(comment.id, comment.revision), Ruling(Verdict.APPROVE))

    found["decide"] = await _median(tries, decide)
    return found


async def _median(tries: int, ask: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(tries):
        started = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - started) * 1000)
    return median(times)
