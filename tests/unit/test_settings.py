"""Settings: every one documented, every fault reported at once, secrets masked."""

import re
from pathlib import Path

import pytest

from moderation import tracing
from moderation.settings import SETTINGS, SettingsError, load

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_reference_lists_every_setting_with_its_default_and_meaning() -> None:
    rows = re.findall(
        r"^\| `(MODERATION_\w+)` \| (.*?) \| (.*?) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    documented = {name: (default, meaning) for name, default, meaning in rows}
    assert set(documented) == {setting.variable for setting in SETTINGS}
    for setting in SETTINGS:
        default, meaning = documented[setting.variable]
        assert default == _written(setting.default), setting.variable
        assert meaning.startswith(setting.meaning), setting.variable


def _written(default: object) -> str:
    if default is None or default == ():
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_fault_is_reported_at_once_and_no_secret_is_shown() -> None:
    environ = {
        "MODERATION_PORT": "eighty",
        "MODERATION_WORKERS": "0",
        "MODERATION_DATABASE_URL": "mysql://user:hunter2@db",
        "MODERATION_COLOUR": "blue",
        "MODERATION_TRUSTED_PROXIES": "10.0.0.0/99",
    }
    with pytest.raises(SettingsError) as caught:
        load(environ)
    text = " ".join(caught.value.faults)
    for name in environ:
        assert name in text
    assert "hunter2" not in text
    assert "MODERATION_PORT has a wrong value (must be a whole number between 0 and 65535)" in text


def test_an_outside_database_needs_keys() -> None:
    with pytest.raises(SettingsError, match="SECRET_KEYS"):
        load({"MODERATION_DATABASE_URL": "postgresql://db/x"})


def test_secrets_do_not_show_themselves() -> None:
    settings = load(
        {"MODERATION_DATABASE_URL": "postgresql://u:hunter2@db/x", "MODERATION_SECRET_KEYS": "a:secretsecret"}
    )
    assert "hunter2" not in repr(settings)
    assert "secretsecret" not in repr(settings)


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        'port = 1111\nhost = "::1"\ntrusted_proxies = ["10.0.0.0/8"]\nallow_private_endpoints = true\n'
    )
    settings = load({"MODERATION_CONFIG": str(file), "MODERATION_PORT": "2222"}, {"workers": 3, "host": None})
    assert (settings.port, settings.host, settings.workers) == (2222, "::1", 3)
    assert settings.allow_private_endpoints
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8"]


def test_what_is_written_as_environment_reads_the_same() -> None:
    settings = load({"MODERATION_TRUSTED_PROXIES": "10.0.0.0/8,::1/128", "MODERATION_WORKERS": "2"})
    assert load(settings.as_environment()) == settings


def test_traces_need_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"MODERATION_TRACES_URL": "http://127.0.0.1:4318/v1/traces", "MODERATION_TRACES_SHARE": "2"}
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert [fault.split()[0] for fault in caught.value.faults] == ["MODERATION_TRACES_SHARE"]
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="pip install opentelemetry-sdk"):
        load(environ | {"MODERATION_TRACES_SHARE": "1"})


@pytest.mark.parametrize(
    "written",
    ["desk.example", "//desk.example", "ftp://desk.example", "https://", "https://desk.example/desk", "https://desk.example?a=b",
     "https://a@desk.example", "https://desk.example:x", "https://desk example", "https://[::1"],
)  # fmt: skip
def test_a_public_address_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="MODERATION_PUBLIC_URL has a wrong value"):
        load({"MODERATION_PUBLIC_URL": written})


@pytest.mark.parametrize(
    "written",
    ["https://desk.example", "HTTPS://Desk.example:8443/", "http://[::1]:8080", "http://مثال.إختبار"],
)
def test_an_address_is_a_public_address(written: str) -> None:
    assert load({"MODERATION_PUBLIC_URL": written}).url == written.rstrip("/")


def test_commands_name_the_address_that_the_service_had(tmp_path: Path) -> None:
    served, asked = load({}, {"data_dir": tmp_path, "port": 9000}), load({}, {"data_dir": tmp_path})
    assert asked.known_url == "http://127.0.0.1:8080"
    served.leave_url()
    assert asked.known_url == "http://127.0.0.1:9000"
    assert [file.name for file in tmp_path.iterdir()] == ["url"]
    public = load({"MODERATION_PUBLIC_URL": "https://desk.example/"}, {"data_dir": tmp_path})
    assert public.known_url == "https://desk.example"
    (tmp_path / "url").write_bytes(b"\xff")
    assert asked.known_url == asked.url
    load({}, {"data_dir": tmp_path / "nowhere"}).leave_url()
