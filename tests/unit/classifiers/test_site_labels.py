"""Records of data files become labels after DESIGN's meaning of decisions; what is wrong is named by line and field."""

from datetime import UTC, datetime

import pytest

from classifiers.errors import DatasetError
from classifiers.site.labels import OUTPUTS, from_record
from classifiers.site.reservoir import Reservoir, draw
from tests.unit.classifiers import site_data


def read(**record):
    return from_record({"text": "x", **record}, name="f.jsonl", row=3)


def said(**record):
    row = read(**record)
    return {output: row.label(output) for output in OUTPUTS if row.label(output) is not None}


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"state": "approved"}, {"spam": 0, "abuse": 0, "reject": 0}),
        ({"state": "rejected"}, {"reject": 1}),
        ({"state": "rejected", "reason": "spam"}, {"spam": 1, "reject": 1}),
        ({"state": "rejected", "reason": "threat"}, {"abuse": 1, "reject": 1, "threat": 1}),
        ({"state": "rejected", "reason": "abuse"}, {"abuse": 1, "reject": 1}),
        ({"state": "rejected", "reason": "off_topic"}, {"reject": 1}),
        ({"state": "spam"}, {"spam": 1, "reject": 1}),
        ({"state": "trash"}, {"reject": 1}),
        ({"state": "pending"}, {}),
        ({"state": "approved", "abuse": "1"}, {"spam": 0, "abuse": 1, "reject": 0}),
        ({"abuse": "1.0", "spam": ""}, {"abuse": 1}),
        ({"abuse": 0.0, "spam": None, "reject": True}, {"abuse": 0, "reject": 1}),
        ({"labels": {"hate": 1, "other": 1}}, {"hate": 1}),
        ({}, {}),
    ],
)
def test_what_a_record_says(record, wanted):
    assert said(**record) == wanted


def test_the_other_fields():
    row = read(
        lang="pt-BR",
        created_at="2026-01-02T03:04:05+02:00",
        weight="2.5",
        site="s",
        id=7,
        moderator="m",
        reason="spam",
    )
    assert (row.language, row.weight, row.site, row.id, row.actor, row.reason) == (
        "pt",
        2.5,
        "s",
        "7",
        "m",
        "spam",
    )
    assert row.at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert read(created_at="2026-01-02").at == datetime(2026, 1, 2, tzinfo=UTC)
    assert read(created_at=0).at is None or read(created_at=1).at.year == 1970


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({"state": "maybe"}, "'state'"),
        ({"abuse": "2"}, "'abuse'"),
        ({"abuse": "secret words"}, "'abuse'"),
        ({"weight": "0"}, "'weight'"),
        ({"weight": "nan"}, "'weight'"),
        ({"created_at": "yesterday"}, "'created_at'"),
        ({"created_at": 1e30}, "'created_at'"),
        ({"text": 3}, "'text'"),
    ],
)
def test_what_is_wrong_is_named_and_not_quoted(record, word):
    with pytest.raises(DatasetError) as caught:
        read(**record)
    assert str(caught.value).startswith("f.jsonl: line 3")
    assert word in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_small_set_is_kept_whole_and_named_whatever_its_order():
    rows = site_data.log(50)
    sample = draw(rows)
    assert sample.rows == rows
    assert draw(rows[::-1]).snapshot == sample.snapshot
    assert draw(rows[1:]).snapshot != sample.snapshot


def test_a_large_set_is_sampled_without_bias():
    rows = site_data.log(20_000, share=0.05, noise=0)
    sample = draw(rows, max_rows=2000)
    assert len(sample.rows) == 2000
    assert sum(row.abuse for row in sample.rows) > 400
    assert sum(row.weight for row in sample.rows) == pytest.approx(20_000, rel=0.05)
    assert sum(row.weight for row in sample.rows if row.abuse) == pytest.approx(1000, rel=0.1)


def test_long_texts_do_not_grow_the_sample():
    reservoir = Reservoir(max_code_points=50_000)
    for row in site_data.log(100):
        reservoir.add(from_record({"text": row.text * 300, "abuse": row.abuse}, name="f", row=1))
    assert sum(len(row.text) for row in reservoir.sample().rows) <= 50_000
