"""Schemas and examples that several dialects share; closed sets of words come from the domain itself."""

from enum import StrEnum

from moderation.domain.decision import Decider
from moderation.domain.messages import codes
from moderation.domain.signatures import Verification
from moderation.domain.site import MAX_TEXT_LENGTH, Role
from moderation.domain.task import TaskKind
from moderation.domain.verdict import HUMAN_REASONS, OUTPUTS, ReasonCode, State, Verdict
from moderation.intake.validation import (
    INVISIBLE,
    MAX_CONTEXT_ITEMS,
    MAX_EMAIL,
    MAX_ID,
    MAX_NAME,
    MAX_TITLE,
    MAX_URL,
    MAX_USER_AGENT,
)
from moderation.protocols.openapi.examples import COMMENT_ID
from moderation.protocols.openapi.parts import Json, array, nullable, parameter, record, ref

ID = {"type": "string", "format": "uuid", "description": "Our id: a UUIDv7."}
TIME = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds."}
TIME_IN = {
    "type": "string",
    "maxLength": 64,
    "description": "RFC 3339, from 1990 on; other forms of ISO 8601 with an offset are read, too.",
    "examples": ["2026-03-01T12:00:00Z"],
}
NUMBER = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}


def words(kind: type[StrEnum], description: str = "") -> Json:
    """Describe one word of a closed set of the domain."""
    schema: Json = {"type": "string", "enum": [member.value for member in kind]}
    return schema | ({"description": description} if description else {})


def text(limit: int, description: str = "", *, required: bool = False) -> Json:
    """Describe text that a caller may send: no NUL; with ``required``, something that can be seen."""
    pattern = rf"^[^\u0000]*[^{INVISIBLE}][^\u0000]*$" if required else r"^[^\u0000]*$"
    schema: Json = {"type": "string", "maxLength": limit, "pattern": pattern}
    return schema | ({"description": description} if description else {})


_ID_NUMBER = {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1}
"""What arrives unrounded."""


def identifier(description: str, *, required: bool = False) -> Json:
    """Describe an id of the site's: text, or a whole number, which is read as text."""
    return {
        "anyOf": [text(MAX_ID, required=required), _ID_NUMBER],
        "description": description,
    }


HUMAN_REASON = {
    "type": "string",
    "enum": ["", *sorted(HUMAN_REASONS)],
    "description": "The reasons that a person may give; empty is none.",
}

