"""The description of the API in Google's discovery format: enough for clients that build themselves from it."""

from typing import Any

_STRING = {"type": "string"}
_NUMBER = {"type": "number", "format": "float"}
_SCORES = {"type": "object", "additionalProperties": {"$ref": "AttributeScores"}}


def _list_of(what: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": what}


def _schema(name: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {name: {"id": name, "type": "object", "properties": properties}}


_SCHEMAS: dict[str, Any] = {
    **_schema("TextEntry", text=_STRING, type=_STRING),
    **_schema("ArticleAndParentComment", article={"$ref": "TextEntry"}, parentComment={"$ref": "TextEntry"}),
    **_schema(
        "Context",
        entries=_list_of({"$ref": "TextEntry"}),
        articleAndParentComment={"$ref": "ArticleAndParentComment"},
    ),
    **_schema("AttributeParameters", scoreType=_STRING, scoreThreshold=_NUMBER),
    **_schema("Score", value=_NUMBER, type=_STRING),
    **_schema(
        "SpanScore",
        begin={"type": "integer", "format": "int32"},
        end={"type": "integer", "format": "int32"},
        score={"$ref": "Score"},
    ),
    **_schema("AttributeScores", summaryScore={"$ref": "Score"}, spanScores=_list_of({"$ref": "SpanScore"})),
    **_schema(
        "AnalyzeCommentRequest",
        comment={"$ref": "TextEntry"},
        context={"$ref": "Context"},
        requestedAttributes={"type": "object", "additionalProperties": {"$ref": "AttributeParameters"}},
        languages=_list_of(_STRING),
        doNotStore={"type": "boolean"},
        spanAnnotations={"type": "boolean"},
        clientToken=_STRING,
        sessionId=_STRING,
        communityId=_STRING,
    ),
    **_schema(
        "AnalyzeCommentResponse",
        attributeScores=_SCORES,
        languages=_list_of(_STRING),
        detectedLanguages=_list_of(_STRING),
        clientToken=_STRING,
    ),
    **_schema(
        "SuggestCommentScoreRequest",
        comment={"$ref": "TextEntry"},
        context={"$ref": "Context"},
        attributeScores=_SCORES,
        languages=_list_of(_STRING),
        communityId=_STRING,
        clientToken=_STRING,
        sessionId=_STRING,
    ),
    **_schema(
        "SuggestCommentScoreResponse",
        clientToken=_STRING,
        detectedLanguages=_list_of(_STRING),
        requestedLanguages=_list_of(_STRING),
    ),
}


def _method(name: str, request: str, response: str) -> dict[str, Any]:
    return {
        "id": f"commentanalyzer.comments.{name}",
        "path": f"v1alpha1/comments:{name}",
        "flatPath": f"v1alpha1/comments:{name}",
        "httpMethod": "POST",
        "parameters": {},
        "parameterOrder": [],
        "request": {"$ref": request},
        "response": {"$ref": response},
    }


def _parameter(**more: Any) -> dict[str, Any]:
    return {"type": "string", "location": "query", **more}


def discovery_document(root_url: str) -> dict[str, Any]:
    """Return the description; ``root_url`` is where clients call from then on, with a slash at its end."""
    methods = {
        "analyze": _method("analyze", "AnalyzeCommentRequest", "AnalyzeCommentResponse"),
        "suggestscore": _method("suggestscore", "SuggestCommentScoreRequest", "SuggestCommentScoreResponse"),
    }
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "version": "v1alpha1",
        "title": "Comment Analyzer",
        "description": "Scores comments by the attribute names of the Perspective API.",
        "protocol": "rest",
        "rootUrl": root_url,
        "servicePath": "",
        "baseUrl": root_url,
        "batchPath": "batch",
        "parameters": {
            "key": _parameter(description="The key of the site."),
            "alt": _parameter(enum=["json"], default="json"),
            "prettyPrint": {"type": "boolean", "location": "query", "default": "true"},
            "fields": _parameter(),
            "quotaUser": _parameter(),
        },
        "schemas": _SCHEMAS,
        "resources": {"comments": {"methods": methods}},
    }
