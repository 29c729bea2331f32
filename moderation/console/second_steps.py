"""The second step of coming in: what stands between a right password and a session, and how people set their second factor."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any

import segno
from markupsafe import Markup

from moderation.domain.clock import Clock
from moderation.domain.errors import RateLimitedError
from moderation.domain.ids import ModeratorId, parse_uuid
from moderation.domain.ports import SealedValueError, Vault
from moderation.domain.rates import Limit, Limits
from moderation.intake.rates import RateLimiter, RateRequest
from moderation.privacy import second_factor
from moderation.storage.administration import second_factors
from moderation.storage.administration.passwords import Account, account_of
from moderation.storage.administration.second_factors import NewFactor
from moderation.storage.colleagues import read_name
from moderation.storage.database import Database

_OFF = Limit(0, 1, 1)
CODES = Limits(author=Limit(10, 3600, 6), thread=_OFF, address=_OFF, site=_OFF)
"""Of one person, wherever they are: six at once, then one every six minutes. Whoever guesses has the password already, and of a million
codes three are good at a time: 250 guesses a day find one in four years. A browser where a code was shown has a place of its own."""
TICKET_FOR = timedelta(minutes=10)
_TICKET = "second_factor_ticket"
_OFFER = "second_factor_offer"


@dataclass(frozen=True, slots=True)
class Halfway:
    """Somebody whose password is right; ``ticket`` tells the next request so, for `TICKET_FOR`."""

    ticket: str = field(repr=False)
    must_set: bool
    """Whether they have no second factor yet, and need one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret to be taken into an authenticator; nothing of it is kept until a code of it is shown."""

    secret: str = field(repr=False)
    address: str = field(repr=False)
    """``otpauth:``, which opens an authenticator on a telephone."""
    picture: Markup = field(repr=False)
    """The same as an SVG that a telephone reads."""
    sealed: str = field(repr=False)
    """For the next request, which sends it back with a code."""


class SecondSteps:
    """Checks codes, and sets and renews what they are checked by. Raises `DependencyUnavailableError` without PostgreSQL."""

    def __init__(
        self, database: Database, vault: Vault, limiter: RateLimiter, *, clock: Clock, is_required: bool
    ) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self._clock = clock
        self.is_required = is_required

    def halfway(self, account: Account) -> Halfway | None:
        """Return what stands between that account and a session; None where nothing does."""
        if account.second_factor is None and not self.is_required:
            return None
        ticket = self._seal(_TICKET, account.id, self._mark(account))
        return Halfway(ticket, must_set=account.second_factor is None)

    async def account_of(self, ticket: str) -> Account | None:
        """Return whose ticket that is; None once it is over, or they have another password or second factor."""
        found = self._open(_TICKET, ticket)
        account = None if found is None else await self.account(found[0])
        return (
            account if account is not None and found is not None and self._mark(account) == found[1] else None
        )

    async def account(self, moderator_id: ModeratorId) -> Account | None:
        """Return the account of somebody who is not disabled."""
        return await account_of(self._database, self._vault, moderator_id)

    async def is_shown(self, account: Account, code: str, known: str | None) -> bool:
        """Tell whether that is a code of the person's, by time or for recovery, and use it up.

        ``known`` is which browser it is, where they have shown a code of this factor before. Raises `RateLimitedError`.
        """
        await self._charge(account.id, known)
        if account.second_factor is None:
            return False
        if not second_factor.digits_of(code):
            return await second_factors.use_recovery_code(
                self._database, account.id, self._hash(account.id, code)
            )
        try:
            secret = self._vault.open(account.second_factor, second_factor.PURPOSE)
        except SealedValueError:  # its keys are lost: recovery codes are left, or a reset
            return False
        step = second_factor.step_of(secret, code, self._clock())
        return step is not None and await second_factors.use_step(
            self._database, account.id, account.second_factor, step
        )

    async def offer(self, moderator_id: ModeratorId, *, issuer: str, before: str = "") -> Offer:
        """Return the offer that was made ``before``, a fresh one where that is over."""
        secret = self._offered(moderator_id, before) or second_factor.new_secret()
        async with self._database.connection() as connection:
            name = await read_name(connection, moderator_id)
        address = second_factor.address_of(secret, name=name or str(moderator_id)[:8], issuer=issuer)
        picture = segno.make(address, error="m").svg_inline(
            omitsize=True, border=4, dark="#000", light="#fff"
        )
        return Offer(secret, address, Markup(picture), self._seal(_OFFER, moderator_id, secret))  # noqa: S704 - drawn by a library, of paths

    async def accept(
        self, account: Account, sealed: str, code: str, *, session: str | None = None
    ) -> list[str] | None:
        """Set the offered secret as the person's second factor, once a code of it is shown; return their recovery codes.

        None for a wrong code, an offer that is over, or somebody who has one by now. Their sessions end, but ``session``.
        """
        secret = self._offered(account.id, sealed)
        now = self._clock()
        step = None if secret is None else second_factor.step_of(secret, code, now)
        if secret is None or step is None or account.password is None:
            return None
        codes = second_factor.new_recovery_codes()
        factor = NewFactor(
            self._vault.seal(secret, second_factor.PURPOSE), step, self._hashes(account.id, codes), now
        )
        is_kept = await second_factors.keep_factor(
            self._database, account.id, factor, password=account.password, session=session
        )
        return codes if is_kept else None

    async def renew(self, moderator_id: ModeratorId) -> list[str]:
        """Return fresh recovery codes; those before are good no more."""
        codes = second_factor.new_recovery_codes()
        await second_factors.renew_recovery_codes(
            self._database, moderator_id, self._hashes(moderator_id, codes)
        )
        return codes

    async def remove(self, moderator_id: ModeratorId) -> None:
        """Let the person do without."""
        await second_factors.remove_factor(self._database, moderator_id)

    async def since_and_left(self, moderator_id: ModeratorId) -> tuple[datetime | None, int]:
        """Return since when the person has a second factor, None without one, and how many recovery codes are left."""
        return await second_factors.since_and_left(self._database, moderator_id)

    def is_offered(self, moderator_id: ModeratorId, sealed: str) -> bool:
        """Tell whether that is an offer of the person's which is not over: else the next page has another picture."""
        return self._offered(moderator_id, sealed) is not None

    def _offered(self, moderator_id: ModeratorId, sealed: str) -> str | None:
        found = self._open(_OFFER, sealed)
        return found[1] if found is not None and found[0] == moderator_id else None

    def _mark(self, account: Account) -> str:
        """Return what changes with the person's password and second factor."""
        factor = None if account.second_factor is None else account.second_factor.hex()
        return self._vault.fingerprint(_TICKET, account.password, factor).hex()

    def _hash(self, moderator_id: ModeratorId, code: str) -> bytes:
        return self._vault.fingerprint(
            second_factor.RECOVERY, str(moderator_id), second_factor.plain_recovery_code(code)
        )

    def _hashes(self, moderator_id: ModeratorId, codes: list[str]) -> list[bytes]:
        return [self._hash(moderator_id, code) for code in codes]

    def _seal(self, purpose: str, moderator_id: ModeratorId, text: str) -> str:
        until = (self._clock() + TICKET_FOR).timestamp()
        return urlsafe_b64encode(
            self._vault.seal(json.dumps([str(moderator_id), until, text]), purpose)
        ).decode()

    def _open(self, purpose: str, sealed: str) -> tuple[ModeratorId, str] | None:
        """Return for whom something was sealed here, and what, unless that is too long ago; None for what is not ours."""
        try:
            written: list[Any] = json.loads(self._vault.open(urlsafe_b64decode(sealed.encode()), purpose))
        except (SealedValueError, ValueError):
            return None
        found = parse_uuid(written[0])
        return (
            None
            if found is None or written[1] < self._clock().timestamp()
            else (ModeratorId(found), written[2])
        )

    async def _charge(self, moderator_id: ModeratorId, known: str | None) -> None:
        request = RateRequest(
            site="*second-factor",  # no site can have that name
            limits=CODES,
            author=self._vault.fingerprint(_TICKET, str(moderator_id), known),
            address=b"*",
            thread="*",
            fingerprint=token_bytes(8),  # every attempt is a new one
            text_hash=b"*",
        )
        (result,) = await self._limiter.check([request])
        if result.denied_by is not None:
            raise RateLimitedError(result.denied_by, result.retry_after_s)
