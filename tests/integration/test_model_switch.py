"""Which model is in force: switched while comments come in, by site, back again, and never for a damaged one."""

import asyncio
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from classifiers.errors import ClassifierError
from moderation.cli import status
from moderation.cli.status import _models
from moderation.domain.clock import utc_now
from moderation.domain.errors import ConflictError, NotFoundError
from moderation.domain.ids import SiteId
from moderation.learning.engine import ActiveModel
from moderation.learning.registry import Added, Registry
from moderation.learning.switch import ModelSwitch
from moderation.privacy.erasure import erase
from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import KeyedVault
from moderation.settings import load
from moderation.storage import models
from moderation.storage.database import Database
from moderation.storage.models import EVERYWHERE, NewModel
from tests.model_variants import write_variant
from tests.service import RunningService, comment, seed_site

NEVER = {"ar": {"abuse": {"doubt": None, "reject": None}, "spam": {"doubt": None, "reject": None}}}


@pytest.fixture
def vault() -> KeyedVault:
    return KeyedVault(Keyring.new())


@pytest.fixture
def registry(database: Database) -> Registry:
    return Registry(database, clock=utc_now, actor="test")


async def following(database: Database) -> tuple[ActiveModel, ModelSwitch]:
    active = ActiveModel()
    active.load_shipped()
    return active, ModelSwitch(database, active)


async def damage(database: Database, version: str) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE model_files SET content = set_byte(content, 200, 255 - get_byte(content, 200))"
            " WHERE version = $1 AND path = 'weights_ar.npy'",
            version,
        )


