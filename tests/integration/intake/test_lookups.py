"""How PostgreSQL finds what a group asks for: what it costs must not grow with what is stored."""

from moderation.domain.clock import utc_now
from moderation.intake.recognition import _SEEN
from moderation.storage.database import Database

PLAN = """
CREATE FUNCTION pg_temp.plan(asked text) RETURNS SETOF text LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (GENERIC_PLAN) ' || asked; END $$
"""


async def test_no_group_reads_whole_tables_before_postgresql_has_counted_their_rows(
    database: Database,
) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "TRUNCATE comments, recognitions, authors CASCADE"
        )  # as new, whatever a test before counted
        await connection.execute(PLAN)
        plan = [row[0].strip() for row in await connection.fetch("SELECT * FROM pg_temp.plan($1)", _SEEN)]
    assert any("comments_by_external_id" in step for step in plan)
    assert not [step for step in plan if "Seq Scan" in step]


FILL = """
INSERT INTO comments (id, site_id, thread_id, external_id, text, content_hash, state, sequence, origin, created_at, received_at)
SELECT uuidv7(), 1, 't', 'c' || n, 'a text', decode(md5(n::text), 'hex'), 'held', 1, 'native', now(), now()
  FROM generate_series(1, 1000) AS n
"""


async def test_postgresql_plans_the_look_up_once_and_not_for_every_group(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(FILL)
        for size in (1, 1, 2, 3, 8, 20, 1, 2, 5, 64, 1, 1, 9, 1, 1):
            asked = {
                "externals": [{"site_id": 1, "external_id": f"new{n}"} for n in range(size)],
                "keys": [f"{n:032x}" for n in range(size)],
                "identities": [f"{n:032x}" for n in range(3 * size)],
            }
            assert await connection.fetch(_SEEN, asked, utc_now()) == []
        (plans,) = await connection.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1", _SEEN
        )
    assert plans["custom_plans"] == 5, "what PostgreSQL tries before it compares"
    assert plans["generic_plans"] == 10
