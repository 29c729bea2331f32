"""Pages for readers, rendered from the templates in `pages/`: every value escaped, no script and no style but our own."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from moderation.domain.errors import FieldError
from moderation.domain.messages import message
from moderation.protocols.form_fields import FIELDS, TRAP
from moderation.protocols.reader_words import words

TEMPLATES = Environment(
    loader=PackageLoader("moderation.protocols", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,  # read once, at import: no file is opened while requests wait
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_source(name: str) -> str:
    """Return a file of `pages/` as it is."""
    assert TEMPLATES.loader is not None
    return TEMPLATES.loader.get_source(TEMPLATES, name)[0]


def security_headers(sources: str) -> dict[str, str]:
    """Return the headers of a page that may load ``sources`` (CSP directives) and send forms to this service alone."""
    policy = (
        f"default-src 'none'; {sources}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    return {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class Row:
    """One visible field of the form."""

    name: str
    label: str
    value: str
    error: str | None
    hint: str | None
    is_required: bool
    has_focus: bool
    kind: "RowKind"


@dataclass(frozen=True, slots=True)
class RowKind:
    """How a field is typed in: what the browser offers, and which way the text runs."""

    autocomplete: str
    inputmode: str
    direction: str
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The comment form as templates draw it."""

    action: str
    rows: tuple[Row, ...]
    hidden: Mapping[str, str]
    errors: tuple[str, ...]
    """Faults of fields that the reader does not see."""


ROWS = {
    "author": RowKind("name", "text", "auto"),
    "email": RowKind("email", "email", "ltr"),
    "url": RowKind("url", "url", "ltr"),
    "comment": RowKind("off", "text", "auto", is_long=True),
}
HIDDEN = tuple(name for name in FIELDS if name not in ROWS and name != TRAP)
_REQUIRED_AS = {"author": "author.name", "email": "author.email", "url": "author.url", "comment": "text"}


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands in a form: the reader's input, what is wrong with it, and what the site requires."""

    required: Sequence[str]
    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()
    """With pointers to the form's own names."""


def comment_form(action: str, language: str, filling: Filling) -> Form:
    """Lay the form out in ``language``; the first faulty field has the focus."""
    faults = {e.pointer.removeprefix("/"): message(e.code, language, e.values) for e in filling.errors}
    first = next((name for name in ROWS if name in faults), None)
    own_words = words(language)
    rows = tuple(
        Row(
            name=name,
            label=own_words[name],
            value=_text(filling.values.get(name)),
            error=faults.get(name),
            hint=own_words.get(f"{name}_hint"),
            is_required=_REQUIRED_AS[name] in filling.required,
            has_focus=name == first,
            kind=kind,
        )
        for name, kind in ROWS.items()
    )
    hidden = {name: _text(filling.values[name]) for name in HIDDEN if filling.values.get(name)}
    others = tuple(f"{name}: {fault}" for name, fault in faults.items() if name not in ROWS)
    return Form(action, rows, hidden, others)


def _text(value: Any) -> str:
    """Return what the reader typed; JSON may hold anything, and a page takes only text that has an encoding."""
    text = str(value) if isinstance(value, str | int) else ""
    return text.encode(errors="replace").decode()


ANSWER_STYLE = page_source("form.css") + page_source("answer.css")
ANSWER_HEADERS = security_headers(
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(ANSWER_STYLE.encode()).digest()).decode()}'"
)
_ANSWER = TEMPLATES.get_template("answer.html")
TEMPLATES.get_template("form.html")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reader came from: the site's title, and the address of the article."""

    title: str
    back: str


def answer_page(language: str, *, outcome: str, text: str, place: Place | None, form: Form | None) -> str:
    """Return the page that a reader without JavaScript sees after sending.

    ``outcome`` is approved, held, rejected, invalid or problem; with a ``form`` the reader can send again.
    """
    own_words = words(language)
    return _ANSWER.render(
        language=language,
        direction=direction(language),
        words=own_words,
        outcome=outcome,
        title=own_words[f"title_{outcome}"],
        text=text,
        place=place,
        form=form,
        style=Markup(ANSWER_STYLE),  # noqa: S704 - our own file; its hash stands in the policy
    )


def direction(language: str) -> str:
    """Return the direction of writing as HTML names it."""
    return "rtl" if language == "ar" else "ltr"
