"""A `report.json` may be anything: what is no report of a retraining is refused in words, what is one is drawn and printed."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.errors import ForeignReportError
from classifiers.page_words import TOO_FEW_ROWS
from classifiers.site.kept import read_report
from classifiers.site.page import render
from classifiers.site.reports import Note
from moderation.cli.model_reports import report_words

FIGURE = {"value": 0.8, "low": 0.7, "high": 0.9}
REPORT = {
    "version": "a", "active": "b", "snapshot": "c", "is_by_time": True, "counts": {"seen": 9},
    "slices": [{"output": "spam", "kind": "length", "name": "to 60", "rows": 9, "positives": 4,
                "measures": {"new": {"auc": FIGURE, "log_loss": FIGURE}, "active": {"auc": FIGURE}}}],
    "labellers": [{"actor": "m1", "output": "spam", "labels": 60, "contradicted": 0.5, "excess": 0.3, "standard_errors": 5.0, "is_outlier": True}],
    "changes": {"rows": 9, "before": {"hold": 0.5}, "after": {"hold": 0.4},
                "differently": [{"id": "i", "before": "hold", "after": "approve", "said": "spam"}]},
    "notes": [["language_not_learned", "fa: 2 rows"], {"code": "language_not_learned", "sentence": TOO_FEW_ROWS, "fields": {"language": "fa", "rows": 2}, "words": "fa"}],
    "curves": {"spam": {"new": {"precision": [[0.1, 0.9]], "calibration": [[0.5, 0.5]], "histogram": [0.1] * 10}}},
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just([[]]), st.just({"new": None}), st.just(10**400), st.just(float("nan")),
)  # fmt: skip


def _places(value, path=()):
    """Return the paths to everything inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [
        here
        for key, item in inner
        for here in ((*path, key), *_places(item, (*path, key)))
    ]  # fmt: skip


PLACES = _places(REPORT)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(st.just("gone"), ODD)), min_size=1, max_size=3))
def test_whatever_stands_in_a_report_it_is_shown_or_refused_in_words(changes):
    found = copy.deepcopy(REPORT)
    for (*outer, last), odd in changes:
        target = found
        try:
            for step in outer:
                target = target[step]
            if odd == "gone":
                del target[last]
            else:
                target[last] = odd
        except (KeyError, IndexError, TypeError):
            continue
    try:
        kept = read_report(found)
    except ForeignReportError as error:
        assert "no report of this program's retraining" in str(error)
    else:
        assert report_words(kept)
        assert "<html" in render(found, [], language="ar")


@pytest.mark.parametrize("found", [None, [], 7, "x", {}, {"slices": []}, {"accuracy": 0.9, "version": "a"}])
def test_a_report_without_its_parts_is_refused_saying_which(found):
    with pytest.raises(ForeignReportError, match=r"missing required field `|got `"):
        render(found, [])


def test_a_report_of_today_loses_nothing():
    kept = read_report(REPORT)
    assert kept["slices"][0]["measures"]["new"]["auc"] == FIGURE
    assert json.loads(json.dumps(kept["curves"])) == REPORT["curves"]


@pytest.mark.parametrize(
    "sentence", ["{rows.__class__}", "{rows:>999999999}", "{0}", "{", "{absent}", TOO_FEW_ROWS]
)
def test_a_foreign_sentence_is_shown_as_it_stands_and_never_filled_in(sentence):
    note = Note.of({"code": "c", "sentence": sentence, "fields": {"rows": 1}})
    assert note.words() == sentence
