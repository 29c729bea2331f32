"""The moderators' console: pages for people, who sign in with a password and get a session."""

from moderation.protocols.openapi.examples import COMMENT_ID
from moderation.protocols.openapi.parts import (
    HTML,
    STORED,
    Answer,
    Dialect,
    Json,
    Operation,
    parameter,
    record,
    request_body,
    shown,
)

_PAGE = {HTML: {"type": "string"}}
_FORM = "application/x-www-form-urlencoded"
_TEXT: Json = {"type": "string"}
_FACTOR_FIELDS = ("do", "code", "password", "offer", "csrf_token", "ticket", "next")
_LANGUAGE = parameter("lang", "query", _TEXT, "`ar` or `en`: chosen for good.")
_NEXT = parameter("next", "query", _TEXT, "Where to go then: a path of the console.")
_TOKEN = parameter("token", "path", _TEXT, "Out of the link.", example="mdi_0123456789abcdef")
_COMMENT = parameter(
    "id", "path", {"type": "string", "format": "uuid"}, "Of the comment.", example=COMMENT_ID
)
_NAME = parameter("name", "path", _TEXT, "One of the pages' files.", example="console.css")
_REST = parameter("rest", "path", _TEXT, "Any other address.", example="nowhere")
_BODY = ("malformed-request", "too-large", "unsupported-media-type", *STORED)
_THEN = Answer("Go on there.", headers=("Location",))
_AGAIN = Answer("The form again, with what is wrong.", _PAGE)
_LATER = Answer("Too many attempts: the form again, with how long to wait.", _PAGE, ("Retry-After",))

