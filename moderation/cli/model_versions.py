"""`moderation models list|show|add|promote|rollback|delete`: the versions there are, and which is in force where."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moderation.cli.desk import Desk
from moderation.cli.failures import Failure
from moderation.cli.output import plain, printable, record, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.domain.ids import SiteId
from moderation.storage import models as versions
from moderation.storage.administration.finding import find_site_id
from moderation.storage.models import EVERYWHERE, ModelLine

if TYPE_CHECKING:
    from moderation.learning.registry import Added, Registry

SHIPPED = "shipped"
_SITE = click.option("--site", help="For this site; without it, for every site that has no model of its own.")
_REASON = click.option("--reason", help="Why, for the record.")


@click.command("list")
@with_terminal
def list_models(terminal: Terminal) -> None:
    """List the models that there are, and where each is in force."""
    found = [_shipped()]
    if has_database(terminal):
        lines, active, names = terminal.run(_read)
        found[0]["in_force"] = _scopes_of(None, active, names)
        found += [_line(line, names) for line in lines]
    columns = ("version", "status", "site", "in_force", "created_at", "why_not", "retrain")
    terminal.show(found, lambda: table(found, columns, empty="There is no model."))


@click.command("show")
@click.argument("version", required=False)
@click.option(
    "--model",
    default=SHIPPED,
    show_default=True,
    help="The model that comes with the program, a version, or the folder of another one.",
)
@with_terminal
def show(terminal: Terminal, version: str | None, model: str) -> None:
    """Show a model's thresholds and its card: what it was made of, how good it is, and what it is not for."""
    from classifiers.artifacts import CARD, load

    model = version or model
    with model_folder(terminal, model) as folder:
        artifact = load(folder)
        card = (folder / CARD).read_text("utf-8")
    result = {
        "version": artifact.version,
        "source": SHIPPED if model == SHIPPED else model,
        "languages": artifact.manifest["languages"],
        "outputs": artifact.manifest["outputs"],
    }
    thresholds = artifact.manifest["thresholds"]
    terminal.show(
        {**result, "thresholds": thresholds, "card": card}, lambda: f"{record(result)}\n\n{printable(card)}"
    )


@click.command("add")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--site", help="Whose model it is; without it, anybody's.")
@with_terminal
def add(terminal: Terminal, folder: Path, site: str | None) -> None:
    """Keep a model that was trained elsewhere, as a candidate; every process can reach it then."""

    async def work(desk: Desk) -> "Added":
        return await _registry(desk).add(folder, await _site_id(desk, site))

    added = terminal.run(work)
    result = {"version": added.version, "is_new": added.is_new, "remark": added.remark}
    terminal.show(result, f"{added.version} is {'kept' if added.is_new else 'known already'}")
    if added.remark is not None:
        terminal.warn(added.remark)


@click.command("promote")
@click.argument("version")
@_SITE
@_REASON
@click.option("--force", is_flag=True, help="Also one that the gates kept a candidate.")
@with_terminal
def promote(terminal: Terminal, version: str, site: str | None, reason: str | None, force: bool) -> None:
    """Put a version in force, `shipped` among them; every process switches within seconds."""
    wanted = None if version == SHIPPED else version

    async def work(desk: Desk) -> str | None:
        site_id = await _site_id(desk, site)
        return await _registry(desk).promote(wanted, site_id, reason=reason, is_forced=force)

    previous = terminal.run(work)
    _tell_switch(terminal, site, wanted, previous)


@click.command("rollback")
@_SITE
@_REASON
@with_terminal
def rollback(terminal: Terminal, site: str | None, reason: str | None) -> None:
    """Put back the model that was in force before the present one was promoted."""

    async def work(desk: Desk) -> tuple[str | None, str | None]:
        return await _registry(desk).rollback(await _site_id(desk, site), reason=reason)

    version, previous = terminal.run(work)
    _tell_switch(terminal, site, version, previous)


