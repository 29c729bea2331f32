"""`moderation models`: scores for every line of a file, without a database."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from tests.program import PROGRAM
from tests.terminal import FAILED, TIMEOUT_S, WRONG_USAGE, Operator


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


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    file = tmp_path / "labelled.csv"
    rows = [
        ("Thank you for a good article", 0),
        ("you are a stupid idiot and a moron", 1),
        ("The court should look at the evidence", 0),
        ("shut up you pathetic filthy loser", 1),
    ]
    file.write_text("body,abuse\n" + "".join(f"{text},{label}\n" for text, label in rows), "utf-8")
    return file


def test_a_model_is_measured_in_words_in_json_and_on_a_page(
    operator: Operator, labelled: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    arguments = ("models", "evaluate", str(labelled), "--text-column", "body")
    found = operator.get(*arguments, "--report", str(page))
    everything = found["parts"][0]
    assert [everything[name] for name in ("output", "kind", "rows", "positives")] == ["abuse", "all", 4, 2]
    assert everything["figures"]["auc"]["value"] == 1
    assert page.stat().st_mode & 0o777 == 0o600
    assert "<svg" in page.read_text("utf-8")
    assert "idiot" not in page.read_text("utf-8")
    assert "macro-F1" in operator.say(*arguments)
    assert "column 'body' is read as text" in operator.run("models", "evaluate", str(labelled)).stderr
    again = operator.run(*arguments, "--report", str(page))
    assert again.returncode == WRONG_USAGE
    assert "there already" in again.stderr


def test_two_models_are_compared_and_texts_stand_in_the_page_only_if_asked_for(
    operator: Operator, labelled: Path, tmp_path: Path
) -> None:
    arguments = ("models", "compare", "shipped", "shipped", str(labelled), "--text-column", "body")
    found = operator.get(*arguments)
    assert found["differently"] == 0
    assert found["parts"][0]["difference"]["auc"] == {"value": 0, "low": 0, "high": 0}
    assert "judged differently: 0 of 4" in operator.say(*arguments, "--report", str(tmp_path / "page.html"))
    assert operator.run(*arguments, "--texts").returncode == WRONG_USAGE


def test_what_cannot_be_measured_is_said_in_a_sentence(
    operator: Operator, labelled: Path, lines: Path, tmp_path: Path
) -> None:
    unnamed = tmp_path / "unnamed.csv"
    unnamed.write_text(labelled.read_text("utf-8").replace("body,", "remark,", 1), "utf-8")
    assert "no column 'text'" in operator.fail("models", "evaluate", str(unnamed))
    assert "label" in operator.fail("models", "evaluate", str(lines))
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert "holds no rows" in operator.fail("models", "evaluate", str(empty))
    assert operator.run("models", "evaluate").returncode == WRONG_USAGE
