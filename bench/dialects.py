"""`python -m bench.dialects`: what a call of another system's client costs beside ``/v1/comments``, in one run on this machine.

CPU is that of the service's own processes for each call, by part; the budget is 1.5 times that of ``/v1/comments``.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import psutil

from bench.cpu import spent
from bench.load import Load, Result, comments, run
from bench.service import Running, service
from bench.texts import TEXTS

JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
WORDPRESS = ("User-Agent", "WordPress/7.1 | Akismet/5.7.2")


def main() -> None:
    """Measure in rounds that alternate between the dialects, then a steady rate."""
    parser = argparse.ArgumentParser(prog="python -m bench.dialects", description=__doc__)
    parser.add_argument("--comments", type=int, default=4_000, help="comments a round (default 4,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--rate", type=float, default=200.0, help="calls a second of the steady part; 0: none"
    )
    parser.add_argument("--seconds", type=int, default=15, help="of the steady part")
    chosen = parser.parse_args()
    with service() as running:
        key = _akismet_key(running)
        count, numbers = chosen.comments, _starts(chosen.comments)
        for load in (_native(running, 500, next(numbers)), _akismet(running, key, 500, next(numbers))):
            run(load)
        for _ in range(chosen.rounds):
            native = _measure(running, "native", _native(running, count, next(numbers)))
            akismet = _measure(running, "akismet", _akismet(running, key, count, next(numbers)))
            print(f"akismet / native: {akismet / native:.2f} times the CPU a call")
        if chosen.rate:
            steady = int(chosen.rate * chosen.seconds)
            load = replace(_akismet(running, key, steady, next(numbers)), rate=chosen.rate)
            _measure(running, f"akismet at {chosen.rate:.0f}/s", load)


def _measure(running: Running, name: str, load: Load) -> float:
    """Run a load, print what it cost, and return the CPU milliseconds of all parts for each call."""
    before = spent(running.pid)
    result = run(load)
    parts = {part: 1000 * s / len(load.bodies) for part, s in spent(running.pid).since(before).items()}
    total = sum(parts.values())
    _print(name, result, parts, total)
    return total


def _print(name: str, result: Result, parts: dict[str, float], total: float) -> None:
    p50, p99 = result.percentile(0.5), result.percentile(0.99)
    said = ", ".join(f"{part} {ms:.3f}" for part, ms in parts.items() if ms >= 0.001)
    print(f"{name:>16}: {result.rate:7.0f}/s  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  {result.statuses}")
    print(f"{'':>16}  CPU {total:.3f} ms a call: {said}", flush=True)


def _starts(step: int) -> Iterator[int]:
    """Yield where each load begins to count its authors, so that no two loads share one."""
    start = 0
    while True:
        yield start
        start += max(step, 100_000)


def _native(running: Running, count: int, start: int) -> Load:
    headers = (JSON, ("Authorization", f"Bearer {running.key}"), ("Accept-Language", "ar"))
    return Load("127.0.0.1", running.port, "/v1/comments", headers, comments(count, start=start, texts=TEXTS))


def _akismet(running: Running, key: str, count: int, start: int) -> Load:
    """Return the same comments as `_native`, as the WordPress plugin sends them: every text twice, every header along."""
    sent = [json.loads(body) for body in comments(count, start=start, texts=TEXTS)]
    bodies = tuple(_form(comment, key) for comment in sent)
    return Load("127.0.0.1", running.port, "/1.1/comment-check", (FORM, WORDPRESS), bodies)


def _form(comment: dict[str, dict[str, str]], key: str) -> bytes:
    author, thread, text = comment["author"], comment["thread"], str(comment["text"])
    fields = {
        "blog": "https://news.example",
        "user_ip": author["ip"],
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
        "permalink": thread["url"],
        "comment_post_ID": thread["id"],
        "comment_type": "comment",
        "comment_author": author["name"],
        "comment_author_email": author["email"],
        "comment_content": text,
        "blog_lang": "ar",
        "blog_charset": "UTF-8",
        "callback": "https://news.example/wp-json/akismet/v1/webhook",
        "akismet_comment_nonce": "inactive",
        "POST_author": author["name"],
        "POST_email": author["email"],
        "POST_comment": text,
        "POST_ak_js": "1790000000000",
        "REQUEST_URI": "/wp-comments-post.php",
        **{f"HTTP_X_HEADER_{number}": "some value of a reader's browser" for number in range(12)},
        "api_key": key,
    }
    return urlencode(fields).encode()


def _akismet_key(running: Running) -> str:
    environ = psutil.Process(running.pid).environ()
    command = ["site", "key", "add", "bench", "--dialect", "akismet", "--json"]
    made = subprocess.run(
        [sys.executable, "-m", "moderation", *command],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(made.stdout)["key"])


if __name__ == "__main__":
    main()
