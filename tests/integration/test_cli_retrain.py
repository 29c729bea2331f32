"""`moderation models retrain`: from files to a folder that `models score` takes, and every way to be refused."""

import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.program import PROGRAM
from tests.terminal import DONE, FAILED, TIMEOUT_S, WRONG_USAGE, Operator
from tests.unit.classifiers import site_data

CANDIDATE = 3


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return site_data.write(tmp_path / "log.jsonl", site_data.log(400))


def test_a_log_becomes_a_model_that_scores_what_the_site_rejects(
    operator: Operator, log: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    report = operator.get("models", "retrain", "--data", str(log), "--out", str(out))
    assert report["is_promotable"]
    assert report["outputs"] == ["abuse", "reject"]
    assert not operator.data_dir.exists()
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


def test_several_files_packed_tables_too(operator: Operator, log: Path, tmp_path: Path) -> None:
    table = tmp_path / "more.csv.gz"
    with gzip.open(table, "wt", encoding="utf-8") as file:
        file.write(
            "body,abuse\n" + "".join(f'"{row.text}",{row.abuse}\n' for row in site_data.log(60, seed=6))
        )
    renamed = tmp_path / "renamed.jsonl"
    renamed.write_text(log.read_text("utf-8").replace('"text"', '"body"'), "utf-8")
    words = ("--text-column", "body", "--data", str(renamed), str(table), "--out", str(tmp_path / "model"))
    assert operator.get("models", "retrain", *words)["counts"]["learned_from"] == 460


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('{"text": "x", "abuse": 1}\n' * 90, "rarer kind"),
        ('{"text": "x"}\n' * 9, "no row"),
        ("", "no row"),
        ('{"body": "x", "abuse": 1}\n', "no column 'text'"),
        ('{"text": "x", "abuse": 7}\n', "'abuse'"),
        ('{"text": "x", "state": "odd"}\n', "'state'"),
        ("{nope\n", "line 1"),
    ],
)
def test_bad_labels_are_named_and_nothing_is_written(
    operator: Operator, tmp_path: Path, content: str, word: str
) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(content)
    said = operator.fail(
        "models", "retrain", "--data", str(file), "--out", str(tmp_path / "out" / "model"), code=FAILED
    )
    assert word in said
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_not_utf_8_or_lacks_the_column_is_named(operator: Operator, tmp_path: Path) -> None:
    latin, table = tmp_path / "latin.jsonl", tmp_path / "table.csv"
    latin.write_bytes('{"text": "é", "abuse": 1}\n'.encode("latin-1"))
    table.write_text("comment,abuse\nx,1\n")
    out = str(tmp_path / "model")
    assert "not UTF-8" in operator.fail("models", "retrain", "--data", str(latin), "--out", out)
    assert "no column 'text'" in operator.fail("models", "retrain", "--data", str(table), "--out", out)
    assert not Path(out).exists()


def test_what_is_missing_is_asked_for(operator: Operator, log: Path) -> None:
    assert "--data" in operator.fail("models", "retrain", "--out", "x", code=WRONG_USAGE)
    assert "--out" in operator.fail("models", "retrain", "--data", str(log), code=WRONG_USAGE)


def test_a_worse_model_is_kept_as_a_candidate(operator: Operator, log: Path, tmp_path: Path) -> None:
    good = tmp_path / "good"
    operator.get("models", "retrain", "--data", str(log), "--out", str(good))
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    for row in rows[:280]:
        row["state"] = {"approved": "rejected", "rejected": "approved"}[row["state"]]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bad = tmp_path / "bad"
    done = operator.run(
        "models", "retrain", "--data", str(log), "--out", str(bad), "--active", str(good), "--json"
    )
    assert done.returncode == CANDIDATE, done.stderr
    report = json.loads(done.stdout)
    assert not report["is_promotable"]
    assert any(refusal["code"].startswith("slice_worse") for refusal in report["refusals"])
    assert (bad / "manifest.json").is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_the_model_before_and_the_next_one_works(
    operator: Operator, log: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out" / "model"
    words = ("models", "retrain", "--data", str(log), "--out", str(out))
    before = operator.get(*words)["version"]
    process = subprocess.Popen(
        [*PROGRAM, *words], env=operator.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + TIMEOUT_S
    while not list(out.parent.glob(".model.new-*")):
        assert time.monotonic() < deadline
        assert process.poll() is None
    os.kill(process.pid, number)
    assert process.wait(timeout=TIMEOUT_S) != DONE
    assert operator.get("models", "show", "--model", str(out))["version"] == before
    assert operator.get(*words)["version"] == before
    assert [path.name for path in out.parent.iterdir()] == ["model"]
