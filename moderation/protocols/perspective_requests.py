"""The bodies of ``comments:analyze`` and ``comments:suggestscore``, read into what cannot be wrong.

Only the fields named here are read. Texts are cleaned of lone surrogates, one sign for one, so that offsets keep.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moderation.protocols.perspective_attributes import outputs_of
from moderation.protocols.perspective_errors import PerspectiveError

MAX_TEXT_BYTES = 20 * 1024
MAX_ATTRIBUTES = 50
MAX_LANGUAGES = 20
MAX_TOKEN = 1000
MAX_SPANS = 1000
_HUMP = re.compile("[A-Z]")
_PLAIN = (None, "", "PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED")
_PROBABILITY = (None, "", "PROBABILITY", "SCORE_TYPE_UNSPECIFIED")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One requested attribute: which outputs answer it, and below which value no answer is wanted."""

    name: str
    outputs: tuple[str, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """What is to be scored."""

    text: str = field(repr=False)
    wanted: tuple[Wanted, ...]
    languages: tuple[str, ...]
    client_token: str | None
    has_spans: bool


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """What somebody says of a text: values in [0, 1] by attribute."""

    text: str = field(repr=False)
    values: Mapping[str, float]
    languages: tuple[str, ...]
    client_token: str | None
    community: str | None
    entry: str | None
    """The text of the first entry of the context, in which Coral says which comment it is about."""


def read_analyze(raw: Any) -> AnalyzeRequest:
    """Read the body of ``comments:analyze``. Raises `PerspectiveError`."""
    body = _object(raw, "")
    text = _read_text(body)
    _read_entry(body)
    return AnalyzeRequest(
        text=text,
        wanted=_read_wanted(body),
        languages=_read_languages(body),
        client_token=_string(body, "clientToken"),
        has_spans=_flag(body, "spanAnnotations"),
    )


def read_suggest(raw: Any) -> SuggestRequest:
    """Read the body of ``comments:suggestscore``. Raises `PerspectiveError`."""
    body = _object(raw, "")
    return SuggestRequest(
        text=_read_text(body),
        values=_read_values(body),
        languages=_read_languages(body),
        client_token=_string(body, "clientToken"),
        community=_string(body, "communityId"),
        entry=_read_entry(body),
    )


def _read_text(body: Mapping[str, Any]) -> str:
    comment = _object(_field(body, "comment"), "comment")
    text = _string(comment, "text", at="comment.text", limit=None)
    if _field(comment, "type") not in _PLAIN:
        raise PerspectiveError("comment.type: only PLAIN_TEXT is supported.")
    if text is None or not text.strip():
        raise PerspectiveError("Comment must be non-empty.", "COMMENT_EMPTY")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise PerspectiveError("Comment text too long.", "COMMENT_TOO_LONG")
    return text


def _read_wanted(body: Mapping[str, Any]) -> tuple[Wanted, ...]:
    asked = _object(_field(body, "requestedAttributes"), "requestedAttributes")
    if not asked:
        raise PerspectiveError("No requested attributes.", "NO_REQUESTED_ATTRIBUTES")
    _check_count(asked, "requestedAttributes", MAX_ATTRIBUTES)
    return tuple(_read_attribute(_clean(name), wanted) for name, wanted in asked.items())


def _read_attribute(name: str, written: Any) -> Wanted:
    outputs = outputs_of(name)
    if outputs is None:
        raise PerspectiveError(f"Unknown requested attribute: {name[:100]}")
    at = f"requestedAttributes.{name}"
    wanted = _object(written, at)
    if _field(wanted, "scoreType") not in _PROBABILITY:
        raise PerspectiveError(f"{at}.scoreType: only PROBABILITY is supported.")
    return Wanted(name, outputs, _number(_field(wanted, "scoreThreshold"), f"{at}.scoreThreshold") or 0.0)


def _read_values(body: Mapping[str, Any]) -> dict[str, float]:
    given = _object(_field(body, "attributeScores"), "attributeScores")
    if not given:
        raise PerspectiveError("No attribute scores.", "NO_REQUESTED_ATTRIBUTES")
    _check_count(given, "attributeScores", MAX_ATTRIBUTES)
    read = {_clean(name): _read_value(_clean(name), scores) for name, scores in given.items()}
    return {name: value for name, value in read.items() if value is not None}


def _read_value(name: str, written: Any) -> float | None:
    """Return the summary, or the greatest of the spans where there is none."""
    at = f"attributeScores.{name}"
    scores = _object(written, at)
    summary = _object(_field(scores, "summaryScore"), f"{at}.summaryScore")
    value = _number(_field(summary, "value"), f"{at}.summaryScore.value")
    spans = _list(_field(scores, "spanScores"), f"{at}.spanScores", MAX_SPANS)
    of_spans = [_read_span(span, f"{at}.spanScores") for span in spans]
    return max((v for v in of_spans if v is not None), default=None) if value is None else value


def _read_span(written: Any, at: str) -> float | None:
    score = _object(_field(_object(written, at), "score"), f"{at}.score")
    return _number(_field(score, "value"), f"{at}.score.value")


def _read_entry(body: Mapping[str, Any]) -> str | None:
    context = _object(_field(body, "context"), "context")
    entries = _list(_field(context, "entries"), "context.entries", MAX_SPANS)
    article = _object(_field(context, "articleAndParentComment"), "context.articleAndParentComment")
    if entries and article:
        raise PerspectiveError("context: give entries or articleAndParentComment, not both.")
    if not entries:
        return None
    return _string(_object(entries[0], "context.entries"), "text", at="context.entries[0].text", limit=None)


def _read_languages(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the hints as they were given; wrong ones are tolerated, for clients send `en` with every text."""
    given = _field(body, "languages")
    written = [given] if isinstance(given, str) else _list(given, "languages", MAX_LANGUAGES)
    if not all(isinstance(language, str) and len(language) <= 35 for language in written):
        raise PerspectiveError("languages: give language codes.")
    return tuple(_clean(language) for language in written)


def _field(source: Mapping[str, Any], name: str) -> Any:
    """Return a field by its name in lowerCamelCase or, as Google's JSON allows, in snake_case."""
    return source[name] if name in source else source.get(_HUMP.sub(lambda m: "_" + m[0].lower(), name))


def _object(value: Any, at: str) -> Mapping[str, Any]:
    if value is None and at:
        return {}
    if not isinstance(value, dict):
        raise PerspectiveError(f"Invalid value at '{at}': an object was expected.")
    return value


def _list(value: Any, at: str, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise PerspectiveError(f"Invalid value at '{at}': a list was expected.")
    _check_count(value, at, most)
    return value


def _check_count(found: Any, at: str, most: int) -> None:
    if len(found) > most:
        raise PerspectiveError(f"Invalid value at '{at}': more than {most} entries.")


def _string(
    source: Mapping[str, Any], name: str, *, at: str | None = None, limit: int | None = MAX_TOKEN
) -> str | None:
    value = _field(source, name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise PerspectiveError(f"Invalid value at '{at or name}': a string was expected.")
    if limit is not None and len(value) > limit:
        raise PerspectiveError(f"Invalid value at '{at or name}': longer than {limit} characters.")
    return _clean(value)


def _flag(source: Mapping[str, Any], name: str) -> bool:
    value = _field(source, name)
    if not isinstance(value, bool | None):
        raise PerspectiveError(f"Invalid value at '{name}': true or false was expected.")
    return bool(value)


def _number(value: Any, at: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PerspectiveError(f"Invalid value at '{at}': a number from 0 to 1 was expected.")
    return float(value)


def _clean(text: str) -> str:
    """Replace what cannot be stored, one character by one, so that offsets stay true."""
    text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode(errors="replace").decode()
