"""Who comes in: an e-mail address with its password, or a one-time link to set one."""

from dataclasses import dataclass
from secrets import token_bytes

from aiohttp import web

from moderation.domain.clock import Clock
from moderation.domain.errors import InvalidConfigurationError, RateLimitedError
from moderation.domain.identity import fold_email, network_of
from moderation.domain.ids import ModeratorId
from moderation.domain.ports import Vault
from moderation.domain.rates import Limit, Limits
from moderation.intake.rates import RateLimiter, RateRequest
from moderation.privacy.passwords import Fault, Passwords, fault_of, is_outdated
from moderation.storage.administration.emails import canonical_email
from moderation.storage.administration.passwords import (
    accept_invitation,
    find_account,
    invited_account,
    renew_hash,
)
from moderation.storage.database import Database
from moderation.storage.sessions import Sessions

LIMITS = Limits(
    author=Limit(5, 300, 5),  # one address of a person from one network: five at once, then one a minute
    thread=Limit(20, 600, 20),  # one address of a person from anywhere: twenty, then one every 30 s
    address=Limit(30, 300, 30),  # one network, for whomever: thirty, then one every 10 s
    site=Limit(
        5, 1, 20
    ),  # everybody together: half a core of hashing, whoever sends from however many networks
)
"""Every attempt counts, a good one too: what is counted afterwards does not hold back attempts made at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who came in, with the token of their new session."""

    moderator_id: ModeratorId
    token: str


class Entrance:
    """Lets people in. Every method raises `DependencyUnavailableError` without PostgreSQL; without Redis attempts are limited here."""

    def __init__(self, database: Database, vault: Vault, limiter: RateLimiter, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self._clock = clock
        self._passwords = Passwords()
        self._sessions = Sessions(database, clock=clock)

    async def sign_in(
        self, email: str, password: str, *, address: str | None, instead_of: str | None
    ) -> Entry | None:
        """Begin a session in place of the one the browser came with; None for any pair that does not fit, whatever the cause.

        An address that nobody has costs the same work as a wrong password. Raises `RateLimitedError`.
        """
        await self._charge(fold_email(email) or "", network_of(address) or "")
        account = await find_account(self._database, _known_form(email))
        is_right = await self._passwords.holds(password, None if account is None else account.password)
        if account is None or account.password is None or not is_right:
            return None
        entry = await self._begin(account.id, account.password, instead_of)
        if entry is not None and is_outdated(account.password):
            await renew_hash(self._database, account, await self._passwords.hash(password))
        return entry

    async def is_good(self, invitation: str) -> bool:
        """Tell whether the link with that token can still be used."""
        return await invited_account(self._database, invitation, now=self._clock()) is not None

    async def welcome(
        self, invitation: str, password: str, *, instead_of: str | None
    ) -> Entry | Fault | None:
        """Set the password of whoever was sent the link, and let them in; None for a link that is good no more."""
        account = await invited_account(self._database, invitation, now=self._clock())
        if account is None:
            return None
        fault = fault_of(password, account.email)
        if fault is not None:
            return fault
        encoded = await self._passwords.hash(password)
        accepted = await accept_invitation(self._database, invitation, encoded, now=self._clock())
        if accepted is None:  # somebody was quicker with the same link
            return None
        return await self._begin(accepted, encoded, instead_of)

    async def _begin(self, moderator_id: ModeratorId, password: str, instead_of: str | None) -> Entry | None:
        token = await self._sessions.begin(moderator_id, password=password, instead_of=instead_of)
        return None if token is None else Entry(moderator_id, token)

    async def _charge(self, email: str, network: str) -> None:
        fingerprint = self._vault.fingerprint
        request = RateRequest(
            site="*sign-in",  # no site can have that name
            limits=LIMITS,
            author=fingerprint("sign_in", email, network),
            address=fingerprint("sign_in", network),
            thread=fingerprint("sign_in", email, None).hex(),
            fingerprint=token_bytes(8),  # every attempt is a new one
            text_hash=b"*",
        )
        (result,) = await self._limiter.check([request])
        if result.denied_by is not None:
            raise RateLimitedError(result.denied_by, result.retry_after_s)


def _known_form(email: str) -> str:
    """Return the form under which the address would be known; of what is no address, one that nobody has."""
    try:
        return fold_email(canonical_email(email)) or ""
    except InvalidConfigurationError:
        return ""


ENTRANCE = web.AppKey("entrance", Entrance)
