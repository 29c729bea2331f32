"""CPU time by part: the workers, PostgreSQL, Valkey, their parent; read from the kernel's own counters."""

from dataclasses import dataclass

import psutil

_PARTS = {"worker": "moderation.worker", "bare handler": "bench.floor"}


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds by part, since the processes began."""

    seconds: dict[str, float]

    def since(self, before: "Spent") -> dict[str, float]:
        """Return what was spent since ``before``, by part, the greatest first."""
        grown = {part: spent - before.seconds.get(part, 0.0) for part, spent in self.seconds.items()}
        return dict(sorted(grown.items(), key=lambda pair: -pair[1]))


def spent(pid: int) -> Spent:
    """Read what ``pid`` and everything below it have used so far."""
    root = psutil.Process(pid)
    found: dict[str, float] = {}
    for process in (root, *root.children(recursive=True)):
        try:
            times, part = process.cpu_times(), _part(process, pid)
        except psutil.NoSuchProcess:
            continue
        found[part] = found.get(part, 0.0) + times.user + times.system
    return Spent(found)


def workers(pid: int) -> list[psutil.Process]:
    """Return the API processes of a service."""
    return [p for p in psutil.Process(pid).children(recursive=True) if _part(p, pid) == "worker"]


def _part(process: psutil.Process, root: int) -> str:
    if process.pid == root:
        return "parent"
    name = process.name()
    if name.startswith("postgres"):
        return "postgresql"
    if "valkey" in name or "redis" in name:
        return "valkey"
    command = process.cmdline()
    return next((part for part, word in _PARTS.items() if word in command), name)
