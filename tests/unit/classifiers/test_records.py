"""Files as spreadsheets and other programs write them are read; what cannot be is told with file and line, in Arabic, too."""

import ast
import gzip
import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import classifiers
from classifiers.errors import DatasetError, NoTextError
from classifiers.page_words import ARABIC, speaker
from classifiers.records import field_text, read_records
from classifiers.site.columns import Wished, opened
from classifiers.site.labels import from_record

ROOT = Path(classifiers.__file__).parent
TABLE = 'text,abuse\r\nنص أول,1\r\n"ثان، وفيه ""اقتباس""\nوسطران",0\r\n'
ROWS = [{"text": "نص أول", "abuse": "1"}, {"text": 'ثان، وفيه "اقتباس"\nوسطران', "abuse": "0"}]
SEMI = re.sub(r"(?<=[^\"]),(?=abuse|[01]\r)|(?<=\"),(?=0\r)", ";", TABLE)


def read(tmp_path, name, content, encoding=None):
    path = tmp_path / name
    path.write_bytes(content)
    return [record for _, record in read_records(path, encoding)]


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("a.csv", TABLE.encode(), None),
        ("a.csv", TABLE.encode("utf-8-sig"), None),
        ("a.CSV", TABLE.encode(), None),
        ("a.csv", TABLE.encode("utf-16"), None),
        ("a.csv", b"\xfe\xff" + TABLE.encode("utf-16-be"), None),
        ("a.csv", TABLE.encode("utf-16-le"), "utf-16-le"),
        ("a.csv", TABLE.encode("utf-8-sig"), "utf-8"),
        ("a.csv", TABLE.encode("utf-16"), "utf-16-le"),
        ("a.csv", TABLE.encode("windows-1256"), "windows-1256"),
        ("a.csv", SEMI.encode(), None),
        ("a.csv", b"sep=;\r\n" + SEMI.encode(), None),
        ("a.csv", b'\xef\xbb\xbf"sep=;"\r\n' + SEMI.encode(), None),
        ("a.txt", SEMI.replace(";", "\t").encode("utf-16"), None),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0), None),
        ("a.csv", TABLE.replace("\nو", " و").replace("\r\n", "\r").encode(), None),
        ("a.csv", TABLE.replace("text,", " text ,").encode() + b"\r\n", None),
    ],
)
def test_a_table_is_read_however_a_spreadsheet_saved_it(tmp_path, name, content, encoding):
    found = read(tmp_path, name, content, encoding)
    assert [{key: " ".join(value.split()) for key, value in row.items()} for row in found] == [
        {key: " ".join(value.split()) for key, value in row.items()} for row in ROWS
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", TABLE.encode("windows-1256"), "a.csv: line 2 is not UTF-8 text; name the encoding it is in, such as --encoding windows"),
        ("a.csv", TABLE.encode("utf-16")[:-1], "is not UTF-16 text"),
        ("a.csv", b"PK\x03\x04" + bytes(40), "a.csv: is a spreadsheet or a packed file"),
        ("a.csv", gzip.compress(b"text\na\n", mtime=0), "a.csv: is a spreadsheet or a packed file"),
        ("a.csv", b'text,abuse\na,1\n"b,1\nc,0\n', "a.csv: the row that begins at line 3 is not CSV: a quotation mark"),
        ("a.csv", b'text,abuse\n"a\nb",1\nc,0,9\n', "a.csv: line 4 (row 2) has another number of columns: 3, and there are 2 names"),
        ("a.jsonl", b'[{"text": "a"},\n', "a.jsonl: line 1 is not JSON by itself"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n' * 900, mtime=0)[:-20], "breaks off"),
        ("a.jsonl", b'{"text": "\xed\xa0\x80"}\n', "line 1 is not UTF-8 text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_file_and_line(tmp_path, name, content, said):
    with pytest.raises(DatasetError, match=re.escape(said)) as caught:
        read(tmp_path, name, content)
    arabic = caught.value.words(speaker("ar"))
    assert name in arabic
    assert re.search("[\u0621-\u064a]{3}", arabic)


@pytest.mark.parametrize("encoding", ["klingon", "utf-8\0", "base64"])
def test_an_encoding_that_is_none_is_refused(tmp_path, encoding):
    with pytest.raises(DatasetError, match="there is no encoding"):
        read(tmp_path, "a.csv", b"text\na\n", encoding)


def test_a_column_is_called_in_arabic_what_the_file_calls_it():
    with pytest.raises(DatasetError) as caught:
        from_record({"text": "x", "spam": "maybe"}, name="a.csv", row=3)
    assert caught.value.words(speaker("ar")) == "a.csv: الصف 3: 'spam' ليس 0 ولا 1 ولا فارغا"


@given(st.binary(max_size=300), st.sampled_from(["f.csv", "f.jsonl", "f.tsv", "f.csv.gz", "f.txt"]))
def test_whatever_bytes_a_file_holds_it_is_read_or_refused_in_words(tmp_path_factory, content, name):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    for encoding in (None, "windows-1256", "utf-16"):
        try:
            list(opened(path, Wished(encoding=encoding))[1])
        except DatasetError as error:
            assert str(error).startswith(name)


def test_every_sentence_about_files_and_labels_is_said_in_arabic_with_the_same_places():
    sentences = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                "DatasetError", "NoTextError", "LabelsError", "DoubtfulColumnError",
            }:  # fmt: skip
                given = node.args[1 if node.func.id == "LabelsError" else 0]
                assert not isinstance(given, ast.JoinedStr), (path, node.lineno)
                if isinstance(given, ast.Constant):
                    sentences.add(given.value)
    assert len(sentences) > 25
    assert sentences <= ARABIC.keys()

    def places(sentence):
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    assert [one for one in sentences if places(one) != places(ARABIC[one])] == []


def test_a_name_that_may_be_a_comment_is_not_repeated(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("هذا تعليق كتبه قارئ في ملف لا أسماء لأعمدته أصلا,1\nآخر,0\n", "utf-8")
    _, records = opened(path, Wished())
    number, record = next(records)
    with pytest.raises(NoTextError) as caught:
        field_text(record, "text", name=path.name, row=number)
    assert "قارئ" not in str(caught.value)
    assert "there are …, '1'" in str(caught.value)
