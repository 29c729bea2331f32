"""Resident memory of one worker with the shipped model loaded, and whether it grows while comments come in."""

from bench.cpu import workers
from bench.intake import WARM, load
from bench.load import run
from bench.service import service
from bench.sizes import Sizes

MEBIBYTE = 1 << 20


def measure(sizes: Sizes) -> None:
    """Print the worker's memory idle, warm, and after each round."""
    with service() as running:
        (worker,) = workers(running.pid)
        idle = worker.memory_info().rss / MEBIBYTE
        run(load(running.port, running.key, sizes.warm_up, start=WARM))
        seen = [worker.memory_info().rss / MEBIBYTE]
        for number in range(sizes.rounds):
            run(load(running.port, running.key, sizes.comments, start=number * sizes.comments))
            seen.append(worker.memory_info().rss / MEBIBYTE)
        rounds = ", ".join(f"{each:.0f}" for each in seen[1:])
        print(f"resident: idle {idle:.0f} MiB, after {sizes.warm_up} comments {seen[0]:.0f} MiB")
        print(f"after each {sizes.comments} more: {rounds} MiB")
