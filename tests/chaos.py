"""The long form of the reliability tests: `make chaos`. Runs them slice by slice and sums up what was done and survived.

`python -m tests.chaos --only worker --rounds 5` runs one slice; `--list` names them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
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
    """Run the slices; the exit code tells how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills of each part")
    parser.add_argument("--only", choices=SLICES, action="append", help="these slices alone")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(SLICES))
        return 0
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "report"
        for name in asked.only or SLICES:
            started_s = time.monotonic()
            code = run(name, asked.rounds, lines)
            verdict = "survived" if code == 0 else "FAILED"
            print(f"{name}: {verdict} after {time.monotonic() - started_s:.0f} s", flush=True)
            failed += [name] if code else []
        print("\nwhat was done · how often · what came of it")
        for line in lines.read_text("utf-8").splitlines() if lines.exists() else []:
            print(" · ".join(map(str, json.loads(line))))
    print(f"failed: {', '.join(failed) or 'nothing'}")
    return len(failed)


def run(name: str, rounds: int, lines: Path) -> int:
    """Run one slice with its settings; return pytest's exit code."""
    module, settings = SLICES[name]
    environment = os.environ | settings | {"CHAOS_ROUNDS": str(rounds), REPORT: str(lines)}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rf", module], env=environment, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
