"""The Akismet dialect: every call by POST and by GET, under each version that clients write."""

from moderation.protocols.openapi.parts import (
    JSON,
    TEXT,
    Answer,
    Dialect,
    Json,
    Operation,
    array,
    nullable,
    parameter,
    record,
    request_body,
    shown,
)

KEY = "akismetKey"
_FORM = "application/x-www-form-urlencoded"
_VERSION = parameter(
    "version", "path", {"enum": ["1.1", "1.2", "2.0"]}, "All mean the same here.", example="1.1"
)
_COUNT: Json = {"type": "integer", "minimum": 0}
_COUNTS = dict.fromkeys(("spam", "ham", "missed_spam", "false_positives"), _COUNT)
_MONTH = record({**_COUNTS, "da": {"type": "string", "format": "date"}})
_STATISTICS = record(
    {
        **_COUNTS,
        "accuracy": nullable({"type": "number", "minimum": 0, "maximum": 100}),
        "breakdown": {"type": "object", "additionalProperties": _MONTH, "description": "By month."},
    }
)
_EXAMPLE_COUNTS = {"spam": 12, "ham": 340, "missed_spam": 1, "false_positives": 0}
_SUBSCRIPTION = record(
    {
        "account_id": {"type": "integer"},
        "account_name": {"type": "string"},
        "account_type": {"type": "string"},
        "status": {"const": "active"},
        "next_billing_date": {"const": False},
        "limit_reached": {"const": False},
    }
)
_USAGE = record(
    {
        "limit": {"const": "none"},
        "usage": _COUNT,
        "percentage": {"type": "string"},
        "throttled": {"type": "boolean"},
        "notice_level": {"type": "string"},
        "upgrade": {"const": False},
    },
    optional=("notice_level", "upgrade"),
)
_SITE = record(
    {
        "site": {"type": "string"},
        "api_calls": _COUNT,
        **_COUNTS,
        "is_revoked": {"type": "boolean"},
        "hash": {"type": "string"},
        "eligible_for_revoke": {"type": "boolean"},
    },
    optional=("hash", "eligible_for_revoke"),
)
_SITES: Json = {
    "type": "object",
    "properties": {"limit": _COUNT, "offset": _COUNT, "total": _COUNT},
    "required": ["limit", "offset", "total"],
    "additionalProperties": array(_SITE),
    "description": "The month's blogs under its name, such as `2026-11`.",
}
_COMMENT: Json = {
    "type": "object",
    "properties": {
        name: {"type": "string"}
        for name in (
            "api_key",
            "blog",
            "user_ip",
            "comment_author",
            "comment_author_email",
            "comment_content",
        )
    },
    "required": ["blog", "user_ip"],
    "additionalProperties": True,
}
_EXAMPLE_FORM = {
    "api_key": "0123456789ab",
    "blog": "https://news.example",
    "user_ip": "203.0.113.7",
    "comment_author": "ليلى",
    "comment_content": "خبر جميل، متى يصل الخط إلى حيّنا؟",
}
_ANY_FORM: Json = {"type": "object", "additionalProperties": {"type": "string"}}

