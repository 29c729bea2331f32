"""Frozen values, made as quickly as can be: every comment passes through some twenty of them.

`msgspec` makes one of six fields in 0.07 µs, `dataclasses` a frozen one in 1.05; reading a field costs less, too.
"""

from typing import Any, ClassVar, Self

from msgspec import Struct
from msgspec.structs import replace


class Value(Struct, frozen=True):
    """A value: compared and hashed by its fields, none of which can be set."""

    PRIVATE: ClassVar[frozenset[str]] = frozenset()
    """Fields that are left out wherever the value is shown, as in a traceback."""

    def changed(self, **fields: Any) -> Self:
        """Return a value that differs in ``fields``."""
        return replace(self, **fields)

    def __repr__(self) -> str:
        fields: tuple[str, ...] = self.__struct_fields__
        shown = [f"{name}={getattr(self, name)!r}" for name in fields if name not in self.PRIVATE]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> Any:
        """Show the same to those who ask for parts."""
        fields: tuple[str, ...] = self.__struct_fields__
        return ((name, getattr(self, name)) for name in fields if name not in self.PRIVATE)
