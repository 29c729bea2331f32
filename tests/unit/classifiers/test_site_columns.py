"""Files of other programs and of published corpora are read by the names and words that are customary there; doubt is refused."""

import json

import pytest

from classifiers.errors import DatasetError, DoubtfulColumnError
from classifiers.scoring_files import score_file
from classifiers.site.columns import Wished, opened, recognise, said
from classifiers.site.labels import from_record
from classifiers.site.language_codes import code_of


def read(records, **wished):
    """Return the label of each record, by output."""
    columns = recognise(records, Wished(**wished), "f")
    found = []
    for record in records:
        row = from_record(columns.plain(record, "f", 1), name="f", row=1, text_column=columns.text)
        found.append({name: row.label(name) for name in ("spam", "abuse", "reject", "hate", "threat")})
    return [{name: label for name, label in one.items() if label is not None} for one in found]


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ([{"text": "x", "label": 1}, {"text": "y", "label": 0}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"text": "x", "Label": "OFF"}, {"text": "y", "Label": "NOT"}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"text": "x", "labels": "not_hate"}, {"text": "y", "labels": "hate"}], [{"abuse": 0}, {"abuse": 1}]),
        ([{"text": "x", "label": "spam"}, {"text": "y", "label": "ham"}], [{"spam": 1}, {"spam": 0}]),
        ([{"text": "x", "is_offensive": True}, {"text": "y", "is_offensive": None}], [{"abuse": 1}, {}]),
        ([{"text": "x", "labels": ["offensive", "hate"]}, {"text": "y", "labels": []}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"text": "x", "label": "none"}, {"text": "y", "label": "hate,offensive"}], [{"abuse": 0}, {"abuse": 1}]),
        ([{"comment_text": "x", "toxic": "1", "identity_hate": "1"}], [{"abuse": 1, "hate": 1}]),
        ([{"Text": "x", "removed": "true"}], [{"reject": 1}]),
        ([{"التعليق": "س", "التصنيف": "مسيء"}, {"التعليق": "ص", "التصنيف": "غير مسيء"}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"نص": "س", "وسم": "سبام"}, {"نص": "ص", "وسم": "عادي"}], [{"spam": 1}, {"spam": 0}]),
        ([{"text": "س", "abuse": "نعم"}, {"text": "ص", "abuse": "لا"}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"Comment": "x", "Status": "Approved"}, {"Comment": "y", "Status": "rejected"}], [{"spam": 0, "abuse": 0, "reject": 0}, {"reject": 1}]),
        ([{"TEXT": "x", "Abuse": "1"}, {"TEXT": "y", "Abuse": "0"}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"text": "x", "State": "approved", "Hate": 3, "Abuse": 1}], [{"spam": 0, "abuse": 1, "reject": 0}]),
        ([{"text": "x", "State": "CA", "label": 1}, {"text": "y", "State": "NY", "label": 0}], [{"abuse": 1}, {"abuse": 0}]),
        ([{"text": "x", "status": "draft", "label": 1}, {"text": "y", "status": "rejected", "label": 0}], [{"abuse": 1}, {"abuse": 0}]),
        # a label under this program's own name: what is called otherwise says nothing
        ([{"text": "x", "abuse": 0, "label": 1, "toxic": 1}], [{"abuse": 0}]),
        ([{"text": "x", "state": "approved", "label": 1}], [{"spam": 0, "abuse": 0, "reject": 0}]),
        ([{"text": "x", "labels": {"hate": 1}, "class": 0}], [{"hate": 1}]),
        ([{"text": "x", "spam": 1, "toxicity": 0.41, "removed": "2026-01-01"}], [{"spam": 1}]),
        # numbers of annotators, three classes, fractions, subjects: a part of their values would teach the opposite
        ([{"text": "x", "hate_speech": n} for n in (0, 1, 3)], [{}, {}, {}]),
        ([{"text": "x", "class": n} for n in (0, 1, 2)], [{}, {}, {}]),
        ([{"text": "x", "toxicity": n} for n in (0, 0.4, 1)], [{}, {}, {}]),
        ([{"text": "x", "category": "sport"}, {"text": "y", "category": "normal"}], [{}, {}]),
    ],
)  # fmt: skip
def test_customary_columns_are_taken(records, wanted):
    assert read(records) == wanted


