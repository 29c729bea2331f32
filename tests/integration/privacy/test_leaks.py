"""The leak hunter: people, keys and words are planted; no answer, event, feed, log, metric, page, command or backup shows them."""

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
import pytest_asyncio
from click.testing import CliRunner

from moderation.cli.program import program
from moderation.domain.clock import utc_now
from moderation.domain.ids import SiteId
from moderation.domain.site import Role
from moderation.engines import EngineAddresses, postgres_program
from moderation.protocols import native, review
from moderation.storage import models
from moderation.storage.administration.moderators import add_moderator, add_token
from moderation.telemetry import configure_logging
from tests.contract import dialects, test_responses
from tests.contract.test_responses import add_demonstration
from tests.integration.privacy import leaks
from tests.integration.privacy.leaks import ADDRESS, AGENT, EMAIL, KEY, MARK, NAME, TEXT, Hunter, findings
from tests.receiver import Receiver
from tests.service import RunningService, running_service
from tests.terminal import members

NOWHERE = [EMAIL, ADDRESS, AGENT, KEY]
EVERYTHING = [*NOWHERE, NAME, TEXT]


@pytest_asyncio.fixture(loop_scope="session")
async def hunter(
    fresh_database_url: str, running_engines: EngineAddresses, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Hunter, Receiver]]:
    monkeypatch.setattr(test_responses, "comment", leaks.comment)
    form = leaks.person()
    planted = {"author": form["name"], "email": form["email"], "comment": f"من النموذج {MARK}text0"}
    monkeypatch.setattr(test_responses, "FORM", test_responses.FORM | planted)
    monkeypatch.setattr(dialects, "TEXT", f"{dialects.TEXT} {MARK}text0")
    async with (
        Receiver() as receiver,
        running_service(fresh_database_url, running_engines.redis_url, webhook_url=receiver.url) as service,
    ):
        tokens = {role.value: await add_colleague(service, role) for role in (Role.MODERATOR, Role.LEAD)}
        await add_demonstration(service)
        hidden = {
            service.site.key,
            service.site.webhook_secret,
            service.site.inbound_secret,
            *tokens.values(),
        }
        hidden |= {part.partition(":")[2] for part in service.vault.keyring.as_text().split(",")}
        yield Hunter(service, {"site": service.site.key, **tokens}, secrets=hidden), receiver


async def add_colleague(service: RunningService, role: Role) -> str:
    """Let somebody moderate whose address must be nowhere either; return their token."""
    email, site = f"{leaks.person()['email']}.news.example", service.site.name
    await add_moderator(service.database, service.vault, email, site=site, role=role, actor="test")
    return await add_token(service.database, service.vault, email, actor="test")


@contextmanager
def logged(level: str, log_format: str = "json") -> Iterator[io.BytesIO]:
    """Everything that is logged in this process, by us and by libraries, at ``level``."""

    class Standard(io.TextIOWrapper):
        """Takes the place of standard error."""

    buffer = io.BytesIO()
    before, sys.stderr = sys.stderr, Standard(buffer, encoding="utf-8", write_through=True)
    forget_cached_loggers()
    configure_logging(log_format, level)
    logging.getLogger().setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    try:
        yield buffer
    finally:
        sys.stderr.flush()
        sys.stderr.detach()  # type: ignore[attr-defined]
        sys.stderr = before
        forget_cached_loggers()
        configure_logging("json", "warning")


