"""Export and erasure of somebody who moderates, held against every column of every table."""

import json
from typing import Any

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.errors import NotFoundError
from moderation.domain.site import Role
from moderation.privacy.passwords import Passwords
from moderation.privacy.retention import RetentionJob
from moderation.privacy.second_factor import PURPOSE
from moderation.privacy.staff import erase_moderator, export_moderator
from moderation.protocols.authentication import DIRECTORY
from moderation.storage.administration.moderators import add_moderator, add_token, list_moderators
from moderation.storage.administration.passwords import find_account, invite, set_password
from moderation.storage.administration.second_factors import NewFactor, keep_factor
from moderation.storage.database import Connection
from moderation.storage.sessions import Sessions
from tests.integration.privacy.test_inventory import SEALED, STAFF, pairs
from tests.service import RunningService, rest

EMAIL = "layla.saad@paper.example"
NAME = "ليلى سعد التجريبية"
DEVICE = "Firefox · Planted"
PSEUDONYMS = {
    "audit": "actor subject",
    "decisions": "actor",
    "labels": "actor",
    "model_changes": "actor",
    "models": "created_by",
    "moderators": "id",
    "policies": "created_by",
}
"""Where the id of somebody who was erased may stand: it names nobody. A new column of staff is emptied, or said here."""


@pytest.fixture(autouse=True)
def nobody_seals_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    rest(monkeypatch, RetentionJob)


async def somebody(service: RunningService) -> tuple[str, str]:
    """Add a person with all that one can have, who decides and holds a claim; return their token and id."""
    vault, database, site = service.vault, service.database, service.site.name
    made = await add_moderator(database, vault, EMAIL, site=site, role=Role.LEAD, actor="test", name=NAME)
    encoded = await Passwords().hash("ثلاث كلمات طويلة")
    await set_password(database, vault, EMAIL, encoded, actor="test")
    await invite(database, vault, EMAIL, actor="test", now=utc_now())
    token = await add_token(database, vault, EMAIL, actor="test")
    factor = NewFactor(vault.seal("A" * 32, PURPOSE), 1, [b"r" * 16], utc_now())
    assert await keep_factor(database, made, factor, password=encoded, session=None)
    sessions = Sessions(database, clock=utc_now)
    assert await sessions.begin(made, password=encoded, second_factor=factor.sealed, device=DEVICE)
    _, first = await service.submit("تعليق أول")
    await service.submit("تعليق ثانٍ")
    decision = {"verdict": "reject", "reason": "insult", "revision": 1, "note": "ملاحظة منها"}
    assert (await service.call("POST", f"/v1/comments/{first['id']}/decision", key=token, json=decision))[
        0
    ] == 200
    _, claimed = await service.call("POST", "/v1/queue/claim", key=token, json={"limit": 1})
    assert claimed["items"]
    await connection_run(
        service, "UPDATE moderators SET email = $2 WHERE id = $1", made, EMAIL
    )  # as an older program
    label = "INSERT INTO labels (site_id, key, comment_id, source, text, actor, labelled_at) VALUES ($1, $2, $3::text::uuid, 'import', 'x', $4, now())"
    await connection_run(
        service, label, service.site.id, b"k" * 16, first["id"], str(made)
    )  # as when a text goes
    return token, str(made)


async def connection_run(service: RunningService, sql: str, *values: Any) -> None:
    async with service.database.transaction() as connection:
        await connection.execute(sql, *values)


async def places(connection: Connection, *signs: str) -> set[tuple[str, str]]:
    """Return every column of every table in which one of the signs stands in some row."""
    rows = await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    found = set()
    for table, column in rows:
        query = f'SELECT EXISTS (SELECT FROM {table} WHERE position($1 IN "{column}"::text) > 0)'
        for sign in signs:
            if await connection.fetchval(query, sign):
                found.add((table, column))
    return found


async def signs_of(connection: Connection, moderator_id: str) -> list[str]:
    """Return what names a person or lets them in, as it stands in the database."""
    row = await connection.fetchrow(
        "SELECT encode(email_hash, 'hex') AS a, encode(email_sealed, 'hex') AS b, password AS c,"
        " encode(invitation_hash, 'hex') AS d, encode(second_factor_sealed, 'hex') AS e FROM moderators WHERE id = $1::text::uuid",
        moderator_id,
    )
    hashes = await connection.fetch(
        "SELECT encode(token_hash, 'hex') FROM moderator_tokens WHERE moderator_id = $1::text::uuid"
        " UNION ALL SELECT encode(token_hash, 'hex') FROM sessions WHERE moderator_id = $1::text::uuid"
        " UNION ALL SELECT encode(code_hash, 'hex') FROM recovery_codes WHERE moderator_id = $1::text::uuid",
        moderator_id,
    )
    assert row is not None
    return [EMAIL, NAME, DEVICE, *row.values(), *(one[0] for one in hashes)]


