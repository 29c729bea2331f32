"""The frozen cases that no retrained model may get wrong: blatant insults, plain advertisements, and plainly civil comments."""

import json
from functools import cache
from pathlib import Path

from classifiers.site.gates import MustPass

_FILE = Path(__file__).parent / "must_pass.jsonl"


@cache
def frozen_cases() -> tuple[MustPass, ...]:
    """Return the cases, each named by its line."""
    lines = _FILE.read_text("utf-8").splitlines()
    return tuple(
        MustPass(str(at), case["text"], case["language"], case["output"], case["is_positive"])
        for at, case in enumerate(map(json.loads, lines), start=1)
    )
