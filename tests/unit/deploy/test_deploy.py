"""What lies in `deploy/` speaks of metrics, settings and files that exist."""

import ast
import gettext
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import validate
from prometheus_client import REGISTRY

from moderation import telemetry
from moderation.domain.messages import message
from moderation.domain.verdict import ReasonCode
from moderation.settings import SETTINGS

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
KUBERNETES = "1.34"
SAMPLE = re.compile(r"\bmoderation_[a-z_]+")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))[
        "panels"
    ]
    return [panel for panel in found if panel["type"] != "row"]


def known_samples() -> dict[str, str]:
    """Every name a metric of ours shows itself by, and the metric."""
    assert telemetry.REQUESTS  # importing it is what registers them
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {
        metric.name + suffix: metric.name
        for metric in REGISTRY.collect()
        if metric.name.startswith("moderation_")
        for suffix in suffixes[metric.type]
    }


def samples_of(expression: str) -> set[str]:
    return set(SAMPLE.findall(expression))


def test_every_alert_asks_for_metrics_that_there_are():
    for rule in rules():
        assert samples_of(rule["expr"]) <= set(known_samples()), rule["alert"]


def test_every_panel_asks_for_metrics_that_there_are():
    for panel in panels():
        for target in panel["targets"]:
            used = samples_of(target["expr"])
            assert used, panel["title"]
            assert used <= set(known_samples()), panel["title"]


def test_the_dashboard_shows_every_metric():
    samples = known_samples()
    shown = {samples[name] for panel in panels() for t in panel["targets"] for name in samples_of(t["expr"])}
    assert shown == set(samples.values())


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    pages = {path.stem for path in (DEPLOY / "runbooks").glob("*.md")} - {"README"}
    assert {rule["alert"] for rule in rules()} == pages
    index = (DEPLOY / "runbooks" / "README.md").read_text("utf-8")
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"deploy/runbooks/{rule['alert']}.md"
        assert f"]({rule['alert']}.md)" in index
        page = (DEPLOY / "runbooks" / f"{rule['alert']}.md").read_text("utf-8")
        assert rule["annotations"]["summary"] in page


def test_every_alert_is_seen_to_fire():
    tried = yaml.safe_load((ALERTS.parent / "alerts.test.yaml").read_text("utf-8"))["tests"]
    fired = {case["alertname"] for one in tried for case in one["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
@pytest.mark.parametrize("command", [("check", ALERTS.name), ("test", "alerts.test.yaml")])
def test_prometheus_takes_the_rules_and_they_fire_when_they_should(command: tuple[str, str]):
    verb, file = command
    done = subprocess.run(
        ["promtool", verb, "rules", file], cwd=ALERTS.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_prometheus_takes_what_the_panels_ask(tmp_path: Path):
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    recorded = [
        {
            "record": f"panel:{number}",
            "expr": query.replace("$job", "moderation").replace("$__rate_interval", "5m"),
        }
        for number, query in enumerate(asked)
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}), "utf-8")
    done = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(asked)} rules found" in done.stdout


@pytest.mark.parametrize("file", ["moderation.yaml", "secret.example.yaml"])
def test_the_manifests_fit_the_schemas_of_kubernetes(file: str):
    for document in yaml.safe_load_all((DEPLOY / "kubernetes" / file).read_text("utf-8")):
        validate(document, KUBERNETES, strict=True)


def test_every_setting_named_anywhere_is_one():
    known = {setting.variable for setting in SETTINGS}
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.suffix in {".yaml", ".service", ".example", ".md", ""}:
            named = set(re.findall(r"\bMODERATION_[A-Z][A-Z_]*[A-Z]\b", path.read_text("utf-8")))
            assert named <= known, path.name


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.*")), ids=lambda path: path.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path):
    # Programs of an installation are not here: an existing one stands in for them.
    text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE)
    copy = tmp_path / unit.name
    copy.write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    own = [line for line in done.stderr.splitlines() if unit.name in line]
    assert done.returncode == 0, done.stderr
    assert own == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_the_units_may_do_little(unit: Path):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_the_compose_file_asks_for_what_its_example_names_and_its_parts_are_there():
    text = (DEPLOY / "compose" / "compose.yaml").read_text("utf-8")
    compose = yaml.safe_load(text)
    example = (DEPLOY / "compose" / "environment.example").read_text("utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    services = compose["services"]
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert named == set(compose["volumes"])
    for service in services.values():
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[other]
    build = services["moderation"]["build"]
    assert (DEPLOY / "compose" / build["context"] / build["dockerfile"]).is_file()


def test_the_image_is_built_from_what_the_ignore_file_lets_through():
    container = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    ignored = (ROOT / ".dockerignore").read_text("utf-8")
    let_through = set(re.findall(r"^!(\S+)$", ignored, re.MULTILINE))
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", container, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert {"moderation", "classifiers", "requirements.lock"} <= copied <= let_through
    assert all((ROOT / source).exists() for source in copied)


def test_the_wordpress_connector_is_there_in_arabic_to_the_last_sentence():
    folder = Path(__file__).parents[3] / "deploy" / "wordpress" / "comment-desk"
    with (folder / "languages" / "comment-desk-ar.mo").open("rb") as compiled:
        arabic = gettext.GNUTranslations(compiled)
    call = re.compile(r"\b(?:esc_(?:html|attr)_)?_?_?[_ex]+\(\s*'((?:[^'\\]|\\.)+)',\s*'comment-desk'")
    sources = [file.read_text("utf-8") for file in folder.rglob("*.php")]
    found = {match.replace("\\'", "'") for source in sources for match in call.findall(source)}
    assert len(found) > 50
    missing = {words for words in found if not re.search(r"[\u0600-\u06ff]", arabic.gettext(words))}
    assert missing <= {"%1$s %2$s%%"}


def test_the_wordpress_connector_says_reasons_as_the_desk_does():
    folder = Path(__file__).parents[3] / "deploy" / "wordpress" / "comment-desk"
    source = (folder / "includes" / "class-comment-desk-reasons.php").read_text("utf-8")
    said = dict(re.findall(r"'([a-z_]+)'\s+=> __\( '((?:[^'\\]|\\.)+)'", source))
    with (folder / "languages" / "comment-desk-ar.mo").open("rb") as compiled:
        arabic = gettext.GNUTranslations(compiled)
    for code in ReasonCode:
        english = said.pop(code.value).replace("\\'", "'")
        assert english == message(code.value, "en"), code
        assert arabic.gettext(english) == message(code.value, "ar"), code
    assert not said


def words_of_the_program() -> set[str]:
    """Every string, name of a field and name of a parameter in the code: what a log line, a metric or an answer can hold."""
    found: set[str] = set()
    for path in (ROOT / "moderation").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword | ast.arg) and node.arg is not None:
                found.add(node.arg)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return found


OPERATORS_PAGES = [
    *(DEPLOY / "runbooks").glob("*.md"),
    *(ROOT / "docs" / name for name in ("admins.md", "learning.md", "reliability.md", "settings.md")),
]


def test_what_the_runbooks_and_guides_tell_to_look_for_can_be_found():
    words, samples = words_of_the_program(), known_samples()
    for page in OPERATORS_PAGES:
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        metrics = set(SAMPLE.findall(page.read_text("utf-8")))
        assert metrics <= {*samples, *samples.values()}, page.name
        told = set(re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`", text))
        assert told - words - metrics == set(), (
            f"{page.name} tells to look for what no line, field or command says"
        )
