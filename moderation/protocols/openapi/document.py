"""Put the descriptions of every dialect together into one OpenAPI 3.1 document."""

from importlib.metadata import version

from moderation.protocols.openapi import (
    akismet,
    colleagues,
    console,
    coral,
    demonstration,
    feed,
    form,
    insight,
    intake,
    learning,
    operations,
    perspective,
    published,
    review,
    rights,
    webhook,
    workplace,
)
from moderation.protocols.openapi.parts import PERSON, SESSION, SITE, Dialect, Json, write_operation
from moderation.protocols.openapi.schemas import HEADERS, SCHEMAS

DIALECTS: tuple[Dialect, ...] = (
    intake.DIALECT,
    webhook.DIALECT,
    form.DIALECT,
    published.DIALECT,
    review.DIALECT,
    insight.DIALECT,
    workplace.DIALECT,
    colleagues.DIALECT,
    rights.DIALECT,
    learning.DIALECT,
    feed.DIALECT,
    akismet.DIALECT,
    perspective.DIALECT,
    coral.DIALECT,
    operations.DIALECT,
    console.DIALECT,
    demonstration.DIALECT,
)
"""In the order of the pages under ``/docs``."""

_DESCRIPTION = """\
Comments come in, are judged, wait for a moderator where they have to, and the site hears the outcome.

Every error is a problem detail (RFC 9457) whose `type` leads to a page. Messages are in Arabic or English by
`Accept-Language`, else in the site's language. New members may be added to answers and events: ignore what you do not know.
Offsets are Unicode code points, end exclusive."""

_SECURITY: Json = {
    SITE: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "mds_…",
        "description": "A site's key: for its server, never for a page or an app.",
    },
    PERSON: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "mdu_…",
        "description": "A moderator's token; what it may do depends on the person's role on the site.",
    },
    SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-moderation",
        "description": "Of a moderator who signed in at `/console/` (named `moderation` on plain http of the same machine). "
        "Whatever changes something also takes the header `X-CSRF-Token` with the value that the console's page holds.",
    },
}


def build() -> Json:
    """Return the whole document."""
    schemas, security, paths = dict(SCHEMAS), dict(_SECURITY), dict[str, Json]()
    for dialect in DIALECTS:
        schemas.update(dialect.schemas)
        security.update(dialect.security_schemes)
        for operation in dialect.operations:
            item = paths.setdefault(operation.path, {})
            item[operation.method.lower()] = write_operation(operation, dialect.name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Comment desk",
            "version": version("comment-moderation"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This service"}],
        "tags": [{"name": dialect.name, "description": dialect.description} for dialect in DIALECTS],
        "paths": paths,
        "webhooks": feed.WEBHOOKS,
        "components": {"schemas": schemas, "headers": HEADERS, "securitySchemes": security},
    }