async def test_what_a_model_s_own_report_says_against_it_holds_here_too(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    refused, odd = write_variant(tmp_path / "refused", "refused"), write_variant(tmp_path / "odd", "odd")
    against = {"code": "slice_worse_auc", "where": "abuse", "numbers": {"new": 0.31}}
    (tmp_path / "refused" / "report.json").write_text(json.dumps({"refusals": [against]}))
    (tmp_path / "odd" / "report.json").write_text("[")
    for name in ("refused", "odd"):
        await registry.add(tmp_path / name, None)
    with pytest.raises(ConflictError, match="stayed a candidate: slice_worse_auc"):
        await registry.promote(refused, None, reason=None)
    assert await registry.promote(refused, None, reason=None, is_forced=True) is None
    assert await registry.promote(odd, None, reason=None) == refused


async def test_what_a_report_says_in_another_form_still_keeps_its_model_a_candidate(
    registry: Registry, tmp_path: Path
) -> None:
    version = write_variant(tmp_path / "strange", "strange")
    said = [{"code": "a", "numbers": {"new": "much", "old": 0.5}, "part": "all"}, "worse", 7]
    (tmp_path / "strange" / "report.json").write_text(json.dumps({"refusals": said}))
    await registry.add(tmp_path / "strange", None)
    with pytest.raises(ConflictError, match=r"stayed a candidate: a \(old 0.5\); worse; 7;"):
        await registry.promote(version, None, reason=None)


async def test_a_report_of_another_form_is_told_of_and_not_kept(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    written = {"none": {"accuracy": 0.9}, "cut": {"version": "a", "slices": [], "refusals": "worse"}}
    for name, report in written.items():
        version = write_variant(tmp_path / name, name)
        (tmp_path / name / "report.json").write_text(json.dumps(report))
        added = await registry.add(tmp_path / name, None)
        assert added.remark is not None
        assert "missing required field" in added.remark
        async with database.connection() as connection:
            assert (await models.read_details(connection, version))[1] is None
    with pytest.raises(ConflictError, match="stayed a candidate: worse"):
        await registry.promote(version, None, reason=None)


async def test_what_lies_beside_a_model_is_not_taken_with_it(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    version = write_variant(tmp_path, "variant")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "comments.json").write_text("[]")
    (tmp_path / "other.npy").write_bytes(b"0")
    (tmp_path / "report.html").write_text("<p>")
    await registry.add(tmp_path, None)
    async with database.connection() as connection:
        kept = await models.read_files(connection, version)
    assert not {"notes/comments.json", "other.npy"} & kept.keys()
    assert {"manifest.json", "MODEL_CARD.md", "report.html", "weights_ar.npy"} <= kept.keys()
    (tmp_path / "report.json").write_bytes(b"0" * (17 << 20))
    with pytest.raises(ClassifierError, match="larger than 16 MB"):
        await registry.add(tmp_path, None)


async def test_every_process_follows_and_one_command_goes_back(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    version = write_variant(tmp_path, "variant")
    assert await registry.add(tmp_path, None) == Added(version, is_new=True)
    assert await registry.add(tmp_path, None) == Added(version, is_new=False)
    active, switch = await following(database)
    shipped = active.model
    await switch.refresh()
    assert active.model == shipped
    assert await registry.promote(version, None, reason="better") is None
    await switch.refresh()
    assert (active.model, active.for_site(SiteId(7)).model) == (version, version)
    assert active.assess(["نص"], [None])[0].model == version
    with pytest.raises(ConflictError):
        await registry.promote(version, None, reason=None)
    assert await registry.rollback(None, reason="worse after all") == (None, version)
    await switch.refresh()
    assert active.model == shipped
    with pytest.raises(ConflictError):
        await registry.rollback(None, reason=None)
    async with database.connection() as connection:
        changes = await connection.fetch(
            "SELECT action, version, previous, actor, reason FROM model_changes ORDER BY id DESC"
        )
        (line,) = await models.list_models(connection)
    assert [tuple(change) for change in changes] == [
        ("rollback", None, version, "test", "worse after all"),
        ("promote", version, None, "test", "better"),
    ]
    assert line.status == "retired"


async def test_a_model_that_loads_slowly_hides_nothing_else(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(_: Database) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(status, "_models", slow)
    monkeypatch.setattr(status, "PART_S", 2.0)
    environ = {"MODERATION_DATABASE_URL": database.url, "MODERATION_DATA_DIR": str(tmp_path / "none")}
    settings = load(environ, require_keys=False)
    told = {part.part: part.is_well for part in await status._look(settings)}
    parts = ("postgresql", "schema", "queue", "deliveries", "models")
    assert [told.get(part) for part in parts] == [True, True, True, True, False]


async def test_an_operator_is_told_which_model_in_force_is_refused(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    assert (await _models(database)).is_well
    version = write_variant(tmp_path, "variant")
    await registry.add(tmp_path, None)
    await registry.promote(version, None, reason="better")
    told = await _models(database)
    assert (told.is_well, told.said) == (True, "the shipped one, and 1 more in force")
    await damage(database, version)
    told = await _models(database)
    assert (told.is_well, version in told.said) == (False, True)


async def test_going_back_twice_reaches_what_was_before_the_first(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    first, second = (write_variant(tmp_path / name, name) for name in ("one", "two"))
    for name in ("one", "two"):
        await registry.add(tmp_path / name, None)
    await registry.promote(first, None, reason=None)
    await registry.promote(second, None, reason=None)
    assert await registry.rollback(None, reason=None) == (first, second)
    assert await registry.rollback(None, reason=None) == (None, first)
    await registry.delete(first)
    await registry.promote(second, None, reason=None)
    with pytest.raises(ConflictError):
        await registry.delete(second)
    with pytest.raises(NotFoundError):
        await registry.delete(first)
    async with database.connection() as connection:
        assert await models.active_version(connection, SiteId(1)) == second
        assert await connection.fetchval("SELECT count(*) FROM model_files WHERE version = $1", first) == 0


async def test_going_back_never_returns_to_what_was_gone_back_from(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    names = ("one", "two", "three")
    first, second, third = (write_variant(tmp_path / name, name) for name in names)
    for name in names:
        await registry.add(tmp_path / name, None)
    for version in (third, first, second, third, second):
        await registry.promote(version, None, reason=None)
    await registry.delete(first)
    assert await registry.rollback(None, reason=None) == (third, second)
    assert await registry.rollback(None, reason=None) == (None, third)
    with pytest.raises(ConflictError):
        await registry.rollback(None, reason=None)
    for version in (second, third, second):
        await registry.promote(version, None, reason=None)
    assert await registry.rollback(None, reason=None) == (third, second)
    await registry.promote(second, None, reason="better after all")
    assert await registry.rollback(None, reason=None) == (third, second)


async def test_going_back_passes_over_what_this_program_refuses(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    names = ("one", "two", "three")
    first, second, third = (write_variant(tmp_path / name, name) for name in names)
    for name, version in zip(names, (first, second, third), strict=True):
        await registry.add(tmp_path / name, None)
        await registry.promote(version, None, reason=None)
    await damage(database, second)
    assert await registry.rollback(None, reason=None) == (first, third)
    await registry.promote(third, None, reason=None)
    await damage(database, first)
    assert await registry.rollback(None, reason=None) == (None, third)


async def test_going_back_from_a_site_s_first_model_is_going_back_to_that_of_all_others(
    database: Database, vault: KeyedVault, registry: Registry, tmp_path: Path
) -> None:
    site = SiteId((await seed_site(database, vault)).id)
    everywhere, own = (write_variant(tmp_path / name, name) for name in ("all", "own"))
    await registry.add(tmp_path / "all", None)
    await registry.add(tmp_path / "own", site)
    active, switch = await following(database)
    await registry.promote(everywhere, None, reason=None)
    for _ in range(2):  # the second time it is not the first change of the site
        await registry.promote(own, site, reason=None)
        await switch.refresh()
        assert active.for_site(site).model == own
        assert await registry.rollback(site, reason=None) == (everywhere, own)
        await switch.refresh()
        assert active.for_site(site).model == everywhere
    await registry.promote(None, site, reason="the site wants the shipped one")
    await registry.promote(own, site, reason=None)
    assert await registry.rollback(site, reason=None) == (None, own)
    await switch.refresh()
    assert active.for_site(site).model == active.shipped_version


async def test_a_damaged_model_is_not_promoted_and_not_switched_to(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    sound, broken = (write_variant(tmp_path / name, name) for name in ("sound", "broken"))
    for name in ("sound", "broken"):
        await registry.add(tmp_path / name, None)
    active, switch = await following(database)
    await registry.promote(sound, None, reason=None)
    await switch.refresh()
    await registry.promote(broken, None, reason=None)
    await damage(database, broken)
    await switch.refresh()
    assert active.model == sound
    assert active.assess(["نص"], [None])[0].model == sound
    await registry.rollback(None, reason=None)
    await switch.refresh()
    assert active.model == sound
    with pytest.raises(ClassifierError):
        await registry.promote(broken, None, reason=None)
    (tmp_path / "sound" / "weights_ar.npy").write_bytes(b"not an array")
    with pytest.raises(ClassifierError):
        await registry.add(tmp_path / "sound", None)


async def test_a_site_s_model_judges_that_site_alone_and_no_comment_is_dropped_by_the_switch(
    service: RunningService, tmp_path: Path
) -> None:
    registry = Registry(service.database, clock=utc_now, actor="test")
    app = service.client.app
    assert app is not None
    version = write_variant(tmp_path, "own", thresholds=NEVER)
    own = SiteId(service.site.id)
    await registry.add(tmp_path, own)
    other = await seed_site(service.database, service.vault, policy={"mode": "post"})
    with pytest.raises(ConflictError, match=service.site.name):
        await registry.promote(version, SiteId(other.id), reason=None)
    with pytest.raises(ConflictError):
        await registry.promote(version, None, reason=None)
    spam = "اشترك الآن واربح https://win.example"
    _, before = await service.submit(spam)
    answers = []
    await registry.promote(version, own, reason=None)
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        both = await asyncio.gather(
            service.submit(spam), service.call("POST", "/v1/comments", key=other.key, json=comment(spam))
        )
        answers.append(both)
        if both[0][1]["model"] == version:
            break
        await asyncio.sleep(0.05)
    assert all(status == 201 for both in answers for status, _ in both)
    assert before["model"] != version
    assert answers[-1][0][1]["model"] == version
    assert answers[-1][1][1]["model"] == before["model"]
    codes = [[reason["code"] for reason in body["reasons"]] for _, body in answers[-1]]
    assert "spam" not in codes[0]
    assert "spam" in codes[1]


async def test_an_erasure_makes_retraining_due_until_a_model_saw_what_is_left(
    service: RunningService, tmp_path: Path
) -> None:
    version, site = write_variant(tmp_path, "own"), SiteId(service.site.id)
    new = NewModel(version, site, "retrained", {}, {}, utc_now(), learned_from=[site])
    async with service.database.transaction() as connection:
        await models.keep_model(connection, new, actor="test")
        assert (await models.find_model(connection, version)).erasures_since == 0
    erased = partial(erase, service.database, service.vault, service.site.name, clock=utc_now, actor="test")
    await erased("nobody@example.com")
    async with service.database.connection() as connection:
        assert (await models.find_model(connection, version)).erasures_since == 0
    author = {"name": "قارئ", "email": "reader@example.com"}
    assert (await service.submit(author=author))[0] == 201
    await erased("reader@example.com")
    async with service.database.transaction() as connection:
        assert (await models.find_model(connection, version)).erasures_since == 1
        again = replace(new, seen_until=utc_now())
        assert not await models.keep_model(connection, again, actor="test")
        assert (await models.find_model(connection, version)).erasures_since == 0


async def test_a_model_that_cannot_be_reached_leaves_the_present_one(
    database: Database, registry: Registry, tmp_path: Path
) -> None:
    version = write_variant(tmp_path, "variant")
    await registry.add(tmp_path, None)
    await registry.promote(version, None, reason=None)
    active, switch = await following(database)
    shipped = active.model
    async with database.connection() as connection:
        await connection.execute("DELETE FROM model_files")
    await switch.refresh()
    assert active.model == shipped
    async with database.connection() as connection:
        assert await models.active_versions(connection) == {EVERYWHERE: version}
