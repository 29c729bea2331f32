"""Nested JSON objects, changed key by key."""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Unset(Enum):
    """Stands for the absence of a value, where null is one."""

    UNSET = "unset"


UNSET = Unset.UNSET


def merged(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``stored`` with ``changes`` put in, object into object; `UNSET` takes a key away."""
    result = dict(stored)
    for key, change in changes.items():
        before = result.get(key)
        if change is UNSET:
            result.pop(key, None)
        elif isinstance(change, Mapping):
            result[key] = merged(before if isinstance(before, Mapping) else {}, change)
        else:
            result[key] = change
    return result
