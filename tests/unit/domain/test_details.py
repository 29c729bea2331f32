"""What a problem says of one request can be said in both languages, and nothing is said that cannot."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from moderation.domain import details, errors, messages
from moderation.domain.details import detail
from moderation.protocols.problems import problem_body

ROOT = Path(errors.__file__).parent.parent
ANSWERING = ("console", "protocols", "review", "intake", "delivery")
"""Packages whose errors reach callers; those of commands alone are in English."""
ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, errors.ModerationError)
    and kind.__init__ is errors.ModerationError.__init__
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ANSWERING:
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_whatever_a_request_is_told_can_be_said_in_arabic() -> None:
    told = [(at, call) for at, call in calls() if name_of(call.func) in ERRORS and call.args]
    assert len(told) > 25
    bare = [
        at
        for at, call in told
        if not (isinstance(call.args[0], ast.Call) and name_of(call.args[0].func) == "detail")
        and not (isinstance(call.args[0], ast.Constant) and call.args[0].value == "")
    ]
    assert bare == []


def test_every_sentence_is_used_and_every_use_has_one() -> None:
    used = {
        call.args[0].value
        for _, call in calls()
        if name_of(call.func) == "detail" and call.args and isinstance(call.args[0], ast.Constant)
    }
    assert used == set(details._WORDS)


@pytest.mark.parametrize("code", sorted(details._WORDS))
def test_both_languages_say_the_same(code: str) -> None:
    arabic, english = details._WORDS[code]
    fields = {name: "1" for _, name, _, _ in Formatter().parse(english) if name}
    assert {name for _, name, _, _ in Formatter().parse(arabic) if name} == set(fields)
    said = detail(code, **fields)
    assert said == said.said_in("en") == english.format_map(fields)
    if code != "parameter":  # whose words are another message's
        assert re.search("[\u0621-\u064a]", said.said_in("ar"))
        assert said.said_in("ar") != said


def test_what_a_field_was_expected_to_be_is_said_in_arabic() -> None:
    expected = {
        value.value
        for _, call in calls()
        for key, value in [
            *((k.arg, k.value) for k in call.keywords),
            *(
                (key.value, value)
                for argument in call.args
                if isinstance(argument, ast.Dict)
                for key, value in zip(argument.keys, argument.values, strict=True)
                if isinstance(key, ast.Constant)
            ),
        ]
        if key == "expected" and isinstance(value, ast.Constant)
    }
    assert len(expected) >= 4
    for kind in expected:
        said = messages.message("wrong_type", "ar", {"expected": kind})
        assert not re.search("[a-z]", said.replace("true", "").replace("false", "")), said


def test_a_problem_speaks_the_callers_language() -> None:
    error = errors.NotPermittedError(detail("takes_role", role="lead"), required_role="lead")
    assert problem_body(error, "ar")["detail"] == "يتطلب هذا دور `lead`."
    assert problem_body(error, "en")["detail"] == "This takes the role `lead`."
