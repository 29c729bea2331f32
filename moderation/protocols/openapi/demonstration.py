"""``/try``: served where the demonstration's site exists, and nowhere else."""

from moderation.protocols.openapi.parts import HTML, STORED, Answer, Dialect, Operation, parameter

_LANGUAGE = parameter("lang", "query", {"type": "string"}, "`ar` or `en`.")
_NAME = parameter(
    "name",
    "path",
    {"type": "string", "enum": ["form.css", "try.css", "try.js"]},
    "One of the page's files.",
    example="try.css",
)
_FILES = {kind: {"type": "string"} for kind in ("text/css", "text/javascript")}

DIALECT = Dialect(
    name="Demonstration",
    description="A news article with the comment form under it. 404 unless the service runs with `--demo`.",
    operations=(
        Operation(
            "GET",
            "/try",
            "tryPage",
            "The article and its form",
            {200: Answer("A page.", {HTML: {"type": "string"}})},
            parameters=(_LANGUAGE,),
            problems=("not-found", *STORED),
        ),
        Operation(
            "GET",
            "/try/static/{name}",
            "tryFile",
            "Its style and script",
            {200: Answer("The file.", _FILES)},
            parameters=(_NAME,),
            problems=("not-found", *STORED),
        ),
    ),
)
