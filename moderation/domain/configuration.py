"""Reads a JSON object key by key and reports every fault at once: for policies and limits."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Self, TypeVar

from moderation.domain.errors import FieldError, InvalidConfigurationError

Choice = TypeVar("Choice", bound=StrEnum)


class JsonReader:
    """Reads one JSON object. A faulty key is noted and its default returned, so that reading goes on to the next.

    Call `refuse_unknown` at the end of each object and `finish` once for all: that one raises.
    """

    def __init__(self, value: Any, pointer: str = "", faults: list[FieldError] | None = None) -> None:
        self._pointer = pointer
        self._faults: list[FieldError] = [] if faults is None else faults
        self._read: set[str] = set()
        self._object: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            self._faults.append(FieldError(pointer, "wrong_type", {"expected": "object"}))

    def fault(self, key: str, code: str, **values: Any) -> None:
        """Note a fault of ``key`` (empty: of the object itself)."""
        self._faults.append(FieldError(self.pointer(key), code, values))

    def gather(self, key: str, error: InvalidConfigurationError) -> None:
        """Note what is wrong inside of ``key``, as somebody else found it."""
        self._faults.extend(
            replace(fault, pointer=self.pointer(key) + fault.pointer) for fault in error.errors
        )

    def fault_at(self, key: str, at: int, code: str, **values: Any) -> None:
        """Note a fault of element ``at`` of the list at ``key``."""
        self._faults.append(FieldError(f"{self.pointer(key)}/{at}", code, values))

    def pointer(self, key: str) -> str:
        """Return the JSON pointer (RFC 6901) of ``key``."""
        return f"{self._pointer}/{escape(key)}" if key else self._pointer

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is given."""
        return key in self._object

    def value(self, key: str, default: Any = None) -> Any:
        """Return what stands at ``key``, unjudged."""
        self._read.add(key)
        return self._object.get(key, default)

    def __iter__(self) -> Iterator[str]:
        """Yield all keys."""
        return iter(self._object)

    def nested(self, key: str) -> Self:
        """Return a reader of the object at ``key``, which must be given; faults gather in one place."""
        return type(self)(self.value(key), self.pointer(key), self._faults)

    def items(self, key: str, *, most: int) -> list[Any]:
        """Return the list at ``key``, empty if left out."""
        value = self.value(key, [])
        if not isinstance(value, list | tuple):
            self.fault(key, "wrong_type", expected="list")
            return []
        if len(value) > most:
            self.fault(key, "invalid_value", allowed=f"at most {most} items")
        return list(value[:most])

    def element(self, key: str, at: int, value: Any) -> Self:
        """Return a reader of the object that is element ``at`` of the list at ``key``."""
        return type(self)(value, f"{self.pointer(key)}/{at}", self._faults)

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return the whole number at ``key``, from ``low`` to ``high``."""
        value = self.value(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(key, "wrong_type", expected="whole number")
        elif not low <= value <= high:
            self.fault(key, "invalid_value", allowed=f"{low} to {high}")
        else:
            return value
        return default

    def whole_or_none(self, key: str, default: int | None, *, low: int, high: int) -> int | None:
        """Return the whole number or null at ``key``."""
        if self.value(key, default) is None:
            return None
        return self.whole(key, low if default is None else default, low=low, high=high)

    def fraction(self, key: str, default: float) -> float:
        """Return the number from 0 to 1 at ``key``."""
        value = self.value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(key, "wrong_type", expected="number")
        elif not 0 <= value <= 1:  # refuses NaN too
            self.fault(key, "invalid_value", allowed="0 to 1")
        else:
            return float(value)
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the truth value at ``key``."""
        value = self.value(key, default)
        if not isinstance(value, bool):
            self.fault(key, "wrong_type", expected="true or false")
            return default
        return value

    def choice(self, key: str, default: Choice) -> Choice:
        """Return the member of the default's kind at ``key``."""
        try:
            return type(default)(self.value(key, default.value))
        except ValueError:
            self.fault(key, "invalid_value", allowed=", ".join(type(default)))
            return default

    def refuse_unknown(self) -> None:
        """Note every key that nothing has read."""
        for key in self._object:
            if key not in self._read:
                self.fault(str(key), "unknown_field")

    def finish(self) -> None:
        """Raise `InvalidConfigurationError` with every fault noted so far, if there is one."""
        if self._faults:
            raise InvalidConfigurationError(self._faults)


def escape(key: str) -> str:
    """Return ``key`` as a step of a JSON pointer (RFC 6901 §3)."""
    return key.replace("~", "~0").replace("/", "~1")
