"""Colours that meet are told apart: WCAG 2.2, success criteria 1.4.3 (text, 4.5:1) and 1.4.11 (borders and marks of focus, 3:1)."""

import re
from importlib import resources

import pytest

STATIC = resources.files("moderation.console") / "static"
PALETTE = (STATIC / "palette.css").read_text("utf-8")
DAY, NIGHT = PALETTE.split("@media")
TEXTS = [
    *[(text, ground) for text in ("ink", "soft", "accent") for ground in ("ground", "paper", "raised")],
    ("on-accent", "accent"),
    ("ink", "accent-ground"),
    *[(f"{kind}", f"{kind}-ground") for kind in ("accent", "good", "fault", "wait")],
    ("soft", "accent-ground"),
    ("fault", "paper"),
    ("fault", "raised"),
    ("on-solid", "good-solid"),
    ("on-solid", "fault-solid"),
    ("on-mark", "mark"),
    ("on-mark", "mark-weak"),
    ("paper", "ink"),
]
EDGES = [("line", "paper"), ("accent", "paper"), ("accent", "raised"), ("accent", "ground")]


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("block", [DAY, NIGHT], ids=["day", "night"])
def test_what_is_read_can_be_read(block: str) -> None:
    palette = colours(block)
    faint = {
        pair: round(ratio, 2)
        for pair in TEXTS
        if (ratio := contrast(palette[pair[0]], palette[pair[1]])) < 4.5
    }
    assert faint == {}


@pytest.mark.parametrize("block", [DAY, NIGHT], ids=["day", "night"])
def test_what_can_be_used_can_be_seen(block: str) -> None:
    palette = colours(block)
    assert {
        pair: contrast(palette[pair[0]], palette[pair[1]])
        for pair in EDGES
        if contrast(palette[pair[0]], palette[pair[1]]) < 3
    } == {}


def test_day_and_night_have_the_same_colours_and_all_are_defined_there() -> None:
    assert colours(DAY).keys() == colours(NIGHT).keys()
    sheet = (STATIC / "console.css").read_text("utf-8")
    defined = set(re.findall(r"--([\w-]+):", PALETTE + sheet))
    assert set(re.findall(r"var\(--([\w-]+)", sheet)) - defined == set()
    assert re.findall(r"#[0-9a-f]{3,8}\b", sheet) == []
