"""`moderation models thresholds` and `moderation policy replay`: what other thresholds, rules or models would have done."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moderation.cli.desk import Desk
from moderation.cli.failures import Failure
from moderation.cli.model_versions import model_folder
from moderation.cli.output import plain, record, table
from moderation.cli.progress import progress
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.domain.intervals import Share
from moderation.domain.policy import Policy
from moderation.domain.site import Site
from moderation.domain.thresholds import out_of_reach, thresholds_as_json
from moderation.storage import models
from moderation.storage.administration import policies
from moderation.storage.administration.finding import find_site_id
from moderation.storage.directory import load_site
from moderation.storage.past import PastComment, read_past

if TYPE_CHECKING:
    from moderation.learning.engine import LoadedModel
    from moderation.learning.proposals import Proposed

IN_FORCE = "in-force"
_SPAN = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_QUEUE = re.compile(r"(\d+(?:\.\d+)?)(?:/(day|week|hour))?")
_PER_DAY = {None: 1.0, "day": 1.0, "week": 1 / 7, "hour": 24.0}


class _Span(click.ParamType[timedelta]):
    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a span of time."""
        found = _SPAN.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no span of time such as 12h, 30d or 8w", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


class _Rate(click.ParamType[float]):
    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number of comments a day."""
        found = _QUEUE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is not of the form 300/day", param, ctx)
        return float(found[1]) * _PER_DAY[found[2]]


_SINCE = click.option(
    "--since", type=_Span(), default="30d", show_default="30d", help="How far back, e.g. 12h, 30d, 8w."
)


@click.command("thresholds")
@click.option("--site", required=True, help="Whose thresholds.")
@click.option(
    "--precision", type=click.FloatRange(0.5, 1.0), help="Of automatic rejections, this share must be right."
)
@click.option("--queue", "per_day", type=_Rate(), help="So many doubtful comments can be read, e.g. 300/day.")
@click.option("--apply", "applies", is_flag=True, help="Make a new version of the site's policy with them.")
@_SINCE
@with_terminal
def thresholds(
    terminal: Terminal,
    site: str,
    precision: float | None,
    per_day: float | None,
    *,
    applies: bool,
    since: timedelta,
) -> None:
    """Propose thresholds from what people decided, with the precision, recall and queue to expect."""
    from moderation.learning.proposals import for_precision, for_queue
    from moderation.learning.unseen import honest

    if (precision is None) == (per_day is None):
        raise click.UsageError("give one of --precision and --queue")
    material = _material(terminal, site, since)
    own = material.site.policy.thresholds or {}
    judged = honest(material.past, material.active, material.seen_until)
    with _loaded(terminal, material.active) as model:
        if precision is not None:
            found = for_precision(judged.past, model, own, precision)
        else:
            found = for_queue(judged.past, model, own, per_day or 0.0)
    written = {"thresholds": thresholds_as_json(found.thresholds)}
    version = None
    if applies:
        if found.unreached and not found.expected:
            raise Failure(f"nothing to apply: {'; '.join(found.unreached.values())}")
        made = terminal.run(lambda desk: policies.set_policy(desk.database, site, written, actor=desk.actor))
        version = made.version
    _show_proposal(terminal, site, found, version, {"seen": judged.seen, "unseen": judged.unseen})
    if judged.warning:
        terminal.warn(judged.warning)


@click.command("replay")
@click.option("--site", required=True, help="Whose comments.")
@_SINCE
@click.option(
    "--policy", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of JSON with the keys to change, as `policy set` takes them.",
)  # fmt: skip
@click.option("--model", default=IN_FORCE, show_default=True, help="`shipped`, a version or a folder.")
@with_terminal
def replay(terminal: Terminal, site: str, since: timedelta, file: Path | None, model: str) -> None:
    """Replay a changed policy or another model over past comments, beside what is in force. Changes nothing."""
    from moderation.learning.replay import Judge, compare
    from moderation.learning.unseen import honest

    material = _material(terminal, site, since)
    candidate = material.site.policy if file is None else _changed(terminal, site, file)
    wanted = material.active if model == IN_FORCE else model
    with _loaded(terminal, material.active) as present, _loaded(terminal, wanted) as other:
        before, after = Judge(material.site.policy, present), Judge(candidate, other)
        with progress(2 * len(material.past), "replay", "comments") as bar:
            found = compare(material.past, before, after, material.since, progress=lambda _: bar.update())
    result = {"site": site, "models": [present.model, other.model], **plain(found)}
    terminal.show(result, lambda: _comparison_words(result))
    warn_of_languages(terminal, material.site.policy, candidate)
    if (judged := honest(material.past, material.active, material.seen_until)).seen:
        terminal.warn(
            f"{material.active} learned from {judged.seen} of these decisions: it looks better than it is"
        )


@dataclass(frozen=True, slots=True)
class _Material:
    site: Site
    active: str
    past: list[PastComment]
    since: datetime
    seen_until: datetime | None
    """Until when the model in force learned from this site's decisions; None where it did not."""


