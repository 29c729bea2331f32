"""Everything that a report page says is said in Arabic, too."""

import ast
import re
from pathlib import Path

import pytest

import classifiers
from classifiers.evaluation.figures import FIGURES
from classifiers.evaluation.page import WORDS
from classifiers.page_words import ARABIC, direction, speaker
from classifiers.site import gates
from classifiers.site.labels import OUTPUTS

ROOT = Path(classifiers.__file__).parent
TEMPLATES = [ROOT / "site" / "report.html.j2", ROOT / "evaluation" / "report.html.j2"]
MODULES = [ROOT.parent / "moderation" / "learning" / "report_page.py", ROOT / "site" / "plots.py"]


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


def test_codes_and_figures_have_words():
    codes = {
        *OUTPUTS,
        *(WORDS[name] for name in FIGURES),
        gates.FAILED_CASE,
        gates.NOT_PROVEN,
        gates.TOO_FEW_TO_JUDGE,
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
