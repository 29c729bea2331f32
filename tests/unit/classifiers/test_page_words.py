"""Everything that a report page says is said in Arabic, too."""

import ast
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import classifiers
from classifiers.evaluation import page
from classifiers.evaluation.figures import FIGURES, Judged
from classifiers.evaluation.page import WORDS
from classifiers.evaluation.parts import Part
from classifiers.page_words import ARABIC, TOO_FEW_LABELS, direction, speaker
from classifiers.site import gates, plots
from classifiers.site import page as page_of_site
from classifiers.site.judgement import SINCE
from classifiers.site.labels import OUTPUTS

ROOT = Path(classifiers.__file__).parent
TEMPLATES = [ROOT / "site" / "report.html.j2", ROOT / "evaluation" / "report.html.j2"]
MODULES = [
    ROOT / "site" / "page.py",
    ROOT / "site" / "plots.py",
    ROOT / "evaluation" / "page.py",
]
NOTING = ROOT / "site" / "run.py"


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_a_template_says_nothing_that_is_not_translated(path):
    template = path.read_text("utf-8")
    said = set(re.findall(r'"([^"]*)"', " ".join(re.findall(r"\bt\(([^{}]*(?:\{\}[^{}]*)*)\)", template))))
    said -= {""}
    assert len(said) > 20
    assert said <= ARABIC.keys()
    body = re.sub(r"(?s)<style>.*?</style>|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", template)
    assert re.findall(r"[A-Za-z]{2,}", body) == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_nothing_that_is_not_translated(path):
    said = {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "say"
        and isinstance(node.args[0], ast.Constant)
    }
    assert said
    assert said <= ARABIC.keys()


REPORT = {
    "version": "a", "active": "b", "snapshot": "c", "is_by_time": True, "counts": {"seen": 9},
    "slices": [{"output": "spam", "kind": "length", "name": "to 60", "rows": 9, "positives": 4, "measures": {"new": {}}}],
    "labellers": [{"actor": "m1", "output": "spam", "labels": 60, "contradicted": 0.5, "standard_errors": 5.0, "is_outlier": True}],
    "changes": {
        "rows": 9, "before": {"hold": 0.5}, "after": {"hold": 0.4},
        "differently": [{"id": "i", "before": "hold", "after": "approve", "said": "spam, insult"}],
    },
    "notes": [["language_not_learned", "fa: 2 rows are too few"], {"code": "n", "sentence": TOO_FEW_LABELS, "fields": {"output": "hate", "positive": 1, "negative": 2}}],
}  # fmt: skip
REFUSALS = [
    gates._refusal(f"{gates.SLICE_WORSE}_auc", {"active": 0.9, "new": 0.8, "low": -0.2, "high": -0.1}, "abuse", "length", "to 60"),
    gates._refusal(gates.HEAD_LOST, {}, "abuse", "language", "ko"),
    gates._refusal(gates.FAILED_CASE, {"new": 0.8, "wanted": 0.5}, "abuse", "case", "7"),
    gates._refusal(gates.NOT_PROVEN, {"auc": 0.5, "low_of_folds": 0.4}, "reject"),
]  # fmt: skip


def test_an_arabic_page_says_in_arabic_what_it_knows_in_words(monkeypatch):
    said = set()
    monkeypatch.setattr(page_of_site, "speaker", lambda language: lambda word: said.add(word) or word)
    page_of_site.render(REPORT, [asdict(one) for one in REFUSALS], {"i": "t"}, language="ar")
    assert len(said) > 50
    names = {
        "ko",
        "7",
        "fa: 2 rows are too few",
        "{words}",
        "n",
    }  # of languages and cases; and of a report kept by an older version
    assert said - names - {""} <= ARABIC.keys()


def test_what_a_page_says_of_a_gate_and_of_a_note_is_in_its_language():
    page = page_of_site.render(REPORT, [asdict(one) for one in REFUSALS], {"i": "<b>t</b>"}, language="ar")
    assert "إساءة، الطول حتى 60" in page
    assert "المعمول به 0.900" in page
    assert "إساءة، الحالة 7" in page
    assert "كراهية: 1 من الوسوم موجب و2 سالب" in page
    assert "إعلان مزعج، إهانة" in page
    assert "&lt;b&gt;t&lt;/b&gt;" in page
    page = page_of_site.render(
        REPORT, [{"code": "must_pass", "where": "abuse, case 7", "numbers": {"new": 0.8}}]
    )
    assert "abuse, case 7" in page  # kept by a version that said it in one piece
    assert "hate: 1 positive and 2 negative labels" in page


@pytest.mark.parametrize("models", [1, 2])
def test_plots_say_nothing_that_is_not_translated(models):
    said = set()

    def say(word):
        said.add(re.sub(r"\d+%", "{}", word))  # what is said and filled in goes by here again
        return word

    judged = Judged(np.array([0, 1], np.int8), np.array([0.2, 0.8]), np.array([0, 1], np.int8))
    page._drawn(Part("spam", "all", "all", 2, 1, 0, [judged] * models, [], []), say=say)
    plots.histogram({"new": page._curves(judged)}, say)
    assert {"false positives", "share of comments, to {}", "Precision and recall"} <= said
    assert said <= ARABIC.keys()


def test_every_note_and_every_count_of_a_retraining_has_words():
    codes = {
        node.args[0].value
        for node in ast.walk(ast.parse(NOTING.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Note"
    }
    assert len(codes) >= 4
    assert codes <= ARABIC.keys()
    assert {
        "seen",
        "unlabelled",
        "learned_from",
        *(f"labels_{output}" for output in OUTPUTS),
    } <= ARABIC.keys()


def test_codes_and_figures_have_words():
    codes = {
        *OUTPUTS,
        *(WORDS[name] for name in FIGURES),
        gates.FAILED_CASE,
        gates.NOT_PROVEN,
        gates.TOO_FEW_TO_JUDGE,
        gates.HEAD_LOST,
        SINCE,
    }
    codes |= {
        f"{gates.SLICE_WORSE}_auc",
        f"{gates.SLICE_WORSE}_log_loss",
        "approve",
        "hold",
        "pass",
        "doubt",
        "positive",
        "negative",
    }
    assert codes <= ARABIC.keys()
    for english, arabic in ARABIC.items():
        assert english.count("{}") == arabic.count("{}")


def test_english_is_the_sentence_itself_and_arabic_is_written_from_the_right():
    assert speaker("en")("Data") == "Data"
    assert speaker("ar")("Data") == ARABIC["Data"]
    assert (direction("en"), direction("ar")) == ("ltr", "rtl")
