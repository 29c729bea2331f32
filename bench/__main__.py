"""`make bench`: intake beside a bare aiohttp handler, in one run on this machine."""

import argparse

from bench.load import Load, Result, comments, run
from bench.service import floor, service
from bench.texts import TEXTS

HEADERS = (("Content-Type", "application/json"), ("Accept-Language", "ar"))


def main() -> None:
    """Measure in rounds that alternate between floor and service, and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--comments", type=int, default=20_000, help="comments a round (default 20,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    with floor() as floor_port, service(workers=chosen.workers) as running:
        run(_load(floor_port, "", 500, start=10**7))
        run(_load(running.port, running.key, 500, start=10**7))
        for number in range(chosen.rounds):
            bare = run(_load(floor_port, "", chosen.comments, start=number * chosen.comments))
            ours = run(_load(running.port, running.key, chosen.comments, start=number * chosen.comments))
            _print("bare handler", bare)
            _print("intake", ours)
            print(f"round {number + 1}: intake / bare handler = {ours.rate / bare.rate:.2f}")


def _load(port: int, key: str, count: int, *, start: int) -> Load:
    headers = (*HEADERS, ("Authorization", f"Bearer {key}")) if key else HEADERS
    return Load("127.0.0.1", port, "/v1/comments", headers, comments(count, start=start, texts=TEXTS))


def _print(name: str, result: Result) -> None:
    p50, p99 = result.percentile(0.5), result.percentile(0.99)
    print(f"{name:>14}: {result.rate:8.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   {result.statuses}")


if __name__ == "__main__":
    main()