async def test_an_erasure_leaves_an_id_that_names_nobody(service: RunningService) -> None:
    token, person = await somebody(service)
    async with service.database.connection() as connection:
        signs = await signs_of(connection, person)
        assert all(signs)
        before = await places(connection, person, *signs)
    of_one = (pairs(STAFF) | pairs({"moderators": SEALED["moderators"]})) - pairs(PSEUDONYMS)
    of_one -= {("moderator_roles", "role")}
    assert of_one <= before, "plant something there, so that its erasure is seen"
    (left,) = await erase_moderator(service.database, service.vault, EMAIL, actor="test")
    assert str(left) == person
    async with service.database.connection() as connection:
        assert await places(connection, *signs) == set()
        assert await places(connection, person) <= pairs(PSEUDONYMS)
        gone = "SELECT count(*) FROM moderator_roles WHERE moderator_id = $1::text::uuid"
        assert await connection.fetchval(gone, person) == 0
        actions = await connection.fetch("SELECT action FROM audit WHERE subject = $1 ORDER BY id", person)
    assert actions[-1]["action"] == "moderator.erased"
    await service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
    assert (await service.call("GET", "/v1/me", key=token))[0] == 401
    assert await find_account(service.database, service.vault, EMAIL) is None
    assert [
        line for line in await list_moderators(service.database, service.vault) if str(line.id) == person
    ] == []
    with pytest.raises(NotFoundError):
        await erase_moderator(service.database, service.vault, EMAIL, actor="test")


async def test_the_decisions_of_somebody_who_was_erased_stay(service: RunningService) -> None:
    await somebody(service)
    colleague = await add_moderator(
        service.database,
        service.vault,
        "x@paper.example",
        site=service.site.name,
        role=Role.MODERATOR,
        actor="test",
    )
    assert colleague
    token = await add_token(service.database, service.vault, "x@paper.example", actor="test")
    await erase_moderator(service.database, service.vault, EMAIL, actor="test")
    _, found = await service.call("GET", f"/v1/queue?site={service.site.name}", key=token)
    assert [item.get("claim") for item in found["items"]] == [None]
    _, colleagues = await service.call("GET", f"/v1/colleagues?site={service.site.name}", key=token)
    assert NAME not in json.dumps(colleagues, ensure_ascii=False)
    anew = await add_moderator(
        service.database, service.vault, EMAIL, site=service.site.name, role=Role.MODERATOR, actor="test"
    )
    async with service.database.connection() as connection:
        left = await connection.fetchrow("SELECT actor, note FROM decisions WHERE decided_by = 'moderator'")
    assert left is not None
    assert left["note"] == "ملاحظة منها"
    assert left["actor"] != str(anew), "whoever has the address next is somebody else"


async def test_an_export_has_all_that_is_held_and_no_secret(service: RunningService) -> None:
    _, person = await somebody(service)
    async with service.database.connection() as connection:
        signs = await signs_of(connection, person)
    found = await export_moderator(service.database, service.vault, EMAIL, clock=utc_now, actor="test")
    written = json.dumps(found, ensure_ascii=False, default=str)
    assert [sign for sign in signs[3:] if sign in written] == []
    (known,) = found["known_as"]
    assert (known["id"], known["name"], known["has_password"]) == (person, NAME, True)
    assert found["roles"] == [{"site": service.site.name, "role": "lead"}]
    assert [one["device"] for one in found["sessions"]] == [DEVICE]
    assert len(found["tokens"]) == len(found["claims"]) == 1
    (decision,) = found["decisions"]
    assert (decision["verdict"], decision["note"]) == ("reject", "ملاحظة منها")
    assert [one["comment"] for one in found["labels"]] == [decision["comment"]]
    actions = {one["action"]: one["is_by_them"] for one in found["audit"]}
    assert actions["moderator.signed_in"]
    assert not actions["moderator.role_set"]
    again = await export_moderator(service.database, service.vault, EMAIL, clock=utc_now, actor="test")
    assert again["audit"][-1]["action"] == "moderator.exported"
