"""The long form of the reliability tests: `make chaos`. Runs them slice by slice and sums up what was done and survived.

`python -m tests.chaos --only worker --rounds 5` runs one slice; `--list` names them.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

REPORT = "CHAOS_REPORT"
FOLDER = "tests/reliability"
SLICES: dict[str, tuple[str, dict[str, str]]] = {
    **{
        victim: (f"{FOLDER}/test_service_kills.py", {"CHAOS_VICTIMS": victim})
        for victim in ("worker", "supervisor", "postgres", "valkey")
    },
    "engines": (f"{FOLDER}/test_engine_kills.py", {}),
    "stalls": (f"{FOLDER}/test_stalled_engines.py", {}),
    "stopping": (f"{FOLDER}/test_stopping.py", {}),
    "two": (f"{FOLDER}/test_two_of_everything.py", {}),
    "week": (f"{FOLDER}/test_endpoint_week.py", {"CHAOS_RATE": "4"}),
}
"""By name: a test module, and what makes its run this slice."""


def report(done: str, times: int, result: str) -> None:
    """Note one line for the summary; does nothing in an ordinary run of the tests."""
    file = os.environ.get(REPORT)
    if file:
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps([done, times, result]) + "\n")


def main() -> int:
    """Run the slices; the exit code tells how many failed. Interrupted, it sums up what was done until then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills of each part")
    parser.add_argument("--only", choices=SLICES, action="append", help="these slices alone")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(SLICES))
        return 0
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # SIGINT too: a shell starts what it puts in the background without it
        signal.signal(number, _interrupt)
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "report"
        try:
            run_all(asked.only or SLICES, asked.rounds, lines, failed)
        except KeyboardInterrupt:
            failed.append("interrupted")
        finally:
            sum_up(lines, failed)
    return len(failed)


def run_all(names: Iterable[str], rounds: int, lines: Path, failed: list[str]) -> None:
    """Run one slice after another; name in ``failed`` those that did not hold."""
    for name in names:
        started_s = time.monotonic()
        code = run(name, rounds, lines)
        verdict = "survived" if code == 0 else "FAILED"
        print(f"{name}: {verdict} after {time.monotonic() - started_s:.0f} s", flush=True)
        failed += [name] if code else []


def sum_up(lines: Path, failed: list[str]) -> None:
    """Print what was noted, by slice and, where a slice was broken off, by the kills until then."""
    print("\nwhat was done · how often · what came of it")
    for line in lines.read_text("utf-8").splitlines() if lines.exists() else []:
        print(" · ".join(map(str, json.loads(line))))
    print(f"failed: {', '.join(failed) or 'nothing'}", flush=True)


def run(name: str, rounds: int, lines: Path) -> int:
    """Run one slice with its settings; return pytest's exit code. Interrupted, it lets the slice end what it started."""
    module, settings = SLICES[name]
    environment = (
        os.environ | settings | {"CHAOS_ROUNDS": str(rounds), "CHAOS_PATIENCE": "4", REPORT: str(lines)}
    )
    command = [sys.executable, "-m", "pytest", "-q", "-rf", module]
    with subprocess.Popen(command, env=environment) as slice_:
        try:
            return slice_.wait()
        except KeyboardInterrupt:
            slice_.send_signal(signal.SIGINT)
            slice_.wait()
            raise


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