DIALECT = Dialect(
    name="Console",
    description=(
        "Where moderators work. Its pages use the calls of this document with a session instead of a token: the cookie, and for "
        "whatever changes something the header `X-CSRF-Token` with the value that the page holds."
    ),
    operations=(
        Operation("GET", "/console", "console", "To the desk", {303: _THEN}),
        *(
            Operation(
                "GET",
                path,
                name,
                title,
                {200: Answer("A page.", _PAGE), 303: Answer("Sign in first.", headers=("Location",))},
                parameters=(*parameters, _LANGUAGE),
                problems=STORED,
                page=True,
            )
            for path, name, title, parameters in (
                ("/console/", "consoleDesk", "The desk", ()),
                (
                    "/console/comments/{id}",
                    "consoleComment",
                    "One comment with all that is known of it",
                    (_COMMENT,),
                ),
                ("/console/search", "consoleSearch", "Search", ()),
                ("/console/sessions", "consoleSessions", "Where one is signed in", ()),
            )
        ),
        Operation(
            "GET",
            "/console/sign-in",
            "consoleSignInPage",
            "The form to sign in",
            {200: Answer("A page.", _PAGE), 303: Answer("Signed in already.", headers=("Location",))},
            parameters=(_NEXT, _LANGUAGE),
            problems=STORED,
            page=True,
        ),
        Operation(
            "POST",
            "/console/sign-in",
            "consoleSignIn",
            "Sign in",
            {
                200: Answer("The password is right: the second step.", _PAGE),
                303: Answer("Signed in: the session's cookie, and where to go.", headers=("Location",)),
                403: Answer("Not this pair, or not from our own page: the form again.", _PAGE),
                429: _LATER,
            },
            body=request_body(
                {
                    _FORM: shown(
                        record(
                            {"email": _TEXT, "password": _TEXT, "next": _TEXT},
                            optional=("email", "password", "next"),
                        ),
                        {"email": "editor@example.org", "password": "correct horse battery"},
                    )
                }
            ),
            problems=_BODY,
            page=True,
        ),
        Operation(
            "POST",
            "/console/sign-out",
            "consoleSignOut",
            "Sign out",
            {303: _THEN, 403: Answer("Not from our own page, or one of another session.", _PAGE)},
            description="Here, or with `everywhere` on every device.",
            body=request_body(
                {
                    _FORM: shown(
                        record(
                            {"csrf_token": _TEXT, "everywhere": _TEXT}, optional=("csrf_token", "everywhere")
                        ),
                        {"csrf_token": "0123456789abcdef"},
                    )
                },
                required=False,
            ),
            problems=_BODY,
            page=True,
        ),
        Operation(
            "POST",
            "/console/sessions",
            "consoleEndSession",
            "End one session of one's own",
            {303: _THEN, 403: Answer("Not from our own page, or one of another session.", _PAGE)},
            body=request_body(
                {
                    _FORM: shown(
                        record({"csrf_token": _TEXT, "session": _TEXT}, optional=("csrf_token", "session")),
                        {"csrf_token": "0123456789abcdef", "session": "fedcba9876543210"},
                    )
                },
                required=False,
            ),
            problems=_BODY,
            page=True,
        ),
        Operation(
            "POST",
            "/console/sign-in/code",
            "consoleShowCode",
            "The second step: show a code",
            {
                303: Answer("Signed in: the session's cookie, and where to go.", headers=("Location",)),
                403: Answer("A wrong code, one that was used, or too late: a form again.", _PAGE),
                429: _LATER,
            },
            description="`ticket` is of the page that answered the password; `code` of an authenticator, or `recovery`.",
            body=request_body(
                {
                    _FORM: shown(
                        record(
                            {"ticket": _TEXT, "code": _TEXT, "recovery": _TEXT, "next": _TEXT},
                            optional=("ticket", "code", "recovery", "next"),
                        ),
                        {"ticket": "AQdr…", "code": "123456"},
                    )
                }
            ),
            problems=_BODY,
            page=True,
        ),
        Operation(
            "GET",
            "/console/second-factor",
            "consoleSecondFactor",
            "One's own second factor",
            {200: Answer("A page.", _PAGE), 303: Answer("Sign in first.", headers=("Location",))},
            parameters=(_LANGUAGE,),
            problems=STORED,
            page=True,
        ),
        Operation(
            "POST",
            "/console/second-factor",
            "consoleChangeSecondFactor",
            "Set, renew or remove one's own second factor",
            {
                200: Answer("Recovery codes, shown once.", _PAGE),
                303: Answer("Removed, or sign in first.", headers=("Location",)),
                403: Answer("A wrong code or password, or not from our own page.", _PAGE),
                429: _LATER,
            },
            body=request_body(
                {
                    _FORM: shown(
                        record(
                            dict.fromkeys(_FACTOR_FIELDS, _TEXT),
                            optional=_FACTOR_FIELDS,
                        ),
                        {
                            "do": "set",
                            "code": "123456",
                            "password": "three long words",
                            "offer": "AQdr…",
                            "csrf_token": "0123456789abcdef",
                        },
                    )
                },
                required=False,
            ),
            problems=_BODY,
            page=True,
        ),
        Operation(
            "GET",
            "/console/welcome/{token}",
            "consoleWelcomePage",
            "The form to set a password",
            {200: Answer("A page.", _PAGE), 404: Answer("The link is good no more.", _PAGE)},
            parameters=(_TOKEN, _LANGUAGE),
            problems=STORED,
            page=True,
        ),
        Operation(
            "POST",
            "/console/welcome/{token}",
            "consoleWelcome",
            "Set a password",
            {
                200: Answer("Set: the second step.", _PAGE),
                303: Answer("Set, and signed in.", headers=("Location",)),
                403: Answer("Not from our own page: the form again.", _PAGE),
                404: Answer("The link is good no more.", _PAGE),
                422: _AGAIN,
            },
            parameters=(_TOKEN,),
            body=request_body(
                {
                    _FORM: shown(
                        record({"password": _TEXT, "again": _TEXT}, optional=("password", "again")),
                        {"password": "correct horse battery", "again": "correct horse battery"},
                    )
                }
            ),
            problems=_BODY,
            page=True,
        ),
        Operation(
            "GET",
            "/console/static/{name}",
            "consoleFile",
            "Its style, scripts and pictures",
            {
                200: Answer(
                    "The file.",
                    {
                        kind: {"type": "string"}
                        for kind in (
                            "text/css",
                            "text/javascript",
                            "image/svg+xml",
                            "font/woff2",
                            "image/png",
                        )
                    },
                ),
                304: Answer("You have it."),
            },
            parameters=(_NAME,),
            problems=("not-found",),
        ),
        Operation(
            "GET",
            "/console/{rest}",
            "consoleNoPage",
            "An address that leads nowhere",
            {404: Answer("A page that says so.", _PAGE)},
            parameters=(_REST, _LANGUAGE),
            problems=("not-found",),
            page=True,
        ),
    ),
)
