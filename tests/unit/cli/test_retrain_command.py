"""The command `moderation models retrain`, inside this process: what it reads, what it refuses, and its exit codes."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from moderation.cli.program import program
from tests.terminal import FAILED, WRONG_USAGE
from tests.unit.classifiers import site_data

CANDIDATE = 3


@pytest.fixture
def log(tmp_path):
    return site_data.write(tmp_path / "log.jsonl", site_data.log(400))


def run(*words):
    return CliRunner().invoke(program, words)


def get(*words):
    done = run(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def fail(*words, code=FAILED):
    done = run(*words)
    assert (done.exit_code, done.stdout) == (code, ""), done.stderr
    return done.stderr


def test_several_files_packed_tables_too(log, tmp_path):
    table = tmp_path / "more.csv.gz"
    with gzip.open(table, "wt", encoding="utf-8") as file:
        file.write(
            "body,abuse\n" + "".join(f'"{row.text}",{row.abuse}\n' for row in site_data.log(60, seed=6))
        )
    renamed = tmp_path / "renamed.jsonl"
    renamed.write_text(log.read_text("utf-8").replace('"text"', '"body"'), "utf-8")
    words = ("--text-column", "body", "--data", str(renamed), str(table), "--out", str(tmp_path / "model"))
    assert get("models", "retrain", *words)["counts"]["learned_from"] == 460


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
def test_bad_labels_are_named_and_nothing_is_written(tmp_path, content, word):
    file = tmp_path / "log.jsonl"
    file.write_text(content)
    said = fail(
        "models", "retrain", "--data", str(file), "--out", str(tmp_path / "out" / "model"), code=FAILED
    )
    assert word in said
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_not_utf_8_or_lacks_the_column_is_named(tmp_path):
    latin, table = tmp_path / "latin.jsonl", tmp_path / "table.csv"
    latin.write_bytes('{"text": "é", "abuse": 1}\n'.encode("latin-1"))
    table.write_text("comment,abuse\nx,1\n")
    out = str(tmp_path / "model")
    assert "not UTF-8" in fail("models", "retrain", "--data", str(latin), "--out", out)
    assert "no column 'text'" in fail("models", "retrain", "--data", str(table), "--out", out)
    assert not Path(out).exists()


def test_what_is_missing_is_asked_for(log):
    assert "--data" in fail("models", "retrain", "--out", "x", code=WRONG_USAGE)
    assert "--out" in fail("models", "retrain", "--data", str(log), code=WRONG_USAGE)


def test_a_worse_model_is_kept_as_a_candidate(log, tmp_path):
    good = tmp_path / "good"
    get("models", "retrain", "--data", str(log), "--out", str(good))
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    for row in rows[:280]:
        row["state"] = {"approved": "rejected", "rejected": "approved"}[row["state"]]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bad = tmp_path / "bad"
    done = run("models", "retrain", "--data", str(log), "--out", str(bad), "--active", str(good), "--json")
    assert done.exit_code == CANDIDATE, done.stderr
    report = json.loads(done.stdout)
    assert not report["is_promotable"]
    assert any(refusal["code"].startswith("slice_worse") for refusal in report["refusals"])
    assert (bad / "manifest.json").is_file()


def test_rows_without_text_are_passed_over_and_counted(log, tmp_path):
    whole = log.read_text("utf-8")
    gaps = '{"abuse": 1}\n{"text": null, "abuse": 0}\n{"text": 5, "abuse": 0}\n'
    log.write_text(gaps + whole + "\n\n", "utf-8")
    done = run("models", "retrain", "--data", str(log), "--out", str(tmp_path / "model"), "--json")
    assert done.exit_code in {0, CANDIDATE}, done.stderr
    assert json.loads(done.stdout)["counts"]["seen"] == whole.count("\n")
    assert "rows_without_text: 3 were passed over, the first: log.jsonl: line 1 has no column" in done.stderr


def test_a_second_file_without_the_column_is_named(log, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("comment,abuse\nx,1\n")
    said = fail("models", "retrain", "--data", str(log), str(other), "--out", str(tmp_path / "model"))
    assert "other.csv: line 1 has no column 'text'" in said
