"""Intake beside a bare aiohttp handler: `POST /v1/comments` with everything on, closed loop, 64 connections."""

import json

from bench.cpu import Spent, spent
from bench.load import Load, Result, comments, run
from bench.service import Running, floor, service
from bench.sizes import Sizes
from bench.texts import TEXTS

HEADERS = (("Content-Type", "application/json"), ("Accept-Language", "ar"))
WARM = 10**7
"""Numbers of the warm-up's comments, far from the measured ones."""


def one_worker(sizes: Sizes) -> None:
    """One API process beside one bare handler."""
    _compare(sizes, workers=1)


def two_workers(sizes: Sizes) -> None:
    """Two API processes beside two bare handlers, each pair on one port."""
    _compare(sizes, workers=2)


def _compare(sizes: Sizes, *, workers: int) -> None:
    with floor(workers) as bare, service(workers=workers) as running:
        run(load(bare.port, "", sizes.warm_up, start=WARM))
        run(load(running.port, running.key, sizes.warm_up, start=WARM))
        ratios = []
        for number in range(sizes.rounds):
            start = number * sizes.comments
            before_bare = spent(bare.pid)
            floor_result = run(load(bare.port, "", sizes.comments, start=start))
            show("bare handler", floor_result)
            _show_cpu(spent(bare.pid), before_bare, floor_result)
            ratios.append(_round(running, floor_result, start))
        print(f"intake / bare handler: {max(ratios):.2f} best, {sorted(ratios)[len(ratios) // 2]:.2f} median")


def _round(running: Running, bare: Result, start: int) -> float:
    before, groups = spent(running.pid), _groups(running)
    ours = run(load(running.port, running.key, len(bare.latencies_ms), start=start))
    show("intake", ours)
    _show_cpu(spent(running.pid), before, ours)
    after = _groups(running)
    count = max(after["count"] - groups["count"], 1)
    print(
        f"{'':>14}  {(after['sum'] - groups['sum']) / count:.0f} comments a group,"
        f" {1000 * (after['store'] - groups['store']) / count:.1f} ms from statement to commit"
    )
    print(f"intake / bare handler = {ours.rate / bare.rate:.2f}", flush=True)
    return ours.rate / bare.rate


def load(port: int, key: str, count: int, *, start: int, rate: float | None = None) -> Load:
    """Prepare ``count`` varied comments for a service, or for the bare handler where there is no key."""
    headers = (*HEADERS, ("Authorization", f"Bearer {key}")) if key else HEADERS
    bodies = comments(count, start=start, texts=TEXTS)
    return Load("127.0.0.1", port, "/v1/comments", headers, bodies, rate=rate)


def show(name: str, result: Result) -> None:
    """Print a result in one line."""
    p50, p99 = result.percentile(0.5), result.percentile(0.99)
    statuses = json.dumps(result.statuses)
    print(
        f"{name:>14}: {result.rate:8.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   {statuses}", flush=True
    )


def _show_cpu(after: Spent, before: Spent, result: Result) -> None:
    count = len(result.latencies_ms)
    elapsed_s = count / result.rate
    spending = {**after.since(before), "load generator": result.cpu_s}
    told = ", ".join(
        f"{part} {1e6 * seconds / count:.0f} ({seconds / elapsed_s:.2f})"
        for part, seconds in spending.items()
    )
    print(f"{'':>14}  CPU µs a request (share of a core): {told}")


def _groups(running: Running) -> dict[str, float]:
    metrics = running.metrics()
    return {
        "sum": metrics.get("moderation_group_size_sum", 0.0),
        "count": metrics.get("moderation_group_size_count", 0.0),
        "store": metrics.get("moderation_store_seconds_sum", 0.0),
    }
