"""How PostgreSQL finds what a group asks for: what it costs must not grow with what is stored."""

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
        await connection.execute(PLAN)
        plan = [row[0].strip() for row in await connection.fetch("SELECT * FROM pg_temp.plan($1)", _SEEN)]
    assert any("comments_by_external_id" in step for step in plan)
    assert not [step for step in plan if "Seq Scan" in step]
