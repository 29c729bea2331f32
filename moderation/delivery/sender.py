"""Turns a parcel into a signed request, and its answer into what is to be done next."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from moderation.delivery import retries
from moderation.delivery.endpoint import Answer, EndpointClient, Outcome
from moderation.delivery.events import encode, event, event_id
from moderation.delivery.standings import Parcel, Result
from moderation.domain.clock import Clock
from moderation.domain.ports import Vault, open_those_readable
from moderation.domain.signatures import signed_headers

SECRET_PURPOSE = "webhook_secret"  # noqa: S105 - the name of a column's purpose, not a secret
_HOPELESS = frozenset({Outcome.GONE, Outcome.NO_ENDPOINT})
"""Outcomes after which nobody waits for another attempt."""

OnAttempt = Callable[[str, float], None]
"""Called with the outcome and the seconds it took."""
OnResult = Callable[[Result], None]
"""Called with everything about an attempt, for traces."""

log = structlog.get_logger()


class Sender:
    """Makes one attempt at one event."""

    def __init__(
        self,
        client: EndpointClient,
        vault: Vault,
        clock: Clock,
        *,
        allow_private: bool,
        on_attempt: OnAttempt,
        on_result: OnResult | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._vault = vault
        self._clock = clock
        self._allow_private = allow_private
        self._on_attempt = on_attempt
        self._on_result = on_result
        self._draw = draw

    async def send(self, parcel: Parcel) -> Result:
        """Send the parcel's event once; raises nothing but cancellation."""
        attempted_at = self._clock()
        if parcel.row is None:
            return Result(parcel, None, attempted_at, None)
        answer = await self._attempt(parcel)
        self._on_attempt(answer.outcome.value, answer.duration_s)
        result = Result(parcel, answer, attempted_at, self._retry_at(parcel, answer))
        _report(result, answer)
        if self._on_result is not None:
            self._on_result(result)
        return result

    async def _attempt(self, parcel: Parcel) -> Answer:
        destination = parcel.destination
        if destination.url is None:
            return Answer(Outcome.NO_ENDPOINT)
        try:
            body, headers = self._sign(parcel)
        except Exception:  # one event that cannot be written or signed must not stop the others
            log.exception("event_not_signed", site_id=parcel.lease.site_id)
            return Answer(Outcome.NOT_SIGNED)
        allow_private = self._allow_private or destination.may_be_private
        return await self._client.post(destination.url, body, headers=headers, allow_private=allow_private)

    def _sign(self, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        assert parcel.row is not None
        body = encode(event(parcel.row, parcel.destination.language))
        secrets = open_those_readable(self._vault, parcel.destination.sealed_secrets, SECRET_PURPOSE)
        headers = signed_headers(
            secrets, event_id(parcel.lease.comment_id, parcel.sequence), self._clock(), body
        )
        return body, headers | {"Content-Type": "application/json"}

    def _retry_at(self, parcel: Parcel, answer: Answer) -> datetime | None:
        if answer.outcome == Outcome.DELIVERED or answer.outcome in _HOPELESS:
            return None
        failures = parcel.lease.attempts + 1
        wait_s = retries.delay_s(failures, draw=self._draw(), retry_after_s=answer.retry_after_s)
        return None if wait_s is None else self._clock() + timedelta(seconds=wait_s)


def _report(result: Result, answer: Answer) -> None:
    level = log.info if result.is_delivered else log.error if result.is_dead else log.warning
    level(
        "event_given_up" if result.is_dead else "delivery_attempt",
        site_id=result.parcel.lease.site_id,
        comment_id=str(result.parcel.lease.comment_id),
        sequence=result.parcel.sequence,
        attempt=result.parcel.lease.attempts + 1,
        outcome=answer.outcome.value,
        status=answer.status,
        duration_ms=round(answer.duration_s * 1000),
    )
