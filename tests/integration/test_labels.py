from dataclasses import replace
from datetime import UTC, datetime, timedelta

from moderation.domain.ids import SiteId
from moderation.domain.label import Label, LabelSource, Targets
from moderation.storage.database import Database
from moderation.storage.labels import keep_labels

LABEL = Label(
    site_id=SiteId(1),
    key=bytes(16),
    source=LabelSource.AKISMET,
    text="قرض فوري بدون كفيل",
    targets=Targets(spam=1, reject=1),
    labelled_at=datetime(2026, 11, 1, tzinfo=UTC),
)


async def kept(database: Database) -> list[tuple[int | None, int | None]]:
    async with database.connection() as connection:
        return [(row["spam"], row["abuse"]) for row in await connection.fetch("SELECT * FROM labels")]


async def test_a_statement_sent_twice_is_kept_once_and_a_later_one_replaces_it(database: Database):
    later = replace(
        LABEL, targets=Targets(spam=0, abuse=0, reject=0), labelled_at=LABEL.labelled_at + timedelta(days=1)
    )
    async with database.connection() as connection:
        await keep_labels(connection, [LABEL])
        await keep_labels(connection, [LABEL, replace(LABEL, site_id=SiteId(2))])
    assert await kept(database) == [(1, None), (1, None)]
    async with database.connection() as connection:
        await keep_labels(connection, [later])
        await keep_labels(connection, [LABEL])
    assert sorted(await kept(database), key=str) == [(0, 0), (1, None)]
