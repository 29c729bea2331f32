"""The command `moderation models retrain`, inside this process: what it reads, what it refuses, and its exit codes."""

import gzip
import json
from dataclasses import replace
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
        ('{"text": "x", "mark": 1}\n' * 9, "--label-column"),
        ("", "no row"),
        ('{"words": "x", "abuse": 1}\n', "no column 'text'"),
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
    table.write_text("words,abuse\nx,1\n")
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
    assert "rows_without_text: 3 rows passed over" in done.stderr
    assert "log.jsonl: line 1 has no column" in done.stderr


def test_a_second_file_without_the_column_is_named(log, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("words,abuse\nx,1\n")
    said = fail("models", "retrain", "--data", str(log), str(other), "--out", str(tmp_path / "model"))
    assert "other.csv: row 1 has no column 'text'" in said


def test_wrong_values_are_told_by_line_and_keep_no_other_row_from_being_learned_from(log, tmp_path):
    whole = log.read_text("utf-8")
    bad = [
        '{"text": "a", "abuse": 7}', '{"text": "b", "state": "odd"}', '{"text": "c", "abuse": 1, "created_at": "soon"}',
        *['{"text": "d", "weight": -1}'] * 30,
    ]  # fmt: skip
    log.write_text("\n".join([*bad, whole]), "utf-8")
    done = run("models", "retrain", "--data", str(log), "--out", str(tmp_path / "model"), "--json")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["faults"] == {"rows_without_text": 0, "rows_with_a_wrong_value": 32, "times_left_out": 1}
    assert said["counts"]["learned_from"] == whole.count("\n") + 1
    assert "log.jsonl: line 1: 'abuse' is neither" in done.stderr
    assert "log.jsonl: line 3: 'created_at'" in done.stderr
    assert "and 12 more" in done.stderr


def test_who_labels_otherwise_than_everybody_else_is_named(tmp_path):
    rows = site_data.log(600, actors=("a", "b", "c", "d", "e", "flips"), noise=0.02)
    log = tmp_path / "log.jsonl"
    with log.open("w", encoding="utf-8") as file:
        for row in rows:
            said = replace(row, abuse=1 - row.abuse, reject=1 - row.reject) if row.actor == "flips" else row
            file.write(json.dumps(site_data.record(said) | {"moderator": row.actor}) + "\n")
    done = run("models", "retrain", "--data", str(log), "--out", str(tmp_path / "model"))
    assert "labels far from everybody else's, counted less:\n  flips: " in done.stdout
    assert " may take over." in done.stdout or "kept as a candidate" in done.stdout


def test_texts_that_are_labelled_both_ways_are_counted(tmp_path):
    rows = site_data.log(200)
    log = site_data.write(tmp_path / "log.jsonl", rows)
    with log.open("a", encoding="utf-8") as file:
        for row in rows[:5]:
            said = site_data.record(row) | {
                "id": f"again-{row.id}",
                "state": "approved" if row.reject else "rejected",
                "reason": "insult",
            }
            file.write(json.dumps(said) + "\n")
    done = run("models", "retrain", "--data", str(log), "--out", str(tmp_path / "model"), "--json")
    assert done.exit_code in {0, CANDIDATE}, done.stderr
    assert "contradictory_labels: reject: 5 texts are labelled both ways" in done.stderr


def test_a_stated_share_is_met_and_two_numbers_are_fitted_by_option(tmp_path):
    rows = site_data.log(300, site_data.ARABIC, language="ar", noise=0.02)
    log, out = site_data.write(tmp_path / "log.jsonl", rows), str(tmp_path / "model")
    assert get("models", "retrain", "--data", str(log), "--out", out, "--share-abuse", "0.07")["shares"] == {
        "abuse": 0.07
    }
    scored = run("models", "score", str(log), "--model", out).stdout.splitlines()
    assert sum(json.loads(line)["abuse"] for line in scored) / len(scored) == pytest.approx(0.07, abs=0.005)
    done = run("models", "retrain", "--data", str(log), "--out", out, "--two-parameters", "--json")
    assert json.loads(done.stdout)["strengths"]["abuse"] == {"prior": 1.0}
    fail("models", "retrain", "--data", str(log), "--out", out, "--share-abuse", "2", code=WRONG_USAGE)
    fail("models", "retrain", "--site", "x", "--share-abuse", "0.1", code=WRONG_USAGE)


def test_a_share_needs_no_labels_and_looks_for_none(tmp_path):
    file = tmp_path / "recent.jsonl"
    lines = [{"text": f"a good article {at}", "label": at % 3} for at in range(200)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ("--data", str(file), "--share-spam", "0.05", "--out", str(tmp_path / "model"))
    assert get("models", "retrain", *words)["columns"] == {}


def test_a_third_class_after_many_rows_ends_the_run_and_writes_nothing(tmp_path):
    file = tmp_path / "late.jsonl"
    lines = [{"text": f"{row.text}", "class": row.abuse} for row in site_data.log(2_100)] + [
        {"text": "x", "class": 2}
    ]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    said = fail("models", "retrain", "--data", str(file), "--out", str(tmp_path / "out" / "model"))
    assert "late.jsonl: line 2101: column 'class' holds more than yes and no" in said
    assert list((tmp_path / "out").iterdir()) == []
