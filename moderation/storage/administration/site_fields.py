"""The columns of a site that an admin sets: read and checked, every fault at once."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from moderation.domain.errors import FieldError, InvalidConfigurationError
from moderation.domain.ids import SITE_NAME
from moderation.domain.nesting import UNSET

COLUMNS = ("title", "url", "language", "webhook_url")
_MAX_TITLE = 200
_MAX_URL = 2000
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


def read_columns(value: Mapping[str, Any]) -> tuple[dict[str, str | None], list[FieldError]]:
    """Return those of `COLUMNS` that ``value`` has, as they are stored, and what is wrong with them."""
    columns: dict[str, str | None] = {}
    faults: list[FieldError] = []
    for column in COLUMNS:
        if column in value:
            columns[column], fault = _read(column, value[column])
            if fault is not None:
                faults.append(fault)
    return columns, faults


def check_name(name: str) -> None:
    """Raise `InvalidConfigurationError` unless ``name`` can be a site's: it stands in URLs and cannot change."""
    if not SITE_NAME.fullmatch(name):
        allowed = "1 to 63 small letters a to z, digits and hyphens, no hyphen at either end"
        raise InvalidConfigurationError([FieldError("/site", "invalid_value", {"allowed": allowed})])


def _read(column: str, value: Any) -> tuple[str | None, FieldError | None]:
    pointer = f"/{column}"
    if column == "webhook_url" and (value is UNSET or not value):
        return None, None
    if not isinstance(value, str) or not value.strip():
        return None, FieldError(pointer, "missing")
    text = value.strip()
    if column == "language":
        return _read_language(pointer, text.lower())
    if column == "title":
        return text, _title_fault(pointer, text)
    return text, None if _is_web_address(text) else FieldError(pointer, "invalid_url")


def _read_language(pointer: str, text: str) -> tuple[str, FieldError | None]:
    return text, None if _LANGUAGE.fullmatch(text) else FieldError(pointer, "invalid_language")


def _title_fault(pointer: str, text: str) -> FieldError | None:
    if len(text) > _MAX_TITLE:
        return FieldError(pointer, "too_long", {"limit": _MAX_TITLE})
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return FieldError(pointer, "unstorable_text")
    return None


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = len(text) <= _MAX_URL and not any(c.isspace() or ord(c) < 33 for c in text)
    return is_plain and has_port and parts.scheme in {"http", "https"} and bool(parts.hostname)
