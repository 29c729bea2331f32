"""A progress bar on standard error: redrawn at a terminal, a line now and then elsewhere; never on standard output."""

import sys
from typing import Any

from tqdm import tqdm

ELSEWHERE_S = 5.0


def progress(
    total: int | None, what: str, unit: str, *, scale: bool = False, delay_s: float = 0.0
) -> "tqdm[Any]":
    """Return a bar to be updated; closes as a context manager. It shows up after `delay_s`, if the work takes that long."""
    at_terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=what,
        unit=unit,
        unit_scale=scale,
        file=sys.stderr,
        mininterval=0.2 if at_terminal else ELSEWHERE_S,
        dynamic_ncols=at_terminal,
        leave=True,
        delay=delay_s,
    )
