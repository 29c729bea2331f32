"""Every column of every table is accounted for: whose data it is, and what an erasure and a rotation do to it.

A new column fails the first test here until somebody has said what it holds; one that holds something of a reader must then
be planted below, and gone after an erasure.
"""

import secrets
from typing import Any

import asyncpg

from moderation.domain.clock import utc_now
from moderation.privacy import rotation
from moderation.privacy.erasure import erase
from moderation.storage.administration.sites import SECRET_COLUMNS
from moderation.storage.database import connect
from tests.integration.privacy.planting import Planted, plant, planted
from tests.service import RunningService

READER = {
    "akismet_checks": "match_key name",
    "authors": "identity standing approved rejected",
    "comments": "author_name author_url author_external_id identity email_sealed email_hash address_sealed user_agent"
    " text language context content_hash",
    "coral_comments": "author_key text_key coral_id",
    "decisions": "note",
    "labels": "identity email_hash text language actor",
    "recognitions": "key content_hash",
    "removed_texts": "text_hash",
    "revisions": "text author_name author_url",
    "search_entries": "identity words",
    "tasks": "language",
}
"""What a reader wrote, or is known by: gone after an erasure."""
SEALED = {
    "comments": "email_sealed address_sealed",
    "moderators": "email_sealed second_factor_sealed",
    "site_keys": "sealed",
    "sites": "webhook_secrets inbound_secrets",
}
"""Encrypted under the secret keys: brought along by a rotation."""
STAFF = {
    "audit": "actor",
    "decisions": "actor",
    "labels": "actor",
    "model_changes": "actor",
    "models": "created_by",
    "moderator_roles": "moderator_id role",
    "moderator_tokens": "moderator_id",
    "moderators": "email email_hash name password invitation_hash",
    "policies": "created_by",
    "recovery_codes": "moderator_id code_hash",
    "sessions": "token_hash moderator_id device",
    "tasks": "claimed_by",
}
"""Who of the staff did or may do something."""
NOBODYS = {
    "akismet_checks": "guid comment_id site_id key_id callback checked_at unconfirmed_until due_at attempts",
    "akismet_usage": "site_id day blog key_id spam ham missed_spam false_positives",
    "active_models": "site_id version since",
    "audit": "id at site_id action subject details",
    "authors": "site_id decided_at",
    "comments": "id site_id thread_id external_id parent_id revision state sequence origin created_at received_at"
    " text_removed_at",
    "coral_comments": "comment_id site_id seen_at",
    "dead_letters": "comment_id sequence site_id outcome died_at",
    "decisions": "comment_id sequence site_id revision state verdict reasons scores model policy decided_by undoes task origin"
    " decided_at position",
    "deliveries": "comment_id site_id next_sequence attempts next_attempt_at first_due_at",
    "delivery_attempts": "id comment_id site_id sequence attempted_at outcome status duration_ms",
    "feed_days": "day first_position",
    "instance": "plain_addresses_until only_row key_fingerprint config_version",
    "labels": "site_id key comment_id source spam abuse insult obscene threat hate reject weight labelled_at",
    "model_changes": "id at site_id action version previous reason had_own",
    "model_files": "version path sha256 content",
    "models": "version site_id kind manifest report refusals snapshot learned_from seen_until baseline created_at",
    "moderator_tokens": "id token_hash created_at revoked_at",
    "moderator_roles": "site_id",
    "moderators": "id created_at disabled_at invited_until second_factor_since second_factor_step",
    "policies": "site_id version policy created_at",
    "recognitions": "comment_id revision expires_at",
    "removed_texts": "comment_id revision",
    "retention_progress": "site_id clock place",
    "revisions": "comment_id revision replaced_at",
    "schema_versions": "version applied_at",
    "search_entries": "site_id comment_id thread_id revision",
    "search_progress": "only_row place edits_at",
    "sessions": "began_at seen_at",
    "site_keys": "id site_id dialect token_hash created_at revoked_at",
    "sites": "id name title url language webhook_url settings created_at removed_at",
    "tasks": "comment_id site_id kind revision thread_id reasons rank abuse_rank uncertain_rank rescored claim_id"
    " claim_expires_at",
    "threads": "site_id id url title",
}
"""Ids, codes, times, and what sites and operators configure."""

