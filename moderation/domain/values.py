"""Frozen dataclasses that are made as quickly as others: every comment passes through some twenty of them.

What `dataclasses` writes for a frozen class sets each field by a call, which costs eight times what an assignment does.
"""

from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type[Any])
_BECOME = object.__dict__["__class__"].__set__


def quick(frozen: Class) -> Class:
    """Give a frozen, slotted dataclass an ``__init__`` that does the same with assignments.

    While it runs the object is of a twin class with the same slots that is not frozen; nobody else can have it yet. Only for
    classes without subclasses, ``__post_init__`` and fields that are keyword-only or left out of ``__init__``; raises
    `TypeError` for others.
    """
    known = fields(frozen)
    is_plain = all(f.init and not f.kw_only for f in known)
    names = [f.name for f in known]
    if not is_plain or hasattr(frozen, "__post_init__") or getattr(frozen, "__slots__", None) != tuple(names):
        raise TypeError(f"{frozen.__name__} is no plain frozen dataclass with slots")
    made_anew = {f"_make_{f.name}": f.default_factory for f in known if f.default_factory is not MISSING}
    given = {f"_{f.name}": f.default for f in known if f.default is not MISSING}
    lines = [
        f"def __init__(self, {', '.join(map(_parameter, known))}):",
        "    _become(self, _Open)",
        *(f"    self.{name} = {name}" for name in names),
        *(
            f"    if {f.name} is _Nothing: self.{f.name} = _make_{f.name}()"
            for f in known
            if f"_make_{f.name}" in made_anew
        ),
        "    self.__class__ = _Frozen",
    ]
    twin = type(frozen.__name__, (), {"__slots__": tuple(names)})
    scope: dict[str, Any] = {"_become": _BECOME, "_Open": twin, "_Frozen": frozen, "_Nothing": MISSING}
    scope |= given | made_anew
    exec("\n".join(lines), scope)  # noqa: S102 - as dataclasses itself does; the names are the class's own
    made = scope["__init__"]
    made.__qualname__, made.__module__ = f"{frozen.__qualname__}.__init__", frozen.__module__
    made.__annotations__ = frozen.__init__.__annotations__
    frozen.__init__ = made
    return frozen


def _parameter(one: "Field[Any]") -> str:
    if one.default_factory is not MISSING:
        return f"{one.name}=_Nothing"
    return one.name if one.default is MISSING else f"{one.name}=_{one.name}"
