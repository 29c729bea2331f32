"""CPU a call of each dialect beside ``/v1/comments``, and latency at a steady rate: `python -m bench.dialects`.

Rounds alternate between the native API and the dialects in one run, against one service; CPU is that of every process of
the service. A dialect is one function that makes a `Load` (below), so that another one is one more entry of `DIALECTS`.
"""

import argparse
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from urllib.parse import urlencode

from bench.cpu import spent
from bench.load import Load, comments, run
from bench.service import Running, service
from bench.texts import TEXTS

JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
WORDPRESS = ("User-Agent", "WordPress/7.1 | Akismet/5.7.2")
MOST = 1.5
"""No dialect may cost more than this many times a native call (issue 6)."""
RATE = 200.0

MakeLoad = Callable[[int, int], Load]
"""Number of calls, and the number of the first: no two calls of a run are the same."""


def native(running: Running) -> MakeLoad:
    """``POST /v1/comments``."""
    headers = (JSON, ("Accept-Language", "ar"), ("Authorization", f"Bearer {running.key}"))
    return lambda count, start: Load(
        "127.0.0.1", running.port, "/v1/comments", headers, comments(count, start=start, texts=TEXTS)
    )


def perspective(running: Running) -> MakeLoad:
    """``comments:analyze``, as Perspective's clients send it."""
    key = running.command("site", "key", "add", "bench", "--dialect", "perspective")["key"]

    def body(number: int) -> bytes:
        asked = {
            "comment": {"text": _text(number)},
            "requestedAttributes": {"TOXICITY": {}, "SPAM": {}},
            "languages": ["en"],
            "doNotStore": True,
        }
        return json.dumps(asked, ensure_ascii=False).encode()

    path = f"/v1alpha1/comments:analyze?key={key}"
    return lambda count, start: Load(
        "127.0.0.1", running.port, path, (JSON,), tuple(map(body, range(start, start + count)))
    )


def coral(running: Running) -> MakeLoad:
    """``moderate``, signed, as Coral prints it; with a deadline that lets every answer be the stored one."""
    secret = running.command("site", "key", "add", "bench", "--dialect", "coral")["key"].encode()
    running.command("site", "set", "bench", "coral_deadline_ms=9500")

    def body(number: int) -> bytes:
        message = {
            "action": "NEW",
            "comment": {"body": f"<div>{_text(number)}</div>", "parentID": None},
            "author": {"id": f"u{number}", "role": "COMMENTER"},
            "story": {"id": f"s{number % 97}", "url": f"https://news.example/{number % 97}"},
            "site": {"id": "site-1"},
            "tenantID": "t-1",
            "tenantDomain": "coral.example",
        }
        return json.dumps(message, indent=2, ensure_ascii=False).encode()

    def signature(sent: bytes) -> tuple[str, str]:
        return "X-Coral-Signature", "sha256=" + hmac.new(secret, sent, hashlib.sha256).hexdigest()

    def load(count: int, start: int) -> Load:
        bodies = tuple(map(body, range(start, start + count)))
        own = tuple(map(signature, bodies))
        return Load("127.0.0.1", running.port, "/coral/bench/moderate", (JSON,), bodies, own_headers=own)

    return load


def akismet(running: Running) -> MakeLoad:
    """``comment-check``: the native comments as the WordPress plugin sends them, every text twice, every header along."""
    key = running.command("site", "key", "add", "bench", "--dialect", "akismet")["key"]

    def load(count: int, start: int) -> Load:
        sent = [json.loads(body) for body in comments(count, start=start, texts=TEXTS)]
        bodies = tuple(_form(comment, key) for comment in sent)
        return Load("127.0.0.1", running.port, "/1.1/comment-check", (FORM, WORDPRESS), bodies)

    return load


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


DIALECTS: dict[str, Callable[[Running], MakeLoad]] = {
    "native": native,
    "akismet comment-check": akismet,
    "perspective analyze": perspective,
    "coral moderate": coral,
}


def main() -> None:
    """Measure in rounds that alternate between the dialects, and print the ratios to the native API."""
    parser = argparse.ArgumentParser(prog="python -m bench.dialects", description=__doc__)
    parser.add_argument("--calls", type=int, default=4_000, help="calls of each dialect a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steady-s", type=int, default=10, help="seconds at 200 calls/s of each dialect")
    chosen = parser.parse_args()
    with service() as running:
        loads = {name: make(running) for name, make in DIALECTS.items()}
        start = 10**8
        for load in loads.values():
            run(load(500, start))
            start += 500
        costs: dict[str, list[float]] = {name: [] for name in loads}
        for _ in range(chosen.rounds):
            for name, load in loads.items():
                parts = _cpu_ms(running, load(chosen.calls, start))
                start += chosen.calls
                costs[name].append(sum(parts.values()))
                said = ", ".join(f"{part} {ms:.3f}" for part, ms in parts.items() if ms >= 0.001)
                print(f"{name:>22}: {costs[name][-1]:.3f} ms CPU a call: {said}", flush=True)
        for name, load in loads.items():
            ratio = median(c / n for c, n in zip(costs[name], costs["native"], strict=True))
            steady = run(replace(load(int(RATE * chosen.steady_s), start), rate=RATE))
            start += int(RATE * chosen.steady_s)
            verdict = "" if ratio <= MOST else f"   above {MOST}"
            print(
                f"{name:>22}: {median(costs[name]):6.3f} ms CPU a call, {ratio:4.2f} of native;"
                f" at {RATE:.0f}/s p50 {steady.percentile(0.5):6.2f} ms, p99 {steady.percentile(0.99):6.2f} ms"
                f"   {steady.statuses}{verdict}"
            )


def _cpu_ms(running: Running, load: Load) -> dict[str, float]:
    before = spent(running.pid)
    run(load)
    grown = spent(running.pid).since(before)
    return {part: seconds / len(load.bodies) * 1000 for part, seconds in grown.items()}


def _text(number: int) -> str:
    return f"{TEXTS[number % len(TEXTS)]} {number}"


if __name__ == "__main__":
    main()
