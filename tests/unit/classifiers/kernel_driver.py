"""Drives a kernel that was compiled with sanitizers with hostile texts and hostile calls, in a process of its own.

    python -m tests.unit.classifiers.kernel_driver FILE SECONDS SEED

Compares with NumPy as it goes. Ends with 0 and a last line "ok N texts"; a sanitizer ends the process otherwise.
"""

import random
import sys
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np

from classifiers.native import build

PIECES = [
    "a", "ك", "9", "٣", ".", "*", " ", "\n", "\u2003", "_", "@ss", "$", "http://bit.ly", "\u0640", "\u200b", "ﷺ", "ﬃ", "½", "𝐀", "\0",
    "\ud800", "\udfff", "\U0010ffff", "😀", "kill you", "سأقتلك", "لازم نذبحهم كلهم", "the", "und", "f*ck", "i d i o t", "ك ل ب",
]  # fmt: skip


def hostile(chance: random.Random) -> str:
    size = chance.choice((0, 1, 2, 3, 5, 20, 60, 200))
    if chance.random() < 0.01:
        size = chance.choice((5_000, 19_999, 20_000, 20_001))
    if chance.random() < 0.2:
        return chance.choice((*PIECES, chr(chance.randrange(0x110000)))) * size
    return "".join(
        chance.choice(PIECES) if chance.random() < 0.6 else chr(chance.randrange(0x110000))
        for _ in range(size)
    )


def refused(call, *arguments) -> None:
    try:
        call(*arguments)
    except (TypeError, ValueError, IndexError, OverflowError):
        return
    raise AssertionError(f"{call} took {arguments!r:.80}")


def hostile_calls(kernel, tables, module) -> None:
    """Hand over what Python never does."""
    loops = kernel.current()
    reading, model = (
        loops.read(["a b c"], True),
        loops.weights(np.zeros(1 << 20, np.uint64), np.zeros(1 << 20, np.uint8), b"\5"),
    )
    for call, *arguments in (
        (module.Tables,), (module.Tables, *tables[:-1]), (module.Tables, *[b""] * len(tables)), (module.Tables, *[1] * len(tables)),
        (loops.scan, "abc"), (loops.scan, [b"abc"]), (loops.scan, [None]), (loops.read, ["a"]), (loops.read, ("a",), False),
        (loops.read, ["a", 1], False), (loops.weights, b"", b"x", b""), (loops.weights, b"12345678", b"x", b"\1"), (loops.weights, 1, 2, 3),
        *[(loops.weights, np.zeros(1 << 20, np.uint64), np.zeros(1 << 20, np.uint8), orders) for orders in (b"", b"\0", b"\x09", b"\1\1")],
        (reading.folded, 1), (reading.folded, -1), (reading.folded, 1 << 70), (reading.latin, 1), (reading.latin, "x"),
        (model.sums, reading, b""), (model.sums, reading, b"\1"), (model.sums, reading, b"\0\0"), (model.sums, None, b"\0"),
        (model.sums, reading, "x"), (type(reading),), (type(model),),
        (model.places, reading, 1, 0, 1.0, 0.0, 0.0), (model.places, reading, 0, 4, 1.0, 0.0, 0.0), (reading.lead_back, 1, np.zeros(9)),
        (model.places, loops.read(["a"], False), 0, 0, 1.0, 0.0, 0.0), (model.places, loops.read(["a", "b"], True), 0, 0, 1.0, 0.0, 0.0),
        (model.places, loops.read([], True), 0, 0, 1.0, 0.0, 0.0), (reading.lead_back, 0, b"1"),
        (loops.read(["a"], False).lead_back, 0, np.zeros(9, np.int64)),
    ):  # fmt: skip
        refused(call, *arguments)
    reading.lead_back(0, np.array([7, -7], np.int64))  # fewer than the text has, and none of its places
    model.places(reading, 0, 3, 1.0, 0.0, 0.0)
    for at in range(len(tables)):  # each table one entry short, or of entries that point beyond
        short = [table if place != at else table[:-1] for place, table in enumerate(tables)]
        wild = [
            table
            if place != at
            else np.full_like(table, np.iinfo(table.dtype).max if table.dtype.kind != "f" else 1)
            for place, table in enumerate(tables)
        ]
        for made in (short, wild):
            try:
                odd = module.Tables(*map(np.ascontiguousarray, made))
            except ValueError:
                continue
            odd.scan(["a$ @ss ﷺ kill you"])
            read = odd.read(["a ﷺ kill you", "", "ﬃ"], True)
            read.counted(), read.latin(0), read.row(), read.found(), read.stream()
            refused(model.sums, read, b"\0\0\0")
    gone = loops.read(["kill you"] * 3, False)
    del loops
    assert gone.counted()[0][0][0] == 2
    refused(model.sums, gone, b"\0\0\1")


def main(file: str, seconds: str, seed: str) -> None:
    build.path = lambda: Path(file)
    from classifiers import kernel, native
    from classifiers.analysis import analyse, batches
    from classifiers.runtime import Scorer

    assert kernel.status() == {"kernel": "native"}, kernel.status()
    hostile_calls(kernel, kernel._tables(), native.load().module)
    scorer, chance, read = Scorer.shipped(), random.Random(int(seed)), 0
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        texts = [hostile(chance) for _ in range(chance.choice((1, 1, 2, 37, 128)))]
        for run in batches(texts):
            found = analyse(texts[run])
            arrays = (found.stream.codes, found.stream.starts, *found.words, found.codes)
            with patch.object(kernel, "current", lambda: None):
                plain = analyse(texts[run])
            expected = (plain.stream.codes, plain.stream.starts, *plain.words, plain.codes)
            assert all(map(np.array_equal, arrays, expected))
            assert scorer.score_found(found) == scorer.score_found(plain)
        kept = {}
        scorer.score(texts, kept=kept)
        for text in texts[:3]:
            scorer.explain(text, kept=kept.get(text))
            scorer.decompose(text)
        read += len(texts)
    print(f"ok {read} texts")


if __name__ == "__main__":
    main(*sys.argv[1:])