_WORDS = {
    "comment-check": ("Ask whether a comment is spam", "true"),
    "submit-spam": ("Say that a comment is spam", "Thanks for making the web a better place."),
    "submit-ham": ("Say that a comment is not spam", "Thanks for making the web a better place."),
    "verify-key": ("Ask whether a key is good", "valid"),
    "deactivate": ("Say goodbye", "deactivated"),
    "token": ("Get a text that opens nothing", "c2VjcmV0"),
}
_OBJECTS: dict[str, tuple[str, Json, Json]] = {
    "get-stats": (
        "Read a key's totals",
        _STATISTICS,
        _EXAMPLE_COUNTS
        | {"accuracy": 99.72, "breakdown": {"2026-11": _EXAMPLE_COUNTS | {"da": "2026-11-01"}}},
    ),
    "get-key-stats": (
        "Read a key's totals, by another name",
        _STATISTICS,
        _EXAMPLE_COUNTS | {"accuracy": 99.72, "breakdown": {}},
    ),
    "get-subscription": (
        "Ask whether the key may be used",
        _SUBSCRIPTION,
        {
            "account_id": 1,
            "account_name": "demo",
            "account_type": "self-hosted",
            "status": "active",
            "next_billing_date": False,
            "limit_reached": False,
        },
    ),
    "usage-limit": (
        "Read this month's calls",
        _USAGE,
        {"limit": "none", "usage": 352, "percentage": "0.00", "throttled": False},
    ),
    "key-sites": (
        "List the blogs that used the key",
        _SITES,
        {
            "2026-11": [{"site": "news.example", "api_calls": 352, **_EXAMPLE_COUNTS, "is_revoked": False}],
            "limit": 500,
            "offset": 0,
            "total": 1,
        },
    ),
}
_PUBLIC: dict[str, tuple[str, dict[str, Json]]] = {
    "test": ("Ask whether we are there", {TEXT: shown({"const": "connected"}, "connected")}),
    "compatible-plugins": (
        "Ask which other plugins are known",
        {JSON: shown(array({"type": "object"}, maxItems=0), [])},
    ),
}


def _keyed(name: str, summary: str, good: dict[str, Json]) -> list[Operation]:
    refused = shown({"type": "string"}, "invalid")
    answers = {
        200: Answer(
            "The answer; `invalid`, with the reason in `X-akismet-debug-help`, for a call that cannot be answered.",
            {TEXT: refused, **good},
            ("X-akismet-guid",),
        ),
        429: Answer(
            "Above the site's ceiling.", {TEXT: shown({"const": "throttled"}, "throttled")}, ("Retry-After",)
        ),
        503: Answer("Ask again.", {TEXT: shown({"const": "unavailable"}, "unavailable")}, ("Retry-After",)),
    }
    is_comment = name in {"comment-check", "submit-spam", "submit-ham"}
    form = shown(_COMMENT, _EXAMPLE_FORM) if is_comment else shown(_ANY_FORM, {"api_key": "0123456789ab"})
    return [
        Operation(
            method,
            f"/{{version}}/{name}",
            _operation_name(method, name),
            summary,
            answers,
            callers=(KEY,),
            parameters=(_VERSION,),
            body=request_body({_FORM: form}) if method == "POST" else None,
            problems=("not-found",),
        )
        for method in ("POST", "GET")
    ]


def _operation_name(method: str, name: str) -> str:
    words = "".join(word.capitalize() for word in name.split("-"))
    return f"akismet{words}" + ("ByGet" if method == "GET" else "")


def _operations() -> tuple[Operation, ...]:
    found: list[Operation] = []
    for name, (summary, word) in _WORDS.items():
        found += _keyed(name, summary, {TEXT: shown({"type": "string"}, word)})
    for name, (summary, schema, example) in _OBJECTS.items():
        table: dict[str, Json] = {"text/csv": {"type": "string"}} if name == "key-sites" else {}
        found += _keyed(name, summary, {JSON: shown(schema, example), **table})
    for name, (summary, content) in _PUBLIC.items():
        found += [
            Operation(
                method,
                f"/{{version}}/{name}",
                _operation_name(method, name),
                summary,
                {200: Answer("The answer.", content)},
                parameters=(_VERSION,),
                problems=("not-found",),
            )
            for method in ("POST", "GET")
        ]
    return tuple(found)


DIALECT = Dialect(
    name="Akismet",
    description=(
        "The calls of Akismet's API: forms in, bare words out, 200 also for a wrong key. By GET the parameters stand in "
        "the address. The guide is `docs/akismet.md`."
    ),
    security_schemes={
        KEY: {
            "type": "apiKey",
            "in": "query",
            "name": "api_key",
            "description": "A key made with `--dialect akismet`: in the form, in the address, or before the host's name.",
        }
    },
    operations=_operations(),
)
