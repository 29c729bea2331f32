"""Everything that a report page says is said in Arabic, too."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import classifiers
from classifiers.evaluation import page
from classifiers.evaluation.figures import FIGURES, Judged
from classifiers.evaluation.page import WORDS
from classifiers.evaluation.parts import Part
from classifiers.page_words import ARABIC, direction, speaker
from classifiers.site import gates, plots
from classifiers.site.judgement import SINCE
from classifiers.site.labels import OUTPUTS
from moderation.learning import report_page

ROOT = Path(classifiers.__file__).parent
TEMPLATES = [ROOT / "site" / "report.html.j2", ROOT / "evaluation" / "report.html.j2"]
MODULES = [
    ROOT.parent / "moderation" / "learning" / "report_page.py",
    ROOT / "site" / "plots.py",
    ROOT / "evaluation" / "page.py",
]
NOTING = [ROOT / "site" / "run.py", ROOT / "site" / "labels.py"]


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


def test_a_page_of_the_desk_says_nothing_that_is_not_translated(monkeypatch):
    said = set()
    monkeypatch.setattr(report_page, "speaker", lambda language: lambda word: said.add(word) or word)
    one = {"actor": "m1", "output": "spam", "labels": 60, "contradicted": 0.5, "is_outlier": True}
    report = {"version": "a", "active": "b", "snapshot": "c", "slices": [], "labellers": [one], "counts": {}}
    report |= {"changes": {"before": {}, "after": {}, "differently": []}, "notes": []}
    for refusals in ([], [{"code": gates.FAILED_CASE}]):
        report_page.render(report, refusals, {}, language="ar")
    assert len(said) > 25
    assert said - {""} <= ARABIC.keys()


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
        node.elts[0].value
        for path in NOTING
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Tuple)
        and len(node.elts) == 2
        and isinstance(node.elts[0], ast.Constant)
        and "_" in str(node.elts[0].value)
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
