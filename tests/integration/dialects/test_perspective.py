"""The Perspective dialect on the real engines and the real model."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from moderation.domain.verdict import Scores
from moderation.protocols import edge
from moderation.protocols.perspective_attributes import ATTRIBUTES, outputs_of, probability, targets_of
from moderation.storage.administration import site_keys
from tests.service import RunningService, decoded

CALM = "خبر سار، ونتمنى أن تصل الخدمة إلى الأحياء البعيدة."
SPAM = "اربح 5000 دولار يوميا من المنزل، راسلني واتساب +201001234567 http://win.example"
ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"


@pytest_asyncio.fixture(loop_scope="session")
async def key(service: RunningService) -> AsyncIterator[str]:
    made = await site_keys.add_key(service.database, service.site.name, actor="test", dialect="perspective")
    yield made.key


async def post(service: RunningService, path: str, body: Any, **options: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body)
    async with service.client.post(path, data=data, **options) as response:
        return response.status, await decoded(response)


def asked(text: str = CALM, *names: str, **more: Any) -> dict[str, Any]:
    return {
        "comment": {"text": text},
        "requestedAttributes": {name: {} for name in names or ("TOXICITY",)},
        **more,
    }


def error_type(answer: Any) -> str:
    error = answer["error"]
    [detail] = error["details"]
    assert (error["code"], error["status"], detail["@type"]) == (400, "INVALID_ARGUMENT", ERROR)
    return str(detail["errorType"])


async def labels(service: RunningService) -> list[Any]:
    async with service.database.connection() as connection:
        return await connection.fetch("SELECT * FROM labels ORDER BY labelled_at")


async def test_scores_are_those_of_the_native_api_and_nothing_is_kept(
    service: RunningService, key: str
) -> None:
    body = asked(SPAM, "TOXICITY", "SPAM", languages=["en"], clientToken="t-1", doNotStore=False)
    async with service.client.post(f"{ANALYZE}?key={key}", json=body) as response:
        answer, version = await response.json(), response.headers["X-Model-Version"]
    async with service.database.connection() as connection:
        for table in ("comments", "labels", "tasks", "recognitions", "decisions"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert answer["clientToken"] == "t-1"
    assert answer["languages"] == ["en"]
    assert answer["detectedLanguages"] == ["ar"]
    assert answer["attributeScores"]["SPAM"]["summaryScore"]["type"] == "PROBABILITY"
    _, native = await service.submit(SPAM)
    for name, output in (("SPAM", "spam"), ("TOXICITY", "abuse")):
        value = answer["attributeScores"][name]["summaryScore"]["value"]
        assert value == pytest.approx(native["scores"][output], abs=1e-4)
        assert "spanScores" not in answer["attributeScores"][name]
    assert version == native["model"]
    assert answer["attributeScores"]["SPAM"]["summaryScore"]["value"] > 0.7


async def test_spans_lie_at_sentences_in_utf16_units(service: RunningService, key: str) -> None:
    text = "😀 خبر سار جدا. اربح 5000 دولار يوميا http://win.example واتساب +201001234567"
    status, answer = await post(
        service, f"{ANALYZE}?key={key}", asked(text, "SPAM", spanAnnotations=True, languages=["ar"])
    )
    assert status == 200
    spans = answer["attributeScores"]["SPAM"]["spanScores"]
    encoded = text.encode("utf-16-le")
    assert encoded[: 2 * spans[0]["end"]].decode("utf-16-le") == "😀 خبر سار جدا."
    assert spans[-1]["end"] == len(encoded) // 2
    assert all(0 <= s["score"]["value"] <= 1 for s in spans)
    assert spans[-1]["score"]["value"] > spans[0]["score"]["value"]


async def test_a_value_below_the_threshold_is_left_out(service: RunningService, key: str) -> None:
    body = asked(CALM)
    body["requestedAttributes"] = {"SPAM": {"scoreThreshold": 0.99}, "TOXICITY": {"scoreType": "PROBABILITY"}}
    status, answer = await post(service, f"{ANALYZE}?key={key}", body)
    assert status == 200
    assert answer["attributeScores"]["SPAM"] == {}
    assert 0 < answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] < 1


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
async def test_every_mapped_attribute_has_a_probability_or_the_error_that_clients_know(
    service: RunningService, key: str, name: str
) -> None:
    status, answer = await post(service, f"{ANALYZE}?key={key}", asked(CALM, name, languages=["en"]))
    _, native = await service.submit(CALM)
    found = [native["scores"][output] for output in ATTRIBUTES[name]]
    if None in found:
        assert error_type(answer) == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
        detail = answer["error"]["details"][0]["languageNotSupportedByAttributeError"]
        assert detail == {"attribute": name, "detectedLanguages": ["ar"], "requestedLanguages": ["en"]}
        assert answer["error"]["message"] == f"Attribute {name} does not support request languages: ar"
    else:
        value = answer["attributeScores"][name]["summaryScore"]["value"]
        assert (status, value) == (200, pytest.approx(max(found), abs=1e-4))


@pytest.mark.parametrize("text", ["merci", "danke"])
async def test_where_no_language_can_be_told_the_error_says_so(
    service: RunningService, key: str, text: str
) -> None:
    for languages in ([], ["fr"]):
        status, answer = await post(service, f"{ANALYZE}?key={key}", asked(text, languages=languages))
        assert (status, error_type(answer)) == (400, "LANGUAGE_DETECTION_FAILED")
        assert answer["error"]["message"] == "Unable to detect language"
    status, answer = await post(service, f"{ANALYZE}?key={key}", asked(text, "SPAM"))
    assert (status, answer["detectedLanguages"]) == (200, [])


def test_names_with_versions_and_the_experimental_ones_are_the_same_attribute() -> None:
    assert outputs_of("TOXICITY@6") == outputs_of("TOXICITY_EXPERIMENTAL") == ("abuse",)
    assert outputs_of("SEVERE_TOXICITY_EXPERIMENTAL@2") == ("hate", "threat")
    for foreign in ("FLIRTATION", "INCOHERENT", "toxicity", "", "@", "_EXPERIMENTAL", "SEXUALLY_EXPLICIT"):
        assert outputs_of(foreign) is None


def test_an_attribute_of_two_outputs_is_the_greater_and_unknown_while_either_is() -> None:
    both = ATTRIBUTES["SEVERE_TOXICITY"]
    assert probability(Scores(hate=0.2, threat=0.7), both) == 0.7
    assert probability(Scores(hate=0.2), both) is None
    assert probability(Scores(abuse=0.0), ("abuse",)) == 0.0


def test_suggested_values_say_what_they_mean_and_no_more() -> None:
    assert targets_of({"FLIRTATION": 1.0}) is None
    assert targets_of({"TOXICITY": 0.5}) is None
    said = targets_of({"TOXICITY": 1.0, "INSULT": 0.25, "SEVERE_TOXICITY": 0.0})
    assert said is not None
    targets, weight = said
    assert (targets.abuse, targets.insult, targets.hate, targets.spam, targets.reject) == (
        1,
        0,
        None,
        None,
        None,
    )
    assert weight == 0.75


WRONG_KEYS = ["", "AIzaSyWrong", "mds_" + "x" * 43, "ключ", "a" * 5000, "%00"]


@pytest.mark.parametrize("path", [ANALYZE, SUGGEST])
async def test_a_wrong_key_is_refused_as_google_does(service: RunningService, key: str, path: str) -> None:
    for wrong in (*WRONG_KEYS, service.site.key):
        status, answer = await post(service, path, asked(), params={"key": wrong})
        if wrong == "":
            assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
        else:
            assert (status, answer["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID"), wrong
    status, _ = await post(service, path, b"", headers={"x-goog-api-key": service.site.key})
    assert status == 400


async def test_the_key_may_come_in_the_header_and_is_in_no_log(
    service: RunningService, key: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    written: list[dict[str, object]] = []
    monkeypatch.setattr(edge, "log_request", lambda **fields: written.append(fields))
    status, _ = await post(service, ANALYZE, asked(), headers={"x-goog-api-key": key})
    assert status == 200
    await post(service, f"{ANALYZE}?key={key}", asked())
    await post(service, f"{ANALYZE}?key={key}", b"{")
    await post(service, f"/v1alpha1/comments:nothing?key={key}", asked())
    assert [line["route"] for line in written] == [ANALYZE] * 3 + ["none"]
    said = str(written) + "".join(capfd.readouterr())
    assert key not in said
    assert CALM not in said


async def test_a_path_with_an_encoded_colon_is_the_same(service: RunningService, key: str) -> None:
    status, _ = await post(service, f"/v1alpha1/comments%3Aanalyze?key={key}", asked())
    assert status == 200


BROKEN: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "INVALID_REQUEST"),
    "an empty body": (b"", "INVALID_REQUEST"),
    "a list": ([], "INVALID_REQUEST"),
    "null": (None, "INVALID_REQUEST"),
    "windows-1256": ('{"comment": {"text": "سلام"}}'.encode("cp1256"), "INVALID_REQUEST"),
    "a cut-off body": (json.dumps(asked()).encode()[:-5], "INVALID_REQUEST"),
    "no comment": ({"requestedAttributes": {"TOXICITY": {}}}, "COMMENT_EMPTY"),
    "a blank comment": (asked(" \n "), "COMMENT_EMPTY"),
    "a list for a text": (asked() | {"comment": {"text": ["a"]}}, "INVALID_REQUEST"),
    "a list for a comment": (asked() | {"comment": ["a"]}, "INVALID_REQUEST"),
    "HTML": (asked() | {"comment": {"text": "a", "type": "HTML"}}, "INVALID_REQUEST"),
    "a list as a type": (asked() | {"comment": {"text": "a", "type": ["HTML"]}}, "INVALID_REQUEST"),
    "too long": (asked("ا" * 10241), "COMMENT_TOO_LONG"),
    "one megabyte": (asked("a" * 1_000_000), "COMMENT_TOO_LONG"),
    "no attributes": ({"comment": {"text": "a"}}, "NO_REQUESTED_ATTRIBUTES"),
    "empty attributes": (asked() | {"requestedAttributes": {}}, "NO_REQUESTED_ATTRIBUTES"),
    "attributes as a list": (asked() | {"requestedAttributes": ["TOXICITY"]}, "INVALID_REQUEST"),
    "an unknown attribute": (asked(CALM, "TOXICITY", "NICE"), "INVALID_REQUEST"),
    "many attributes": (asked(CALM, *(f"A{n}" for n in range(60))), "INVALID_REQUEST"),
    "a wrong threshold": (
        asked() | {"requestedAttributes": {"SPAM": {"scoreThreshold": "high"}}},
        "INVALID_REQUEST",
    ),
    "a wrong score type": (
        asked() | {"requestedAttributes": {"SPAM": {"scoreType": {"a": 1}}}},
        "INVALID_REQUEST",
    ),
    "both contexts": (
        asked(context={"entries": [{"text": "a"}], "articleAndParentComment": {"article": {"text": "b"}}}),
        "INVALID_REQUEST",
    ),
    "languages of another kind": (asked(languages={"a": 1}), "INVALID_REQUEST"),
    "numbers as languages": (asked(languages=[1]), "INVALID_REQUEST"),
    "a list as token": (asked(clientToken=["a"]), "INVALID_REQUEST"),
    "a word as a flag": (asked(spanAnnotations="yes"), "INVALID_REQUEST"),
    "deep": (b"[" * 100_000, "INVALID_REQUEST"),
}


async def test_bad_input_is_refused_in_googles_envelope_and_is_never_a_500(
    service: RunningService, key: str
) -> None:
    for case, (body, expected) in BROKEN.items():
        status, answer = await post(service, f"{ANALYZE}?key={key}", body)
        assert (status, error_type(answer)) == (400, expected), (case, answer)
    headers = {"Content-Type": "application/json; charset=utf-16"}
    status, answer = await post(service, f"{ANALYZE}?key={key}", asked(), headers=headers)
    assert (status, error_type(answer)) == (400, "INVALID_REQUEST")
    status, _ = await post(service, f"{ANALYZE}?key={key}", asked())
    assert status == 200


async def test_lone_surrogates_and_odd_hints_are_tolerated(service: RunningService, key: str) -> None:
    body = rb'{"comment": {"text": "\ud800 news \udfff"}, "requestedAttributes": {"SPAM": {}}, "client_token": "\ud800", "languages": ["xx", "\ud800", ""]}'
    status, answer = await post(service, f"{ANALYZE}?key={key}", body)
    if status == 400:
        assert error_type(answer) == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    else:
        assert (status, answer["clientToken"]) == (200, "?")


async def test_a_suggestion_is_kept_once_and_a_later_one_replaces_it(
    service: RunningService, key: str
) -> None:
    def said(value: float, token: str = "t-1", text: str = CALM) -> dict[str, Any]:
        return {
            "comment": {"text": text},
            "attributeScores": {"TOXICITY": {"summaryScore": {"value": value}}},
            "clientToken": token,
            "languages": ["en"],
        }

    for value in (1, 1, 0):
        status, answer = await post(service, f"{SUGGEST}?key={key}", said(value))
        assert (status, answer["clientToken"]) == (200, "t-1")
        assert answer["requestedLanguages"] == ["en"]
        assert answer["detectedLanguages"] == ["ar"]
    [label] = await labels(service)
    assert (label["source"], label["text"], label["abuse"], label["spam"]) == ("perspective", CALM, 0, None)
    assert label["language"] == "ar"
    await post(service, f"{SUGGEST}?key={key}", said(0.9, text="نص آخر بالرمز نفسه"))
    assert [round(row["weight"], 2) for row in await labels(service)] == [1.0, 0.8]
    status, answer = await post(
        service,
        f"{SUGGEST}?key={key}",
        said(1) | {"attributeScores": {"NICE": {"summaryScore": {"value": 1}}}},
    )
    assert (status, answer["error"]["message"]) == (400, "Unknown requested attribute: NICE")


async def test_a_suggestion_that_says_nothing_of_what_we_know_is_taken_and_not_kept(
    service: RunningService, key: str
) -> None:
    for scores in ({"TOXICITY": 0.5}, {"SEVERE_TOXICITY": 0.1}, {"FLIRTATION": 1, "TOXICITY": 0.5}):
        body = {
            "comment": {"text": CALM},
            "attributeScores": {name: {"summaryScore": {"value": value}} for name, value in scores.items()},
        }
        status, answer = await post(service, f"{SUGGEST}?key={key}", body)
        assert (status, answer["detectedLanguages"]) == (200, ["ar"]), scores
    assert await labels(service) == []


BROKEN_SUGGESTIONS: dict[str, Any] = {
    "no scores": {},
    "a list": {"attributeScores": []},
    "a number": {"attributeScores": {"TOXICITY": 1}},
    "a word": {"attributeScores": {"TOXICITY": {"summaryScore": {"value": "1"}}}},
    "out of range": {"attributeScores": {"TOXICITY": {"summaryScore": {"value": 7}}}},
    "spans of another kind": {"attributeScores": {"TOXICITY": {"spanScores": {"a": 1}}}},
    "entries of another kind": {
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
        "context": {"entries": ["x"]},
    },
}


async def test_bad_suggestions_are_refused_and_nothing_is_kept(service: RunningService, key: str) -> None:
    for case, more in BROKEN_SUGGESTIONS.items():
        status, answer = await post(service, f"{SUGGEST}?key={key}", {"comment": {"text": CALM}, **more})
        assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT"), case
    assert await labels(service) == []


async def test_the_discovery_document_leads_back_to_the_address_it_was_read_from(
    service: RunningService,
) -> None:
    headers = {"Host": "moderation.example:8443"}
    async with service.client.get("/$discovery/rest?version=v1alpha1", headers=headers) as response:
        found = await response.json()
    assert found["rootUrl"] == "http://moderation.example:8443/"
    methods = found["resources"]["comments"]["methods"]
    assert {m["path"] for m in methods.values()} == {ANALYZE[1:], SUGGEST[1:]}
    async with service.client.get("/$discovery/rest?version=v2") as response:
        assert response.status == 400


async def test_a_hint_is_believed_of_a_few_words_that_tell_nothing(service: RunningService, key: str) -> None:
    async def toxicity(text: str, *languages: str) -> Any:
        _, answer = await post(
            service, f"{ANALYZE}?key={key}", asked(text, "TOXICITY", languages=list(languages))
        )
        return (
            error_type(answer)
            if "error" in answer
            else answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
        )

    assert await toxicity("merci") == await toxicity("merci", "fr") == "LANGUAGE_DETECTION_FAILED"
    assert 0 < await toxicity("merci", "en") < 0.5
    assert 0 < await toxicity("merci", "fr", "EN-gb") < 0.5
    assert 0 < await toxicity("merci", "ar") < 0.5
    french = "merci pour tout et bonjour chez vous tous"
    assert await toxicity(french, "en") == await toxicity(french) == "LANGUAGE_DETECTION_FAILED"
    for other in (
        "merci pour votre article",
        "va te faire voir connard",
        "esto es una mierda",
        "c'est très bien écrit",
    ):
        assert await toxicity(other, "en") == await toxicity(other, "ar") == "LANGUAGE_DETECTION_FAILED", (
            other
        )
    assert await toxicity("you are an idiot", "ar") == await toxicity("you are an idiot")
