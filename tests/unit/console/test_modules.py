"""The console's modules fit together: what one takes of another is there and is used, and none takes from itself in a circle."""

import re
from importlib import resources

import pytest

STATIC = resources.files("moderation.console") / "static"
MODULES = {one.name: one.read_text("utf-8") for one in STATIC.iterdir() if one.name.endswith(".js")}
IMPORT = re.compile(r'import \{([^}]+)\} from "\./([\w.]+)";')
EXPORT = re.compile(r"export (?:async )?(?:const|function|class) (\w+)")


def imports(name: str) -> dict[str, list[str]]:
    """Return the names taken, by module."""
    return {match[2]: re.findall(r"\w+", match[1]) for match in IMPORT.finditer(MODULES[name])}


@pytest.mark.parametrize("name", MODULES)
def test_what_is_taken_is_there_and_is_used(name: str) -> None:
    code = IMPORT.sub("", MODULES[name])
    for module, names in imports(name).items():
        assert set(names) <= set(EXPORT.findall(MODULES[module])), module
        assert [one for one in names if not re.search(rf"\b{one}\b", code)] == []
    assert code.count("import ") == 0, "every import is of the form that is looked at here"


@pytest.mark.parametrize("name", MODULES)
def test_what_is_given_is_taken_somewhere(name: str) -> None:
    taken = {one for other in MODULES for one in imports(other).get(name, [])}
    assert [one for one in EXPORT.findall(MODULES[name]) if one not in taken] == []


def test_no_circle() -> None:
    left = {name: set(imports(name)) for name in MODULES}
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys()}
        assert free, left
        left = {name: needs for name, needs in left.items() if name not in free}