OWNED = {
    "authors": "identity = (SELECT identity FROM comments WHERE id = ANY($1::uuid[]) AND identity IS NOT NULL LIMIT 1)"
    " OR identity = $2::bytea",
    "comments": "id = ANY($1::uuid[]) AND $2::bytea IS NOT NULL",
    "labels": "(comment_id = ANY($1::uuid[]) OR email_hash = $2::bytea)",
}
"""Which rows are the person's, where that is not said by `comment_id`."""
BY_COMMENT = "comment_id = ANY($1::uuid[]) AND $2::bytea IS NOT NULL"


def pairs(table_columns: dict[str, str]) -> set[tuple[str, str]]:
    return {(table, column) for table, columns in table_columns.items() for column in columns.split()}


async def test_every_column_is_accounted_for(service: RunningService) -> None:
    async with service.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        )
    there = {(row["table_name"], row["column_name"]) for row in rows}
    said = pairs(READER) | pairs(SEALED) | pairs(STAFF) | pairs(NOBODYS)
    assert there - said == set(), "say in this module whose data these columns hold, and erase a reader's"
    assert said - there == set(), "these columns are no more"
    assert not pairs(NOBODYS) & (pairs(READER) | pairs(SEALED) | pairs(STAFF))


def test_a_rotation_brings_every_sealed_column_along() -> None:
    rotated = {(table.name, column) for table in rotation._TABLES for column in table.columns}
    rotated |= {("sites", column) for column in SECRET_COLUMNS.values()}
    assert rotated == pairs(SEALED)


async def plant_the_rest(connection: Any, service: RunningService, person: Planted, ids: list[str]) -> bytes:
    """Put a row of the person where no request of the plain kind leaves one; return the hash of their e-mail."""
    hashed: bytes = await connection.fetchval("SELECT email_hash FROM comments WHERE id = $1", ids[0])
    await connection.execute(
        "INSERT INTO coral_comments VALUES ($1, $2, $3, $4, $5, now())",
        ids[0],
        service.site.id,
        secrets.token_bytes(16),
        secrets.token_bytes(16),
        person.word("coral"),
    )
    await connection.execute(
        "INSERT INTO akismet_checks (guid, comment_id, site_id, key_id, match_key, name, checked_at)"
        " VALUES (gen_random_uuid(), $1, $2, gen_random_uuid(), $3, $4, now())",
        ids[0],
        service.site.id,
        secrets.token_bytes(16),
        person.word("akismet"),
    )
    await connection.execute(
        "INSERT INTO search_entries VALUES ($1, $2, '12', $3, 1, array_to_tsvector(ARRAY[$4::text]))"
        " ON CONFLICT (site_id, comment_id) DO UPDATE SET words = excluded.words, identity = excluded.identity",
        service.site.id,
        ids[0],
        hashed,
        person.word("found"),
    )
    await connection.execute("INSERT INTO removed_texts VALUES ($1, 9, $2)", ids[0], secrets.token_bytes(16))
    await connection.execute(
        "UPDATE labels SET identity = $2, language = 'ar', actor = 'x' WHERE email_hash = $1",
        hashed,
        b"i" * 16,
    )
    await connection.execute(
        "INSERT INTO authors (identity, site_id, standing, approved, rejected) VALUES ($1, $2, 'trusted', 1, 1)"
        " ON CONFLICT (identity) DO UPDATE SET standing = 'trusted'",
        hashed,
        service.site.id,
    )
    return hashed


async def filled(connection: Any, ids: list[str], hashed: bytes) -> set[tuple[str, str]]:
    """Return those columns of a reader's that say anything in a row of this person."""
    found = set()
    for table, column in sorted(pairs(READER)):
        owned = OWNED.get(table, BY_COMMENT)
        says = f"{column} IS NOT NULL AND {column}::text NOT IN ('', '\\x' || repeat('00', 16))"
        if await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {table} WHERE ({owned}) AND {says})", ids, hashed
        ):
            found.add((table, column))
    return found


async def test_an_erasure_empties_every_column_of_a_reader(service: RunningService) -> None:
    person = planted()
    ids = await plant(service, person)
    connection: asyncpg.Connection[Any] = await connect(service.database_url)  # type: ignore[assignment]
    try:
        hashed = await plant_the_rest(connection, service, person, ids)
        before = await filled(connection, ids, hashed)
        assert pairs(READER) - before == set(), (
            "plant something in these columns, so that their erasure is seen"
        )
        await erase(
            service.database, service.vault, service.site.name, person.email, clock=utc_now, actor="test"
        )
        assert await filled(connection, ids, hashed) == set()
    finally:
        await connection.close()
