"""The document against the route table, the problem table and itself."""

import inspect
import re
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate

from moderation.domain import errors
from moderation.protocols.openapi.document import DIALECTS
from moderation.protocols.problem_words import ARABIC
from moderation.protocols.problems import PROBLEMS
from tests.contract.openapi import DOCUMENT, described, faults, routed
from tests.service import RunningService


def test_the_document_is_openapi():
    validate(DOCUMENT)


async def test_every_route_is_described_and_every_description_is_routed(service: RunningService):
    routes, descriptions = routed(service.client.server.app), set(described())  # type: ignore[union-attr]
    without_description, without_route = sorted(routes - descriptions), sorted(descriptions - routes)
    assert not without_description, (
        f"describe them in a module of moderation/protocols/openapi: {without_description}"
    )
    assert not without_route, f"these have a description and no route: {without_route}"


def test_every_problem_is_mentioned_by_some_route():
    mentioned = {
        code for dialect in DIALECTS for operation in dialect.operations for code in operation.problems
    }
    # For whatever method a path does not have, whatever a caller expects of it, and what is refused before there is a path.
    before = {"address-too-long", "headers-too-large", "version-not-supported"}
    everywhere = {"method-not-allowed", "expectation-failed"} | before
    assert not PROBLEMS.keys() - mentioned - everywhere - {"invalid-configuration"}
    assert not mentioned - PROBLEMS.keys()


def test_every_error_has_its_problem():
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.ModerationError)
    ]
    assert {kind.code for kind in kinds} <= PROBLEMS.keys()


async def test_every_problem_has_its_page(service: RunningService):
    for code, kind in PROBLEMS.items():
        async with service.client.get(f"/problems/{code}") as response:
            page = await response.text()
            assert (response.status, response.content_type) == (200, "text/html"), code
            assert str(kind.status) in page, code
            assert ARABIC[code][0] in page, code


def test_the_guide_names_each_problem_with_its_status():
    guide = (Path(__file__).parents[2] / "docs" / "news-sites.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \| ((?:`[a-z-]+`(?:, )?)+) \|", guide, re.MULTILINE)
    told = {
        code: {int(status) for status in statuses.split(", ")}
        for statuses, codes in rows
        for code in re.findall(r"`([a-z-]+)`", codes)
    }
    assert len(told) > 10
    for code, statuses in told.items():
        assert PROBLEMS[code].status in statuses, code


def bodies() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for (method, path), operation in described().items():
        where = f"{method} {path}"
        places = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for place, one in places.items():
            found += [(f"{where} {place} {media}", body) for media, body in one.get("content", {}).items()]
    return found


def test_every_example_fits_its_schema():
    wrong = {}
    for where, body in bodies():
        examples = [body["example"]] if "example" in body else []
        examples += [example["value"] for example in body.get("examples", {}).values()]
        assert examples or "json" not in where or "openapi.json" in where, f"{where} has no example"
        for example in examples:
            if found := faults(body["schema"], example):
                wrong[where] = found
    assert not wrong


def test_every_parameter_and_operation_says_what_it_is():
    names = [operation["operationId"] for operation in described().values()]
    assert len(names) == len(set(names))
    for (method, path), operation in described().items():
        assert operation["summary"], path
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], f"{method} {path} {parameter['name']}"


def test_no_schema_is_left_over():
    used = str(DOCUMENT["paths"]) + str(DOCUMENT["webhooks"]) + str(DOCUMENT["components"]["schemas"])
    left = [name for name in DOCUMENT["components"]["schemas"] if f"/schemas/{name}'" not in used]
    assert not left
