"""`make bench`: speed as ratios to floors measured in the same run, each part bounded in count and time.

`python -m bench [PART…]`; without a part, all but the peer and the samples. `--short` runs every part in a small form and judges nothing.
"""

import argparse
import time
from collections.abc import Callable

from bench import intake, latency, limits, memory, parts, peer, queue, samples, scoring
from bench.sizes import FULL, SHORT, Sizes
from moderation.telemetry import configure_logging

PARTS: dict[str, Callable[[Sizes], None]] = {
    "intake": intake.one_worker,
    "workers": intake.two_workers,
    "latency": latency.measure,
    "limits": limits.measure,
    "queue": queue.measure,
    "memory": memory.measure,
    "parts": parts.measure,
    "samples": samples.measure,
    "scoring": scoring.measure,
    "peer": peer.measure,
}
ON_REQUEST = {"peer", "samples"}
"""Only when asked for: one installs another program into a folder that is thrown away, one slows what it watches."""


def main() -> None:
    """Run the parts asked for, and print what each measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=", ".join(PARTS))
    parser.add_argument(
        "--short", action="store_true", help="small counts; proves that it runs, judges nothing"
    )
    parser.add_argument("--comments", type=int, help="comments a round (20,000)")
    parser.add_argument("--rounds", type=int, help="rounds of the intake parts (3)")
    parser.add_argument("--held", type=int, help="held comments in the large queue (1,000,000)")
    parser.add_argument(
        "--minutes", type=int, help="minutes of a steady load in the part memory, instead of rounds"
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.part) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    configure_logging("json", "warning")
    sizes = (SHORT if chosen.short else FULL).changed(
        comments=chosen.comments, rounds=chosen.rounds, held=chosen.held, minutes=chosen.minutes
    )
    for name in chosen.part or [name for name in PARTS if name not in ON_REQUEST]:
        print(f"\n## {name}", flush=True)
        started = time.monotonic()
        PARTS[name](sizes)
        print(f"({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