@click.command("delete")
@click.argument("version")
@with_terminal
def delete(terminal: Terminal, version: str) -> None:
    """Delete a version that is in force nowhere, with its report."""
    terminal.run(lambda desk: _registry(desk).delete(version))
    terminal.show({"version": version, "deleted": True}, f"deleted {version}")


COMMANDS = (list_models, show, add, promote, rollback, delete)


def has_database(terminal: Terminal) -> bool:
    """Tell whether there is a database to look into; models can be tried without."""
    settings = terminal.settings()
    return settings.database_url is not None or (settings.data_dir / "postgres").is_dir()


@contextmanager
def model_folder(terminal: Terminal, model: str) -> Iterator[Path]:
    """Lend the folder of a model by what an operator calls it: `shipped`, a folder, or a version."""
    from classifiers.artifacts import load
    from classifiers.runtime import PRETRAINED

    if model == SHIPPED:
        yield PRETRAINED
        return
    if Path(model).is_dir():
        yield Path(model)
        return
    version = load(PRETRAINED).version
    if model == version:
        yield PRETRAINED
        return
    if not has_database(terminal):
        raise Failure(f"there is no model {model!r}: name a folder, or {SHIPPED} (version {version})")
    with tempfile.TemporaryDirectory(prefix="moderation-model-") as name:
        terminal.run(lambda desk: _fetch(desk, model, Path(name)))
        yield Path(name)


async def _fetch(desk: Desk, version: str, folder: Path) -> None:
    from moderation.learning.switch import write_files

    async with desk.database.connection() as connection:
        await versions.find_model(connection, version)
        files = await versions.read_files(connection, version)
    await asyncio.to_thread(write_files, files, folder)


def _registry(desk: Desk) -> "Registry":
    from moderation.learning.registry import Registry  # most commands need no model

    return Registry(desk.database, clock=utc_now, actor=desk.actor)


async def _site_id(desk: Desk, site: str | None) -> SiteId | None:
    if site is None:
        return None
    async with desk.database.connection() as connection:
        return await find_site_id(connection, site)


async def _read(desk: Desk) -> tuple[list[ModelLine], dict[SiteId, str | None], dict[int, str]]:
    async with desk.database.connection() as connection:
        names = {row["id"]: row["name"] for row in await connection.fetch("SELECT id, name FROM sites")}
        return await versions.list_models(connection), await versions.active_versions(connection), names


def _shipped() -> dict[str, Any]:
    from classifiers.artifacts import load
    from classifiers.runtime import PRETRAINED

    artifact = load(PRETRAINED)
    return {
        "version": artifact.version,
        "source": SHIPPED,
        "status": SHIPPED,
        "site": None,
        "languages": artifact.manifest["languages"],
        "outputs": artifact.manifest["outputs"],
        "in_force": ["everywhere"],
        "created_at": None,
        "why_not": None,
        "retrain": None,
    }


def _line(line: ModelLine, names: dict[int, str]) -> dict[str, Any]:
    from moderation.learning.registry import refusal_words

    shown: dict[str, Any] = plain(line)
    return shown | {
        "source": line.kind,
        "status": line.status,
        "in_force": [_scope(scope, names) for scope in line.in_force],
        "learned_from": [names.get(site_id, str(site_id)) for site_id in line.learned_from],
        "why_not": refusal_words(line.refusals) or None,
        "retrain": f"due: {line.erasures_since} erased since" if line.erasures_since else None,
    }


def _scopes_of(version: str | None, active: dict[SiteId, str | None], names: dict[int, str]) -> list[str]:
    scopes = [_scope(scope, names) for scope, found in active.items() if found == version]
    if version is None and EVERYWHERE not in active:
        scopes.insert(0, "everywhere")
    return scopes


def _scope(scope: int, names: dict[int, str]) -> str:
    return "everywhere" if scope == EVERYWHERE else names.get(scope, str(scope))


def _tell_switch(terminal: Terminal, site: str | None, version: str | None, previous: str | None) -> None:
    result = {"site": site, "version": version or SHIPPED, "previous": previous or SHIPPED}
    where = site or "every site without a model of its own"
    terminal.show(result, f"{result['version']} is in force for {where}; before: {result['previous']}")
