"""`moderation models`: scores for every line of a file, without a database."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from tests.program import PROGRAM
from tests.terminal import FAILED, TIMEOUT_S, Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data")


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "lines.jsonl"
    texts = ["شكرًا على هذا المقال المفيد", "", "Thank you for a good article"]
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    return file


def test_one_line_of_json_for_each_in_order(operator: Operator, lines: Path) -> None:
    scored = [json.loads(line) for line in operator.say("models", "score", str(lines)).splitlines()]
    names = ["row", "language", "spam", "abuse", "insult", "obscene", "threat", "hate", "reject"]
    assert [list(line) for line in scored] == [names] * 3
    assert [line["row"] for line in scored] == [1, 2, 3]
    assert [scored[0]["language"], scored[2]["language"]] == ["ar", "en"]
    assert all(0 < scored[at]["abuse"] < 1 for at in (0, 2))
    assert not operator.data_dir.exists()


def test_other_columns_and_packed_tables_are_read_and_the_version_names_the_same_model(
    operator: Operator, lines: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "table.csv.gz"
    rows = [json.loads(line)["text"] for line in lines.read_text("utf-8").splitlines()]
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write("id,body\n" + "".join(f'{n},"{row}"\n' for n, row in enumerate(rows)))
    (model,) = operator.get("models", "list")
    plain = operator.say("models", "score", str(lines))
    options = ("--text-column", "body", "--model", model["version"])
    assert operator.say("models", "score", str(packed), *options) == plain


def test_what_cannot_be_read_is_said_with_its_line(operator: Operator, lines: Path) -> None:
    done = operator.run("models", "score", str(lines), "--text-column", "body")
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "line 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_is_not_there_is_refused(operator: Operator, lines: Path, tmp_path: Path) -> None:
    assert "there is no model" in operator.fail("models", "score", str(lines), "--model", "nix")
    (tmp_path / "empty").mkdir()
    operator.fail("models", "score", str(lines), "--model", str(tmp_path / "empty"))


def test_the_card_is_shown(operator: Operator) -> None:
    assert "Model card" in operator.say("models", "show")
    assert set(operator.get("models", "show")) >= {"version", "thresholds", "card"}


def test_a_reader_that_has_seen_enough_is_no_failure_worth_a_traceback(
    operator: Operator, tmp_path: Path
) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text('{"text": "hello there"}\n' * 5000)
    process = subprocess.Popen(
        [*PROGRAM, "models", "score", str(many)],
        env=operator.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=TIMEOUT_S)