def test_what_is_said_outright_goes_before_what_is_customary():
    records = [{"text": "x", "label": 2, "kind": "c"}, {"text": "y", "label": 0, "kind": "a"}]
    assert read(records, label="label", positive=frozenset({"1", "2"})) == [{"abuse": 1}, {"abuse": 0}]
    assert read(records, label="kind", positive=frozenset({"C"}), output="spam") == [{"spam": 1}, {"spam": 0}]
    with pytest.raises(DatasetError, match="no column 'gone'; there are 'text', 'label', 'kind'"):
        read(records, label="gone")


@pytest.mark.parametrize("values", [[1, 0, 2], ["hate", "a"], ["a whole comment that is no label"]])
def test_a_label_that_holds_more_than_yes_and_no_is_refused_and_not_quoted(values):
    with pytest.raises(DoubtfulColumnError, match="--positive") as caught:
        read([{"text": "x", "label": value} for value in values], label="label")
    assert "comment" not in str(caught.value)


def test_a_value_that_is_neither_ends_the_reading_wherever_it_comes():
    columns = recognise([{"text": "x", "label": 1}], Wished(), "f")
    with pytest.raises(DoubtfulColumnError, match=r"f\.jsonl: line 9: column 'label' holds more"):
        columns.plain({"text": "y", "label": "perhaps"}, "f.jsonl", 9)
    assert said("") is said(None) is said("null") is None


def test_labels_that_nobody_reads_are_not_looked_for():
    assert recognise([{"text": "x", "label": 7}], Wished(label="label", reads_labels=False), "f").labels == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", '\ufefftext;label\nx y;1\n"z; w";0\n'),
        ("a.csv", 'text,label\nx y,1\n"z, w",0\n'),
        ("a.tsv", "text\tlabel\nx y\t1\nz w\t0\n"),
        ("a.tsv", "text\tlabel\tone, two\nx y\t1\t\nz w\t0\t\n"),
        ("a.csv", '"id";"so, written";"text";"label"\n1;a;"x y";1\n2;b;"z; w";0\n'),
    ],
)  # fmt: skip
def test_tables_are_read_whatever_separates_their_columns(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    columns, records = opened(path, Wished())
    assert [columns.plain(record, "f", 1)["abuse"] for _, record in records] == [1, 0]


def test_a_file_is_scored_by_the_column_that_holds_its_text(shipped, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": 1, "Comment": text}) + "\n" for text in ("hello", "you idiot")))
    told = []
    assert [line["abuse"] > 0.5 for line in score_file(shipped, path, tell=told.append)] == [False, True]
    assert told == ["a.jsonl: column 'Comment' is read as text"]


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("ko", "ko"), ("kor", "ko"), ("Korean", "ko"), ("pt-BR", "pt"), ("Portuguese (Brazil)", "pt"), ("eng", "en"),
        ("ara", "ar"), ("arz", "ar"), ("zh_Hans", "zh"), ("xyz", "xyz"), ("", None), (None, None), (float("nan"), None),
        ("unknown", None), ("und", None),
    ],
)  # fmt: skip
def test_a_language_has_one_code_however_it_is_stated(stated, code):
    assert code_of(stated) == code


@pytest.mark.parametrize(
    "written",
    [str.upper, str.title, lambda name: f" {name.replace('_', ' ')}", lambda name: name.replace("_", "-")],
)
def test_fields_are_known_however_their_names_are_written(tmp_path, written):
    names = [
        "text",
        "state",
        "reason",
        "created_at",
        "language",
        "site",
        "moderator",
        "author_url",
        "weight",
        "id",
    ]
    values = ["x", "rejected", "spam", "2026-01-02", "Korean", "akhbar", "m1", "https://x.example", "2", "7"]
    path = tmp_path / "a.csv"
    path.write_text(",".join(map(written, names)) + "\n" + ",".join(values) + "\n", "utf-8")
    columns, records = opened(path, Wished())
    ((number, record),) = records
    row = from_record(
        columns.plain(record, path.name, number), name=path.name, row=number, text_column=columns.text
    )
    assert (row.spam, row.reject, row.reason, row.language, row.site, row.actor) == (
        1,
        1,
        "spam",
        "ko",
        "akhbar",
        "m1",
    )
    assert (row.author_url, row.weight, row.id, f"{row.at:%Y-%m-%d}") == (
        "https://x.example",
        2.0,
        "7",
        "2026-01-02",
    )
    assert columns.words() in {"", "column 'TEXT' is read as text", "column 'Text' is read as text"}


def test_a_column_that_stands_for_the_state_is_told():
    columns = recognise([{"text": "x", "Status": "approved"}], Wished(), "f")
    assert columns.words() == "column 'Status' is read as state"
