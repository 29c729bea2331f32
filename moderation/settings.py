"""Settings: from the environment, then from an optional file; read once, every fault reported at once."""

import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from moderation.domain.retention import Retention
from moderation.tracing import missing_package

PREFIX = "MODERATION_"
_URL_FILE = "url"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(ValueError):
    """One or more settings are wrong; ``faults`` names each in a sentence."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Secret(str):
    """A string that does not show itself in a log or a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: how it is read, its default, and what it means (in `docs/settings.md`)."""

    name: str
    read: Callable[[str], Any]
    default: Any
    meaning: str
    unit: str = ""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        wrong = ValueError(f"must be a whole number between {low} and {high}")
        try:
            value = int(text)
        except ValueError:
            raise wrong from None
        if not low <= value <= high:
            raise wrong
        return value

    return read


def _flag(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise ValueError("must be true or false")
    return words[text.lower()]


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError("must be one of " + ", ".join(allowed))
        return text

    return read


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _url(*schemes: str) -> Callable[[str], Secret]:
    def read(text: str) -> Secret:
        if not text.startswith(tuple(f"{s}:" for s in schemes)):
            raise ValueError("must begin with " + " or ".join(f"{s}:" for s in schemes))
        return Secret(text)

    return read


def _share(text: str) -> float:
    wrong = ValueError("must be a number between 0 and 1")
    try:
        share = float(text)
    except ValueError:
        raise wrong from None
    if not 0 <= share <= 1:
        raise wrong
    return share


def _traces_url(text: str) -> Secret:
    url = _url("http", "https")(text)
    missing = missing_package()
    if missing is not None:
        raise ValueError(f"needs packages that are not installed: pip install {missing}")
    return url


def _public_url(text: str) -> str:
    wrong = ValueError("must be http:// or https:// with a host, without a path")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise wrong from None
    is_whole = text.rstrip("/").lower() == f"{parts.scheme}://{parts.netloc}".lower()
    is_plain = text.isprintable() and not {" ", "@"} & set(text)
    if parts.scheme not in {"http", "https"} or not (host and is_whole and is_plain):
        raise wrong
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("host", str, "127.0.0.1", "Address to listen on."),
    Setting("port", _whole(0, 65535), 8080, "Port to listen on; 0 lets the system choose."),
    Setting("data_dir", Path, Path("var"), "Folder of the embedded engines, the secret keys and logs."),
    Setting("workers", _whole(1, 64), 1, "API processes sharing the port.", "processes"),
    Setting(
        "database_url",
        _url("postgresql", "postgres"),
        None,
        "An outside PostgreSQL instead of the embedded one; then `MODERATION_SECRET_KEYS` is required.",
    ),
    Setting(
        "redis_url",
        _url("redis", "rediss", "unix"),
        None,
        "An outside Redis or Valkey instead of the embedded one.",
    ),
    Setting(
        "secret_keys",
        Secret,
        None,
        "Secret keys, `id:base64` of 32 bytes each, comma-separated, the current one first; one named `hash` for keyed hashes.",
    ),
    Setting(
        "second_factor",
        _one_of("optional", "required"),
        "optional",
        "Whether people at the console must have a second factor; who has none sets it the next time they sign in.",
    ),
    Setting(
        "allow_private_endpoints",
        _flag,
        False,
        "Let webhooks of every site go to private addresses. For tests and closed networks.",
    ),
    Setting(
        "trusted_proxies",
        _networks,
        (),
        "Networks, comma-separated, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; none by default.",
    ),
    Setting(
        "public_url",
        _public_url,
        None,
        "The address by which browsers reach the service, if it stands behind a proxy, such as `https://desk.example`.",
    ),
    Setting(
        "engine_user",
        str,
        None,
        "The ordinary user for the embedded engines when the service is started by root.",
    ),
    Setting(
        "log_format",
        _one_of("auto", "json", "console"),
        "auto",
        "One JSON object a line, or lines for a terminal.",
    ),
    Setting(
        "log_level", _one_of("debug", "info", "warning", "error"), "info", "The mildest level that is logged."
    ),
    Setting(
        "database_connections",
        _whole(2, 64),
        8,
        "Connections to PostgreSQL of one API process.",
        "connections",
    ),
    Setting(
        "event_loop",
        _one_of("uvloop", "asyncio"),
        "uvloop",
        "What an API process's event loop runs on; `asyncio` is Python's own and slower.",
    ),
    Setting(
        "score_deadline_ms",
        _whole(1, 60_000),
        1000,
        "How long a comment waits for its score before it is held as `not_scored`.",
        "milliseconds",
    ),
    Setting(
        "intake_queue",
        _whole(64, 1_000_000),
        4096,
        "Comments waiting in one process; above it: 503.",
        "comments",
    ),
    Setting(
        "keep_alive_s",
        _whole(5, 3600),
        75,
        "How long a connection may be idle, or take to send the head of a request; a proxy in front should end its own sooner.",
        "seconds",
    ),
    Setting(
        "traces_url",
        _traces_url,
        None,
        "Where OpenTelemetry traces go, the whole address of a collector's OTLP over HTTP (`…/v1/traces`); none: no traces.",
    ),
    Setting(
        "traces_share",
        _share,
        0.01,
        "The share of comments and requests that are traced.",
        "0 to 1",
    ),
    Setting(
        "retention",
        Retention.parse,
        Retention(),
        "How long each kind of data is kept, `clock=days`, comma-separated; clocks left out keep these defaults.",
        "days",
    ),
)
CONFIG_VARIABLE = PREFIX + "CONFIG"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force; see `SETTINGS` for each one's meaning."""

    host: str
    port: int
    data_dir: Path
    workers: int
    database_url: Secret | None
    redis_url: Secret | None
    secret_keys: Secret | None
    second_factor: str
    allow_private_endpoints: bool
    trusted_proxies: tuple[Network, ...]
    public_url: str | None
    engine_user: str | None
    log_format: str
    log_level: str
    database_connections: int
    event_loop: str
    score_deadline_ms: int
    intake_queue: int
    keep_alive_s: int
    traces_url: Secret | None
    traces_share: float
    retention: Retention

    @property
    def url(self) -> str:
        """The address by which browsers on this machine, or through the proxy, reach the service; no slash at its end."""
        return (self.public_url or f"http://{_host_for_url(self.host)}:{self.port}").rstrip("/")

    @property
    def known_url(self) -> str:
        """`url` as the service that last ran on the data directory left it; it may have been given another port than a command."""
        if self.public_url is None:
            with suppress(OSError, UnicodeError):
                left = (self.data_dir / _URL_FILE).read_text("utf-8")
                if left.startswith(("http://", "https://")) and left.isprintable():
                    return left
        return self.url

    def leave_url(self) -> None:
        """Write `url` into the data directory, for commands; a directory that takes no file goes without."""
        draft = self.data_dir / f"{_URL_FILE}.{os.getpid()}"
        with suppress(OSError):
            draft.unlink(missing_ok=True)
            with draft.open("x", encoding="utf-8") as file:  # a new file: never through somebody's link
                file.write(self.url)
            draft.replace(self.data_dir / _URL_FILE)

    def as_environment(self) -> dict[str, str]:
        """Write the settings as the environment that `load` reads them from; holds secrets."""
        values = {setting.variable: getattr(self, setting.name) for setting in SETTINGS}
        return {name: _as_text(value) for name, value in values.items() if value is not None}


