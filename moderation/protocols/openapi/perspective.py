"""The Perspective dialect: for clients of an API that ends after 2026."""

from moderation.protocols.openapi.parts import (
    JSON,
    Answer,
    Dialect,
    Json,
    Operation,
    array,
    parameter,
    record,
    ref,
    request_body,
    shown,
)
from moderation.protocols.perspective_attributes import ATTRIBUTES

KEY = "perspectiveKey"
_STRING: Json = {"type": "string"}
_SCORE: Json = {"type": "number", "minimum": 0, "maximum": 1}
_LANGUAGES = array(_STRING)
_ENTRY = record({"text": _STRING, "type": _STRING}, optional=("text", "type"))
_CONTEXT: Json = {"type": "object", "additionalProperties": True, "description": "Read for errors alone."}
_VALUE = record({"value": _SCORE, "type": {"const": "PROBABILITY"}}, optional=("type",))
_SPAN = record({"begin": {"type": "integer"}, "end": {"type": "integer"}, "score": _VALUE})
_SCORES: Json = {
    "type": "object",
    "additionalProperties": record(
        {"summaryScore": _VALUE, "spanScores": array(_SPAN)}, optional=("summaryScore", "spanScores")
    ),
    "description": f"By attribute: {', '.join(ATTRIBUTES)}.",
}
_WANTED: Json = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": True},
    "description": "By attribute: `{}`, or `scoreType` and `scoreThreshold`.",
}
_ANALYZE = record(
    {
        "comment": _ENTRY,
        "requestedAttributes": _WANTED,
        "context": _CONTEXT,
        "languages": _LANGUAGES,
        "doNotStore": {"type": "boolean"},
        "spanAnnotations": {"type": "boolean"},
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    optional=(
        "context",
        "languages",
        "doNotStore",
        "spanAnnotations",
        "clientToken",
        "sessionId",
        "communityId",
    ),
)
_ANALYZED = record(
    {
        "attributeScores": _SCORES,
        "languages": _LANGUAGES,
        "detectedLanguages": _LANGUAGES,
        "clientToken": _STRING,
    },
    optional=("clientToken",),
)
_SUGGEST = record(
    {
        "comment": _ENTRY,
        "attributeScores": _SCORES,
        "context": _CONTEXT,
        "languages": _LANGUAGES,
        "communityId": _STRING,
        "clientToken": _STRING,
    },
    optional=("context", "languages", "communityId", "clientToken"),
)
_SUGGESTED = record(
    {"requestedLanguages": _LANGUAGES, "detectedLanguages": _LANGUAGES, "clientToken": _STRING},
    optional=("detectedLanguages", "clientToken"),
)
_ERROR = record(
    {
        "error": record(
            {
                "code": {"type": "integer"},
                "message": _STRING,
                "status": _STRING,
                "details": array({"type": "object", "additionalProperties": True}),
            },
            optional=("details",),
        )
    },
    description="An error as Google's APIs write it.",
)
_COMMENT: Json = {"text": "خبر جميل، متى يصل الخط إلى حيّنا؟"}
_EXAMPLE_ANSWER: Json = {
    "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0.03, "type": "PROBABILITY"}}},
    "languages": ["ar"],
    "detectedLanguages": ["ar"],
}


def _refusals() -> dict[int, Answer]:
    def error(code: int, status: str, message: str) -> Json:
        example = {"error": {"code": code, "message": message, "status": status}}
        return {JSON: shown(ref("PerspectiveError"), example)}

    return {
        400: Answer(
            "Refused; `details` say why.", error(400, "INVALID_ARGUMENT", "Comment must be non-empty.")
        ),
        403: Answer(
            "There is no key.", error(403, "PERMISSION_DENIED", "The request is missing a valid API key.")
        ),
        503: Answer("Ask again later.", error(503, "UNAVAILABLE", "The service is currently unavailable.")),
    }


DIALECT = Dialect(
    name="Perspective",
    description="The calls of Google's Perspective API. The guide is `docs/perspective.md`.",
    schemas={
        "PerspectiveAnalyze": _ANALYZE,
        "PerspectiveAnalyzed": _ANALYZED,
        "PerspectiveSuggest": _SUGGEST,
        "PerspectiveSuggested": _SUGGESTED,
        "PerspectiveError": _ERROR,
    },
    security_schemes={
        KEY: {
            "type": "apiKey",
            "in": "query",
            "name": "key",
            "description": "A key made with `--dialect perspective`; also in the header `x-goog-api-key`.",
        }
    },
    operations=(
        Operation(
            "POST",
            "/v1alpha1/comments:analyze",
            "analyzeComment",
            "Score a text, and keep nothing",
            callers=(KEY,),
            body=request_body(
                {
                    JSON: shown(
                        ref("PerspectiveAnalyze"),
                        {"comment": _COMMENT, "requestedAttributes": {"TOXICITY": {}}},
                    )
                }
            ),
            answers={
                200: Answer("The scores.", {JSON: shown(ref("PerspectiveAnalyzed"), _EXAMPLE_ANSWER)}),
                **_refusals(),
            },
        ),
        Operation(
            "POST",
            "/v1alpha1/comments:suggestscore",
            "suggestCommentScore",
            "Say what a text is: kept as a label",
            callers=(KEY,),
            body=request_body(
                {
                    JSON: shown(
                        ref("PerspectiveSuggest"),
                        {
                            "comment": _COMMENT,
                            "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0}}},
                            "clientToken": "comment:1001",
                        },
                    )
                }
            ),
            answers={
                200: Answer(
                    "Kept.", {JSON: shown(ref("PerspectiveSuggested"), {"requestedLanguages": ["en"]})}
                ),
                **_refusals(),
            },
        ),
        Operation(
            "GET",
            "/$discovery/rest",
            "describePerspective",
            "Read the description from which Google's clients build themselves",
            parameters=(
                parameter(
                    "version", "query", {"const": "v1alpha1"}, "There is no other.", example="v1alpha1"
                ),
            ),
            answers={
                200: Answer(
                    "A discovery document.",
                    {
                        JSON: shown(
                            {"type": "object", "additionalProperties": True},
                            {"name": "commentanalyzer", "version": "v1alpha1"},
                        )
                    },
                ),
                400: _refusals()[400],
            },
        ),
    ),
)
