"""The Perspective dialect (Comment Analyzer v1alpha1): scores by the names that its clients know, and what they send back.

``analyze`` scores, counts and keeps nothing, whatever ``doNotStore`` says; ``suggestscore`` keeps a label. Our model knows by
itself which language a text is in, so a wrong hint is echoed and otherwise passed over.

When something is away: without PostgreSQL known keys go on being answered; a scorer that is late or broken, or a full queue,
is a 503 that clients may repeat. Never a made-up number.
"""

from typing import Any

import orjson
from aiohttp import web

from moderation.domain.errors import DependencyUnavailableError, ModerationError, NotAuthenticatedError
from moderation.domain.messages import LANGUAGES
from moderation.domain.sentences import find_sentences, in_utf16
from moderation.domain.site import SiteCaller
from moderation.domain.verdict import Assessment
from moderation.intake.analysis import Analyst
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.bodies import read_json
from moderation.protocols.edge import Handler, note
from moderation.protocols.languages import SITE_LANGUAGE
from moderation.protocols.perspective_attributes import OF_THE_SITE, probability
from moderation.protocols.perspective_discovery import discovery_document
from moderation.protocols.perspective_errors import PerspectiveError, refusal, undetected, unsupported
from moderation.protocols.perspective_feedback import keep_suggestion
from moderation.protocols.perspective_requests import AnalyzeRequest, Wanted, read_analyze, read_suggest
from moderation.telemetry import ANALYSES

ANALYST = web.AppKey("analyst", Analyst)
PUBLIC_URL: web.AppKey[str | None] = web.AppKey("public_url")
LIMIT_BYTES = 512 * 1024
"""Of a body: the text has 20 KiB, but an article may come with it as context."""


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    return [
        web.post("/v1alpha1/comments:analyze", _in_envelope(analyze)),
        web.post("/v1alpha1/comments:suggestscore", _in_envelope(suggest)),
        web.get("/$discovery/rest", discover),
    ]


def _in_envelope(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (PerspectiveError, ModerationError) as error:
            return refusal(error)

    return answer


async def analyze(request: web.Request) -> web.Response:
    """Score one text by the attributes asked for."""
    caller = await _caller(request)
    asked = read_analyze(await read_json(request, LIMIT_BYTES))
    places = find_sentences(asked.text) if asked.has_spans else []
    texts = [asked.text, *(asked.text[begin:end] for begin, end in places)]
    whole, *parts = await request.app[ANALYST].assess(caller.site.id, texts, _hint(asked.languages))
    if whole is None:
        raise DependencyUnavailableError("scorer")
    scores = {wanted.name: _summary(asked, wanted, whole) for wanted in asked.wanted}
    if asked.has_spans:
        units = in_utf16(asked.text, places)
        for wanted in asked.wanted:
            scores[wanted.name] |= _spans(wanted, list(zip(units, parts, strict=True)))
    ANALYSES.labels("perspective").inc()
    note(request, site=caller.site.name, model=whole.model)
    return _json(_languages(asked.languages, whole, asked.client_token) | {"attributeScores": scores}, whole)


async def suggest(request: web.Request) -> web.Response:
    """Keep what somebody says of a text, as a label, or as a decision where it is about a comment that Coral sent us."""
    caller = await _caller(request)
    said = read_suggest(await read_json(request, LIMIT_BYTES))
    (assessed,) = await request.app[ANALYST].assess(caller.site.id, [said.text])
    note(request, site=caller.site.name, **await keep_suggestion(request, caller, said, assessed))
    body: dict[str, Any] = {} if said.client_token is None else {"clientToken": said.client_token}
    body |= {"requestedLanguages": list(said.languages)}
    if assessed is not None and assessed.language is not None:
        body |= {"detectedLanguages": [assessed.language]}
    return _json(body, assessed)


async def discover(request: web.Request) -> web.Response:
    """Describe the API to clients that build themselves from its description."""
    if request.query.get("version", "v1alpha1") != "v1alpha1":
        return refusal(PerspectiveError("Only version v1alpha1 is here."))
    root = request.app[PUBLIC_URL] or f"{request.scheme}://{request.host}"
    return web.Response(
        body=orjson.dumps(discovery_document(root.rstrip("/") + "/")),
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": "private, max-age=300", "Vary": "Host"},
    )


async def _caller(request: web.Request) -> SiteCaller:
    """Return who calls, by ``?key=`` or ``x-goog-api-key``. Raises `NotAuthenticatedError`, also for another dialect's key."""
    key = request.query.get("key") or request.headers.get("x-goog-api-key", "")
    if not key:
        raise NotAuthenticatedError("", is_missing=True)
    if key.isascii() and len(key) <= 200:
        caller = await request.app[DIRECTORY].caller(key.strip())
        if isinstance(caller, SiteCaller) and caller.dialect == "perspective":
            request[SITE_LANGUAGE] = caller.site.language
            return caller
    raise NotAuthenticatedError


def _hint(languages: tuple[str, ...]) -> str | None:
    """Return the first hint that there are models for, whatever country stands behind it."""
    return next((found for tag in languages if (found := tag.split("-")[0].lower()) in LANGUAGES), None)


def _summary(asked: AnalyzeRequest, wanted: Wanted, found: Assessment) -> dict[str, Any]:
    value = probability(found.scores, wanted.outputs)
    if value is None and found.language is None and wanted.outputs != OF_THE_SITE:
        raise undetected()
    if value is None:
        raise unsupported(wanted.name, requested=asked.languages, detected=found.language)
    return {"summaryScore": _score(value)} if value >= wanted.threshold else {}


def _spans(wanted: Wanted, parts: list[tuple[tuple[int, int], Assessment | None]]) -> dict[str, Any]:
    """Return the sentences' own scores; one of which the model says nothing is left out."""
    spans = []
    for (begin, end), found in parts:
        value = None if found is None else probability(found.scores, wanted.outputs)
        if value is not None and value >= wanted.threshold:
            spans.append({"begin": begin, "end": end, "score": _score(value)})
    return {"spanScores": spans} if spans else {}


def _score(value: float) -> dict[str, Any]:
    return {"value": round(value, 7), "type": "PROBABILITY"}


def _languages(requested: tuple[str, ...], found: Assessment, token: str | None) -> dict[str, Any]:
    detected = [] if found.language is None else [found.language]
    body: dict[str, Any] = {"languages": list(requested) or detected, "detectedLanguages": detected}
    return body if token is None else body | {"clientToken": token}


def _json(body: dict[str, Any], found: Assessment | None) -> web.Response:
    headers = {"Cache-Control": "private"}
    if found is not None:
        headers["X-Model-Version"] = found.model
    return web.Response(
        body=orjson.dumps(body), content_type="application/json", charset="utf-8", headers=headers
    )