def forget_cached_loggers() -> None:
    """Loggers keep the level and the stream that they first saw."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moderation") and hasattr(module, "log"):
            module.log.__dict__.pop("bind", None)


async def break_inside(hunter: Hunter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let handlers fail with an exception that quotes a person, as a driver's may."""
    app = hunter.service.client.server.app  # type: ignore[union-attr]
    someone = leaks.comment()

    async def fail(*_args: object, **_kwargs: object) -> None:
        raise ValueError(f"row {json.dumps(someone)} key {hunter.service.site.key}")

    def fail_later(*_args: object, **_kwargs: object) -> "asyncio.Future[None]":
        return asyncio.ensure_future(fail())

    def take_the_ordinary_way(*_args: object, **_kwargs: object) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(type(app[native.INTAKE]), "submit", fail)
        patched.setattr(type(app[native.INTAKE]), "submit_at_once", fail_later)
        assert (await hunter("POST", "/v1/comments", json=someone))[0] == 500
        patched.setattr(type(app[native.INTAKE]), "submit_at_once", take_the_ordinary_way)
        patched.setattr(type(app[review.DESK].archive), "comment", fail)
        for method, path, body in (
            ("POST", "/v1/comments", someone),
            ("GET", "/v1/comments/01950000-0000-7000-8000-000000000001", None),
        ):
            status, _ = await hunter(method, path, json=body)
            assert status == 500


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("level", ["info", "debug"])
async def test_no_route_event_log_or_metric_shows_what_was_planted(
    hunter: tuple[Hunter, Receiver], monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    hunt, receiver = hunter
    with logged(level) as log:
        await test_responses.walk_every_route(hunt)
        await break_inside(hunt, monkeypatch)
        await receiver.wait_for(lambda: len(receiver.accepted) > 5, timeout_s=30)
    assert hunt.leaks == []
    assert len(hunt.searched) > 80
    for received in receiver.requests:
        sent = received.body.decode() + json.dumps(received.headers)
        assert findings(sent, EVERYTHING, hunt.secrets - {hunt.service.site.webhook_secret}) == []
    lines = log.getvalue().decode()
    assert len(lines.splitlines()) > 100
    assert "request_failed" in lines
    assert '"library"' in lines or level == "info"
    leaking = [line for line in lines.splitlines() if findings(line, EVERYTHING, hunt.secrets)]
    assert leaking == []


async def test_a_planted_word_would_be_found() -> None:
    """The search sees each kind of thing, in hexadecimal too, and a line of a log."""
    someone = leaks.person()
    for value, pattern in zip(
        (someone["email"], someone["ip"], someone["user_agent"], someone["name"], f"{MARK}text1"),
        (EMAIL, ADDRESS, AGENT, NAME, TEXT),
        strict=True,
    ):
        assert findings(f"a {value} b", [pattern], set())
        assert findings(value.encode().hex(), [pattern], set())
    assert findings("x mds_abc y", [], {"mds_abc"}) == ["a secret"]
    with logged("debug") as log:
        import structlog

        structlog.get_logger("moderation.test").debug("x", email=someone["email"])
    assert findings(log.getvalue().decode(), [EMAIL], set())


COMMANDS: dict[str, list[str] | None] = {
    "site list": [],
    "site show": ["{site}"],
    "site set": ["{site}", "title=x"],
    "site secret": None,
    "site add": None,
    "site remove": None,
    "site key add": None,
    "site key list": ["{site}"],
    "site key revoke": None,
    "moderator add": None,
    "moderator token": None,
    "moderator invite": None,
    "moderator password": None,
    "moderator list": None,
    "moderator reset-second-factor": None,
    "moderator export": None,
    "moderator erase": None,
    "moderator disable": None,
    "policy show": ["{site}"],
    "policy set": ["{site}", "link_limit=3"],
    "author block": ["{site}", "--name", "nobody"],
    "author trust": ["{site}", "--external-id", "nobody"],
    "author clear": ["{site}", "--name", "nobody"],
    "author show": ["{site}", "--email", "{email}"],
    "comments import": None,
    "comments list": ["{site}"],
    "comments show": ["{comment}"],
    "comments records": ["{comment}"],
    "queue": [],
    "deliveries list": ["--site", "{site}"],
    "deliveries redrive": ["{site}"],
    "privacy export": None,
    "privacy erase": None,
    "keys rotate": None,
    "policy replay": ["--site", "{site}", "--model", "shipped"],
    "models health": ["--site", "{site}"],
    "models thresholds": ["--site", "{site}", "--queue", "10/day"],
    "models report": ["{version}"],  # its page shows texts on purpose, where asked for
    "models list": [],
    "models show": [],
    "models add": None,
    "models promote": None,
    "models rollback": None,
    "models delete": None,
    "models score": None,
    "models evaluate": None,  # of files, without the database
    "models compare": None,
    "models retrain": None,
    "backup": None,
    "restore": None,
    "serve": None,
    "migrate": [],
    "status": [],
}
"""How each command that shows something is asked. None: its result is a secret or a person's data on purpose, it shows nothing
stored, or it is looked at elsewhere (the backup below)."""


def leaves(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in members(group):
        if isinstance(command, click.Group):
            yield from leaves(command, (*before, name))
        else:
            yield " ".join((*before, name))


def test_every_command_is_looked_at_or_named() -> None:
    assert set(leaves(program)) == set(COMMANDS)


async def stored(service: RunningService) -> dict[str, str]:
    """Planted comments in the database, held, and a model with a report of one, as the commands name them."""
    await add_colleague(service, Role.ADMIN)
    assert (await service.call("POST", "/v1/comments", json=leaks.comment()))[0] == 201
    someone = leaks.comment()
    headers = {"Idempotency-Key": f"{MARK}key1"}
    status, made = await service.call("POST", "/v1/comments", json=someone, headers=headers)
    assert status == 201
    async with service.database.transaction() as connection:
        await models.keep_model(connection, with_report(service, made["id"]), actor="test")
    return {
        "site": service.site.name,
        "comment": made["id"],
        "email": someone["author"]["email"],
        "version": "site-with-report",
    }


def with_report(service: RunningService, comment_id: str) -> models.NewModel:
    """A version whose report names a comment that would be judged differently."""
    shares = {"approve": 1.0, "hold": 0.0, "reject": 0.0}
    moved = [{"id": comment_id, "before": "approve", "after": "hold", "said": "abuse"}]
    report = {
        "version": "site-with-report",
        "active": "shipped",
        "is_by_time": True,
        "slices": [],
        "labellers": [],
        "notes": [],
        "changes": {"rows": 1, "before": shares, "after": shares, "differently": moved},
    }
    site = SiteId(service.site.id)
    return models.NewModel(
        "site-with-report", site, "retrained", {}, {}, utc_now(), report=report, learned_from=[site]
    )


def outside(service: RunningService) -> dict[str, str]:
    """The settings by which a command reaches the database of the running service."""
    return {
        "MODERATION_DATABASE_URL": service.database_url,
        "MODERATION_REDIS_URL": service.redis_url,
        "MODERATION_SECRET_KEYS": service.vault.keyring.as_text(),
        "MODERATION_LOG_LEVEL": "debug",
    }


async def bind_keys(service: RunningService) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE instance SET key_fingerprint = $1", service.vault.keyring.fingerprint
        )


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_no_command_shows_an_address_or_a_key(service: RunningService) -> None:
    values = await stored(service)
    await bind_keys(service)
    hidden = {service.site.key, service.site.webhook_secret, service.site.inbound_secret}
    for name, words in COMMANDS.items():
        for extra in ([], ["--json"]) if words is not None else ():
            asked = [*name.split(), *(word.format_map(values) for word in words or []), *extra]
            done = await asyncio.to_thread(CliRunner(env=outside(service)).invoke, program, asked)
            assert done.exit_code == 0, (asked, done.output)
            assert findings(done.output + done.stderr, NOWHERE, hidden) == [], name
            if name not in {"comments list", "comments show", "queue"}:
                assert findings(done.output + done.stderr, [NAME, TEXT], set()) == [], name
    configure_logging("json", "warning")


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_backup_holds_no_readable_address_and_no_key(service: RunningService, tmp_path: Path) -> None:
    await stored(service)
    await bind_keys(service)
    file, dump = tmp_path / "one.backup", tmp_path / "dump"
    path = {"PATH": f"{Path(postgres_program('pg_dump')).parent}{os.pathsep}{os.environ['PATH']}"}
    done = await asyncio.to_thread(
        CliRunner(env=outside(service) | path).invoke, program, ["backup", str(file)]
    )
    configure_logging("json", "warning")
    assert done.exit_code == 0, done.output
    import zipfile

    with zipfile.ZipFile(file) as archive:
        archive.extract("database.dump", dump)
        whole = "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    reader = postgres_program("pg_restore")
    sql = subprocess.run(
        [reader, "--file=-", dump / "database.dump"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert findings(sql, [TEXT], set()), "the texts are in it, so the search works"
    hidden = {service.site.key, service.site.webhook_secret, service.site.inbound_secret}
    hidden |= {part.partition(":")[2] for part in service.vault.keyring.as_text().split(",")}
    assert findings(sql + whole, [EMAIL, ADDRESS, KEY], hidden) == []


async def test_no_table_holds_a_readable_address_or_key(service: RunningService) -> None:
    from tests.integration.privacy.planting import everything

    await stored(service)
    hidden = {service.site.key, service.site.webhook_secret, service.site.inbound_secret}
    for where, text in (await everything(service)).items():
        assert findings(text, [EMAIL, ADDRESS, KEY], hidden) == [], where


def test_a_secret_does_not_show_itself() -> None:
    from moderation.privacy.keyring import Keyring
    from moderation.settings import Secret

    keyring = Keyring.new()
    parts = [part.partition(":")[2] for part in keyring.as_text().split(",")]
    shown: list[Any] = [repr(keyring), str([keyring]), repr(Secret("hunter2"))]
    assert not any(part in text for part in [*parts, "hunter2"] for text in shown)
