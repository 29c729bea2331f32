"""How much each part does: enough to judge by, or just enough to see that it runs."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Sizes:
    """Counts and seconds; each bounds its part."""

    comments: int = 20_000
    rounds: int = 3
    warm_up: int = 1_000
    rates: tuple[int, ...] = (1_000, 4_000)
    """Requests a second in the open loop."""
    open_loop_s: float = 10.0
    checks: int = 20_000
    few_held: int = 1_000
    held: int = 1_000_000
    tries: int = 60
    peer_comments: int = 2_000
    """Sent to Isso in each of its turns."""
    minutes: int = 0
    """Of a steady load in the part `memory`; rounds instead where 0."""
    steady_rate: int = 60
    """Comments a second of the steady load."""

    def changed(
        self, *, comments: int | None, rounds: int | None, held: int | None, minutes: int | None
    ) -> Self:
        """Return these sizes with those that are given."""
        return replace(
            self,
            comments=comments or self.comments,
            rounds=rounds or self.rounds,
            held=held or self.held,
            minutes=minutes or self.minutes,
        )


FULL = Sizes()
SHORT = Sizes(
    comments=300,
    rounds=1,
    warm_up=64,
    rates=(100,),
    open_loop_s=1.0,
    checks=512,
    few_held=100,
    held=2_000,
    tries=5,
    peer_comments=20,
)
