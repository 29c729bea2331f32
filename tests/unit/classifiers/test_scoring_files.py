"""Every line of a file gets its line of scores, or the error names it."""

import gzip
import json

import pytest

from classifiers.errors import DatasetError
from classifiers.scoring_files import score_file

KEYS = ["row", "language", "spam", "abuse", "insult", "obscene", "threat", "hate", "reject"]
TEXTS = ["مقال جميل", "you idiot", "", "Das ist ein sehr guter Artikel für Sie", 'كلب, "كلب"\nسطر ثان'] * 40


def write(path, content):
    if path.suffix == ".gz":
        with gzip.open(path, "wb") as file:
            file.write(content)
    else:
        path.write_bytes(content)
    return path


def json_lines(texts, column="text"):
    return "".join(json.dumps({column: text}) + "\n" for text in texts).encode()


def csv_lines(texts):
    quoted = [text.replace('"', '""') for text in texts]
    return ("id,text\n" + "".join(f'{at},"{text}"\n' for at, text in enumerate(quoted))).encode()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz"])
def test_each_record_is_scored_in_order(shipped, tmp_path, name):
    content = csv_lines(TEXTS) if ".csv" in name else json_lines(TEXTS)
    scores = list(score_file(shipped, write(tmp_path / name, content)))
    assert [score["row"] for score in scores] == list(range(1, len(TEXTS) + 1))
    assert all(list(score) == KEYS for score in scores)
    assert [score["abuse"] for score in scores] == [score.abuse for score in shipped.score(TEXTS)]


def test_another_column_may_hold_the_text(shipped, tmp_path):
    path = write(tmp_path / "a.jsonl", json_lines(["hello"], column="words"))
    assert len(list(score_file(shipped, path, text_column="words"))) == 1
    with pytest.raises(DatasetError, match="line 1 has no column 'text'"):
        list(score_file(shipped, path))


def test_a_byte_order_mark_and_a_huge_comment_are_read(shipped, tmp_path):
    huge = "كلام " * 50_000
    path = write(tmp_path / "a.csv", b"\xef\xbb\xbf" + csv_lines(["hello", huge]))
    assert len(list(score_file(shipped, path))) == 2
    path = write(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + json_lines([huge]))
    assert len(list(score_file(shipped, path))) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is not JSON"),
        ("a.jsonl", b'{"text": "a"}\n\n{"text": "b"}\n', "line 2 is empty"),
        ("a.jsonl", b'{"text": "a"}\n["text"]\n', "line 2 is not a JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n', "line 2 is not UTF-8"),
        ("a.jsonl", b'{"text": 5}\n', "line 1: column 'text' does not hold text"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1 is not JSON"),
        ("a.csv", b"id,text\n1,a\n2\n", "line 3 .row 2. has another number of columns"),
        ("a.csv", b"id,text\n1,a\n2,b,c\n", "line 3 .row 2. has another number of columns"),
        ("a.csv", b'id,text\n1,"a"b\n', "row that begins at line 2 is not CSV"),
        ("a.csv", b"id,text\n1,\xff\n", "line 2 is not UTF-8"),
        ("a.csv", b"id,words\n1,a\n", "has no column 'text'"),
        ("a.txt", b"hello\n", "its first line has none"),
        ("a.pdf", b"hello\n", "unknown kind of file"),
    ],
)
def test_a_broken_line_is_named_after_the_good_ones(shipped, tmp_path, name, content, message):
    with pytest.raises(DatasetError, match=message):
        list(score_file(shipped, write(tmp_path / name, content)))


def test_blank_lines_at_the_end_are_nothing(shipped, tmp_path):
    path = write(tmp_path / "a.jsonl", json_lines(["hello"]) + b"\n \n")
    assert len(list(score_file(shipped, path))) == 1


def test_a_record_whose_text_is_null_keeps_its_place(shipped, tmp_path):
    path = write(tmp_path / "a.jsonl", json_lines(["hello", None, "idiot"]))
    first, second, third = score_file(shipped, path)
    assert second == {"row": 2} | dict.fromkeys(KEYS[1:])
    assert (first["row"], third["row"]) == (1, 3)
    assert [first["abuse"], third["abuse"]] == [one.abuse for one in shipped.score(["hello", "idiot"])]


def test_what_stands_before_a_broken_line_is_scored(shipped, tmp_path):
    path = write(tmp_path / "a.jsonl", json_lines(TEXTS[:70]) + b"{\n" + json_lines(TEXTS[:5]))
    scores = score_file(shipped, path)
    assert [next(scores)["row"] for _ in range(70)] == list(range(1, 71))
    with pytest.raises(DatasetError, match="line 71"):
        next(scores)


def test_a_damaged_archive_is_a_dataset_error(shipped, tmp_path):
    path = write(tmp_path / "a.jsonl.gz", json_lines(TEXTS))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError):
        list(score_file(shipped, path))
    path.write_bytes(b"plain")
    with pytest.raises(DatasetError):
        list(score_file(shipped, path))


def test_an_absent_file_is_a_dataset_error(shipped, tmp_path):
    with pytest.raises(DatasetError):
        list(score_file(shipped, tmp_path / "a.jsonl"))


def test_an_empty_file_gives_nothing(shipped, tmp_path):
    assert list(score_file(shipped, write(tmp_path / "a.jsonl", b""))) == []