_THREAD = {
    "type": "object",
    "description": "The article. `id`, or at least `url`, is required.",
    "properties": {
        "id": nullable(identifier("Your id of the article.")),
        "url": nullable(text(MAX_URL, "Its http or https address; what moderators click.")),
        "title": nullable(text(MAX_TITLE, "What moderators see.")),
    },
    "anyOf": [
        {"required": ["id"], "properties": {"id": identifier("", required=True)}},
        {"required": ["url"], "properties": {"url": text(MAX_URL, required=True)}},
    ],
}
_AUTHOR = {
    "type": "object",
    "description": "Who wrote it. Which fields are required is a setting of the site: name and e-mail unless it says otherwise.",
    "properties": {
        "name": nullable(text(MAX_NAME)),
        "email": nullable(
            text(
                MAX_EMAIL, "Internationalised addresses are welcome. Never in an answer, event, log or page."
            )
        ),
        "url": nullable(text(MAX_URL, "http or https; a bare `example.com` gets `http://` in front.")),
        "ip": nullable(text(64, "The reader's IPv4 or IPv6 address, not your server's. Kept for days only.")),
        "user_agent": nullable(
            {"type": "string", "description": f"The reader's browser; cut after {MAX_USER_AGENT} characters."}
        ),
        "external_id": nullable(identifier("Your id of a signed-in reader.")),
    },
}
_NEW_COMMENT = {
    "type": "object",
    "required": ["thread", "text"],
    "properties": {
        "external_id": nullable(
            identifier("Your id of the comment: makes retries safe, and events find it.")
        ),
        "thread": _THREAD,
        "parent_id": nullable(
            identifier("The comment replied to: our `id` or your `external_id`, in the same thread.")
        ),
        "author": _AUTHOR,
        "text": text(
            MAX_TEXT_LENGTH,
            "As the reader typed it. 10 000 characters unless the site's settings say otherwise.",
            required=True,
        ),
        "language": nullable(
            text(35, "A hint, such as `ar`.") | {"pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}
        ),
        "created_at": nullable(TIME_IN),
        "context": nullable(
            {
                "type": "object",
                "description": "Small values of your own, shown to moderators.",
                "maxProperties": MAX_CONTEXT_ITEMS,
                "propertyNames": text(60),
                "additionalProperties": {
                    "anyOf": [
                        text(MAX_TITLE),
                        {"type": "number", "minimum": -(2**53), "maximum": 2**53},
                        {"type": "boolean"},
                        {"type": "null"},
                    ]
                },
            }
        ),
    },
}

EVIDENCE = record(
    {
        "start": {"type": "integer", "minimum": 0},
        "end": {"type": "integer", "minimum": 0},
        "rule": {"type": "string", "description": "Stable; for programs."},
        "message": {"type": "string", "description": "What was found, in the caller's language."},
        "weight": nullable({"type": "number"}),
    },
    description="Which characters moved the verdict: Unicode code points, end exclusive.",
)
REASON = record(
    {
        "code": words(ReasonCode, "Stable; for programs."),
        "message": {"type": "string", "description": "For people, in the caller's language."},
        "evidence": array(ref("Evidence")),
    }
)
SCORES = record(
    {name: nullable({"type": "number", "minimum": 0, "maximum": 1}) for name in OUTPUTS},
    description="Calibrated probabilities; null where the model cannot say.",
)
LINKS = record({"self": {"type": "string"}, "history": {"type": "string"}})

_JUDGED = {
    "state": words(State, "Act on this. Treat a state that you do not know like `held`."),
    "verdict": nullable(words(Verdict)),
    "reasons": array(ref("Reason")),
    "scores": nullable(ref("Scores")),
    "model": nullable({"type": "string", "description": "The version of the model that scored it."}),
    "policy": nullable({"type": "integer", "description": "The version of the site's policy."}),
}
ACCEPTED = record(
    {
        "id": ID,
        "external_id": nullable({"type": "string"}),
        "revision": NUMBER,
        **_JUDGED,
        "links": ref("Links"),
    },
    description="The answer to a submission: the comment is stored for good.",
)
_MAKER = words(Decider, "`service`, or a person: at our desk (`moderator`) or at the site's own (`site`).")
_SHOWN_AUTHOR = record({"name": nullable({"type": "string"}), "url": nullable({"type": "string"})})
COMMENT = record(
    {
        "id": ID,
        "external_id": nullable({"type": "string"}),
        "site": {"type": "string"},
        "thread": record(
            {
                "id": {"type": "string"},
                "url": nullable({"type": "string"}),
                "title": nullable({"type": "string"}),
            }
        ),
        "parent_id": nullable(ID),
        "author": _SHOWN_AUTHOR,
        "text": {"type": "string"},
        "language": nullable({"type": "string"}),
        "revision": NUMBER,
        "sequence": NUMBER | {"description": "Number of the latest decision on this comment."},
        **_JUDGED,
        "created_at": TIME,
        "received_at": TIME,
        "decided_by": nullable(_MAKER),
        "decided_at": nullable(TIME),
        "links": ref("Links"),
    },
    description="A comment as its site and its moderators see it: without e-mail and address.",
)
DECISION = record(
    {
        "sequence": NUMBER,
        "revision": NUMBER,
        **_JUDGED,
        "state": nullable(words(State))
        | {"description": "Null to people for an undo while the comment is audited."},
        "decided_by": _MAKER,
        "moderator": nullable({"type": "string", "description": "The person's id, or the site's own login."}),
        "note": nullable({"type": "string"}),
        "undoes": nullable(
            NUMBER | {"description": "The sequence of the decision that this one takes back."}
        ),
        "task": nullable(words(TaskKind, "The task that this decision closed.")),
        "origin": {
            "type": "string",
            "description": "The door by which it came: `native`, `webhook`, `form` …",
        },
        "decided_at": TIME,
    }
)
HISTORY = record(
    {
        "id": ID,
        "external_id": nullable({"type": "string"}),
        "revision": NUMBER,
        "state": nullable(words(State)) | {"description": "Null to people while the comment is audited."},
        "decisions": array(
            ref("Decision"),
            description="Oldest first; to people without the service's, and its scores, while the comment is audited.",
        ),
        "revisions": array(
            record(
                {
                    "revision": NUMBER,
                    "text": {"type": "string"},
                    "author": _SHOWN_AUTHOR,
                    "replaced_at": TIME,
                }
            ),
            description="Earlier texts, oldest first.",
        ),
        "escalations": array(
            record(
                {
                    "revision": NUMBER,
                    "moderator": nullable({"type": "string"}),
                    "note": nullable({"type": "string"}),
                    "escalated_at": TIME,
                }
            )
        ),
    }
)

FIELD_ERROR = record(
    {
        "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into what was sent."},
        "code": {"type": "string", "enum": sorted(codes())},
        "message": {
            "type": "string",
            "description": "In the caller's language; fit to be shown to a reader.",
        },
    }
)
PROBLEM = record(
    {
        "type": {"type": "string", "format": "uri-reference", "description": "Stable; leads to a page."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": array(ref("FieldError")),
        "message": {"type": "string", "description": "From the form alone: what to tell the reader."},
        "rule": {"type": "string", "description": "With `rate-limited`: which limit denied."},
        "dependency": {"type": "string", "description": "With `unavailable`: what is away or full."},
        "signature": words(Verification, "With `not-authenticated` on a webhook: what is wrong with the signature."),
        "parameter": {"type": "string", "description": "With `malformed-request`: the faulty parameter."},
        "limit_bytes": {"type": "integer", "description": "With `too-large`: the bound."},
        "required_role": words(Role, "With `not-permitted`: the least role that may."),
        "claimed_by": ID | {"description": "With `claim-lost`: who holds the task."},
        "expires_at": TIME | {"description": "With `claim-lost`: until when."},
        "revision": NUMBER | {"description": "The comment's present revision."},
        "sequence": NUMBER | {"description": "With `conflict`: the decision in the way."},
        "decided_by": _MAKER,
        "moderator": nullable({"type": "string"}),
        "verdict": nullable(words(Verdict)),
        "decided_at": TIME,
    },
    optional=(
        "errors", "message", "rule", "dependency", "signature", "parameter", "limit_bytes", "required_role",
        "claimed_by", "expires_at", "revision", "sequence", "decided_by", "moderator", "verdict", "decided_at",
    ),
    description="RFC 9457 problem details, `application/problem+json`. The form may answer with a page instead.",
)  # fmt: skip

SCHEMAS: dict[str, Json] = {
    "NewComment": _NEW_COMMENT,
    "Accepted": ACCEPTED,
    "Comment": COMMENT,
    "Reason": REASON,
    "Evidence": EVIDENCE,
    "Scores": SCORES,
    "Links": LINKS,
    "Decision": DECISION,
    "History": HISTORY,
    "Problem": PROBLEM,
    "FieldError": FIELD_ERROR,
}

HEADERS: dict[str, Json] = {
    "X-Request-ID": {"description": "Names the request in our log.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "What to authenticate with.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Allow": {"description": "The methods this address answers to.", "schema": {"type": "string"}},
    "Location": {"description": "The comment's address, or where to go on.", "schema": {"type": "string"}},
    "ETag": {
        "description": "In quotes: the comment's revision, or what this state of a page is known by.",
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true` on the first answer sent again: its `state` is that of then, a decision may have followed.",
        "schema": {"const": "true"},
    },
    "RateLimit": {
        "description": "What is left of each limit (draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string"},
    },
    "X-akismet-guid": {
        "description": "Names this answer; different every time.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "RateLimit-Policy": {"description": "The limits themselves.", "schema": {"type": "string"}},
}

LANGUAGE_HEADER = parameter(
    "Accept-Language",
    "header",
    {"type": "string"},
    "Arabic or English for messages (RFC 9110); the site's language without it.",
    example="ar",
)
PATH_ID = parameter("id", "path", ID, "Our id of the comment.", example=COMMENT_ID)
PATH_SITE = parameter(
    "site",
    "path",
    {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
    "The site's name.",
    example="demo",
)