def _material(terminal: Terminal, site: str, since: timedelta) -> _Material:
    found = terminal.run(lambda desk: _read(desk, site, utc_now() - since))
    if not found.past:
        raise Failure(f"{site} has no comments of that time")
    return found


async def _read(desk: Desk, name: str, since: datetime) -> _Material:
    async with desk.database.connection() as connection:
        site = await load_site(connection, await find_site_id(connection, name))
        active = await models.active_version(connection, site.id)
        line = None if active is None else await models.find_model(connection, active)
        past = await read_past(connection, site.id, since)
    seen_until = line.seen_until if line is not None and site.id in line.learned_from else None
    return _Material(site, active or "shipped", past, since, seen_until)


@contextmanager
def _loaded(terminal: Terminal, model: str) -> "Iterator[LoadedModel]":
    """Lend a model, loaded."""
    from moderation.learning.engine import LoadedModel

    with model_folder(terminal, model) as folder:
        yield LoadedModel.open(folder)


def _changed(terminal: Terminal, site: str, file: Path) -> Policy:
    """Return the policy in force with the changes of a file. Raises `InvalidConfigurationError` naming every fault."""
    from moderation.domain.nesting import merged

    try:
        changes = json.loads(file.read_text("utf-8"))
    except (ValueError, UnicodeError) as error:
        raise Failure(f"{file} is not JSON") from error
    if not isinstance(changes, dict):
        raise Failure(f"{file} is no JSON object")
    found = terminal.run(lambda desk: policies.show_policy(desk.database, site))
    return Policy.from_json(merged(found.policy, changes), found.version)


def warn_of_languages(terminal: Terminal, before: Policy, after: Policy) -> None:
    """Say where changed thresholds for ``*`` change nothing."""
    for output, languages in out_of_reach(before.thresholds, after.thresholds).items():
        terminal.warn(
            f"thresholds of * do not reach {output} in {', '.join(languages)}: what stands there by language goes before them"
        )


def _show_proposal(
    terminal: Terminal, site: str, found: "Proposed", version: int | None, decisions: dict[str, int]
) -> None:
    result = {
        "site": site,
        "thresholds": thresholds_as_json(found.thresholds),
        "expected": plain(dict(found.expected)),
        "unreached": dict(found.unreached),
        "unproven": dict(found.unproven),
        "policy": version,
        "decisions": decisions,
    }
    rows = [
        {
            "for": name,
            "from": round(one.threshold, 4),
            "precision": _interval(one.precision, one.precision_low, one.precision_high),
            "recall": None if one.recall is None else f"{one.recall:.1%}",
            "a day": None if one.per_day is None else round(one.per_day, 1),
            "decided": one.rows,
        }
        for name, one in found.expected.items()
    ]
    columns = ("for", "from", "precision", "recall", "a day", "decided")
    lines = [f"{name}: never without a person: {why}" for name, why in found.unreached.items()]
    lines += [
        f"{name}: as before in {', '.join(languages)}: too few decisions above the threshold"
        for name, languages in found.unproven.items()
        if languages
    ]
    last = (
        f"policy version {version} has them"
        if version
        else "nothing was changed; --apply makes them a version of the policy"
    )
    terminal.show(
        result, lambda: "\n".join([table(rows, columns, empty="Nothing was reached."), *lines, last])
    )


def _interval(value: float | None, low: float | None, high: float | None) -> str | None:
    return None if value is None or low is None or high is None else f"{value:.1%} [{low:.1%}, {high:.1%}]"


def _comparison_words(found: dict[str, Any]) -> str:
    before, after = found["before"], found["after"]
    names = (
        "approve",
        "hold",
        "reject",
        "queue_per_day",
        "doubt_per_day",
        "right_approvals",
        "right_rejections",
    )
    rows = [{"": name, "in force": _value(before[name]), "replayed": _value(after[name])} for name in names]
    head = {
        "comments": found["comments"],
        "decided by people": found["decided"],
        "judged differently": found["differently"],
    }
    return f"{record(head)}\n\n{table(rows, ('', 'in force', 'replayed'), empty='')}"


def _value(value: Any) -> str | None:
    if isinstance(value, dict):
        one = Share(**value)
        return _interval(one.value, one.low, one.high)
    if value is None:
        return None
    return f"{value:.1%}" if value <= 1 else f"{value:.1f}"
