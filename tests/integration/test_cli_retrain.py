"""`moderation models retrain` as a process: from files to a folder that `models score` takes, and killed in between."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.program import PROGRAM
from tests.terminal import DONE, TIMEOUT_S, Operator
from tests.unit.classifiers import site_data


class Trained(NamedTuple):
    """What one run made of a log."""

    log: Path
    out: Path
    report: dict[str, Any]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    log, out = site_data.write(folder / "log.jsonl", site_data.log(400)), folder / "model"
    operator = Operator(folder / "data")
    report = operator.get("models", "retrain", "--data", str(log), "--out", str(out))
    assert not operator.data_dir.exists()
    return Trained(log, out, report)


def test_a_log_becomes_a_model_that_scores_what_the_site_rejects(
    operator: Operator, trained: Trained, tmp_path: Path
) -> None:
    out, report = trained.out, trained.report
    assert report["is_promotable"]
    assert report["outputs"] == ["abuse", "reject"]
    test = site_data.write(tmp_path / "test.jsonl", site_data.log(50, seed=2, noise=0))
    lines = [
        json.loads(line)
        for line in operator.say("models", "score", str(test), "--model", str(out)).splitlines()
    ]
    states = [json.loads(line)["state"] for line in test.read_text("utf-8").splitlines()]
    wrong = sum(
        (line["reject"] > 0.5) != (state == "rejected") for line, state in zip(lines, states, strict=True)
    )
    assert wrong <= 3
    assert {line["language"] for line in lines} == {"ko"}
    page = (out / "report.html").read_text("utf-8")
    assert "<svg" in page
    assert not any(word in page for word in site_data.KOREAN[1])
    assert operator.get("models", "show", "--model", str(out))["version"] == report["version"]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_the_model_before_and_the_next_one_works(
    operator: Operator, trained: Trained, tmp_path: Path, number: signal.Signals
) -> None:
    out, before = tmp_path / "out" / "model", trained.report["version"]
    shutil.copytree(trained.out, out)
    words = ("models", "retrain", "--data", str(trained.log), "--out", str(out))
    process = subprocess.Popen(
        [*PROGRAM, *words],
        env=operator.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background may have SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    deadline = time.monotonic() + TIMEOUT_S
    while not list(out.parent.glob(".model.new-*")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, number)
    assert process.wait(timeout=TIMEOUT_S) != DONE
    assert operator.get("models", "show", "--model", str(out))["version"] == before
    assert operator.get(*words)["version"] == before
    assert [path.name for path in out.parent.iterdir()] == ["model"]
