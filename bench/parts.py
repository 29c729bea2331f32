"""Where a comment's time in the API process goes: CPU µs of each step by itself, the least of several tries."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import orjson

from bench.load import comments
from bench.sizes import Sizes
from bench.texts import TEXTS
from moderation.domain.clock import utc_now
from moderation.domain.ids import SiteId
from moderation.domain.policy import Policy, Signals, decide
from moderation.domain.site import Site, SiteSettings
from moderation.intake.candidates import Candidate, candidate
from moderation.intake.charging import rate_request
from moderation.intake.rates import RateLimiter, RateRequest
from moderation.intake.store import _row
from moderation.intake.validation import read_submission
from moderation.learning.engine import ActiveModel
from moderation.privacy.keyring import Keyring, SecretKey
from moderation.privacy.vault import KeyedVault
from moderation.protocols.native import outcome_body

COUNT = 320
GROUP = 32
TRIES = 8


def measure(sizes: Sizes) -> None:
    """Print one line a step."""
    asyncio.run(_measure(1 if sizes.tries < 10 else TRIES))


async def _measure(tries: int) -> None:
    keys = [SecretKey(name, secrets.token_bytes(32)) for name in ("a", "hash")]
    vault = KeyedVault(Keyring((keys[0],), keys[1]))
    site, model = _site(), ActiveModel()
    model.load_shipped()
    bodies = comments(COUNT, texts=TEXTS)
    submissions = [read_submission(orjson.loads(b), site.settings, now=utc_now()) for b in bodies]
    texts = [submission.text for submission in submissions]
    candidates = [candidate(vault, site, submission, now=utc_now()) for submission in submissions]

    def score() -> None:
        for start in range(0, COUNT, GROUP):
            group = candidates[start : start + GROUP]
            found = model.assess(texts[start : start + GROUP], [None] * len(group))
            for entering, assessment in zip(group, found, strict=True):
                entering.assessment = assessment

    def settle(entering: Candidate) -> None:
        entering.ruling = decide(
            site.policy,
            text=entering.submission.text,
            author_url=None,
            author=entering.author,
            assessment=entering.assessment,
            signals=Signals(),
            default_thresholds=model.thresholds,
        )

    _show("decode", _each(orjson.loads, bodies, tries))
    decoded = tuple(map(orjson.loads, bodies))
    _show("validate", _each(lambda b: read_submission(b, site.settings, now=utc_now()), decoded, tries))
    _show("identify and hash", _each(lambda s: candidate(vault, site, s, now=utc_now()), submissions, tries))
    limiter = RateLimiter("unix:///nowhere.sock")
    requests = [rate_request(entering) for entering in candidates[:GROUP]]
    _show("ask for limits", _least(lambda: _pack(limiter, requests), tries) / GROUP)
    _show(f"score in groups of {GROUP}", _least(score, tries) / COUNT)
    _show("decide", _each(settle, candidates, tries))
    _explain(model, candidates, tries)
    _show("seal and write the row", _each(lambda c: orjson.dumps([_row(c, vault)]), candidates, tries))
    _show(
        "write the answer", _each(lambda c: orjson.dumps(outcome_body(c.accepted(), "ar")), candidates, tries)
    )


def _explain(model: ActiveModel, candidates: Sequence[Candidate], tries: int) -> None:
    held = [c for c in candidates if c.ruling and any(r.code == "spam" for r in c.ruling.reasons)]
    share, some = len(held) / COUNT, held[:20]
    # Explained right after they were scored, as in the service.
    model.assess([c.submission.text for c in some], [None] * len(some))
    explained = _each(lambda c: model.explain(c.submission.text, ("spam",)), some, tries)
    _show(f"explain ({explained:.0f} for each of the {share:.0%} in doubt)", explained * share)


def _pack(limiter: RateLimiter, requests: Sequence[RateRequest]) -> None:
    for call in limiter._calls(requests):  # noqa: SLF001 - a step by itself
        call.packed(b"EVALSHA", b"x" * 40, b"")


def _site() -> Site:
    return Site(
        id=SiteId(1),
        name="bench",
        title="bench",
        url="https://news.example",
        language="ar",
        webhook_url=None,
        webhook_secrets=(),
        inbound_secrets=(),
        settings=SiteSettings(),
        policy=Policy(1),
    )


def _each(step: Callable[[Any], object], items: Sequence[Any], tries: int) -> float:
    turning = cycle(items)
    return _least(lambda: [step(next(turning)) for _ in items], tries) / max(len(items), 1)


def _least(step: Callable[[], object], tries: int) -> float:
    best = float("inf")
    for _ in range(tries):
        before = time.process_time_ns()
        step()
        best = min(best, (time.process_time_ns() - before) / 1000)
    return best


def _show(name: str, microseconds: float) -> None:
    print(f"{name:>44}: {microseconds:6.1f} µs")