def load(
    environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None, *, require_keys: bool = True
) -> Settings:
    """Read the settings: ``overrides`` (command-line options; None counts as absent) over environment over file.

    ``require_keys`` is False in a worker, whose database may be the embedded one although it has an address.
    Raises `SettingsError` with every fault: values that do not fit, and names that are no setting.
    """
    faults: list[str] = []
    texts = _from_file(environ, faults) | _from_environment(environ, faults)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        given = (overrides or {}).get(setting.name)
        values[setting.name] = given if given is not None else _read(setting, texts, faults)
    if require_keys and values["database_url"] and not values["secret_keys"]:
        faults.append("MODERATION_SECRET_KEYS is required with MODERATION_DATABASE_URL")
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def _read(setting: Setting, texts: Mapping[str, str], faults: list[str]) -> Any:
    text = texts.get(setting.name)
    if text is None or text == "":
        return setting.default
    try:
        return setting.read(text)
    except ValueError as error:
        shown = "" if setting.read is Secret else f" ({error})"
        faults.append(f"{setting.variable} has a wrong value{shown}")
        return setting.default


def _from_environment(environ: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    known = {setting.variable: setting.name for setting in SETTINGS}
    found = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if variable in known:
            found[known[variable]] = text
        else:
            faults.append(f"{variable} is not a setting")
    return found


def _from_file(environ: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    name = environ.get(CONFIG_VARIABLE)
    if not name:
        return {}
    try:
        table = tomllib.loads(Path(name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        faults.append(f"{CONFIG_VARIABLE}: the file cannot be read as TOML ({type(error).__name__})")
        return {}
    known = {setting.name for setting in SETTINGS}
    faults.extend(f"{CONFIG_VARIABLE}: {key} is not a setting" for key in table if key not in known)
    return {key: _as_text(value) for key, value in table.items() if key in known}


def _host_for_url(host: str) -> str:
    """Return a host that can be dialled: an address for all interfaces stands for this machine."""
    try:
        address = ipaddress.ip_address(host or "0.0.0.0")  # noqa: S104 - reads, binds nothing
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return str(address) if address.version == 4 else f"[{address}]"


def _as_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


assert [f.name for f in fields(Settings)] == [s.name for s in SETTINGS]  # the table and the type agree
