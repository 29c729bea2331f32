"""Who comes in: an e-mail address with its password, or a one-time link to set one."""

import hmac
import ipaddress
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_bytes, token_urlsafe

from aiohttp import web

from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError, InvalidConfigurationError, RateLimitedError
from moderation.domain.identity import fold_email, network_of
from moderation.domain.ids import ModeratorId
from moderation.domain.ports import Vault
from moderation.domain.rates import Limit, Limits
from moderation.intake.rates import RateLimiter, RateRequest
from moderation.privacy.passwords import Fault, Passwords, fault_of, is_outdated
from moderation.storage.administration.emails import canonical_email
from moderation.storage.administration.passwords import (
    Account,
    accept_invitation,
    find_account,
    invited_account,
    renew_hash,
)
from moderation.storage.database import Database
from moderation.storage.sessions import Sessions

_OFF = Limit(0, 1, 1)
STRANGERS = Limits(
    author=Limit(5, 300, 5),  # one address of a person from one network: five at once, then one a minute
    thread=Limit(20, 600, 20),  # one address of a person from anywhere: twenty, then one every 30 s
    address=Limit(30, 300, 30),  # one network, for whomever: thirty, then one every 10 s
    site=Limit(5, 1, 20),  # all together: half a core of hashing, from however many networks
)
"""Every attempt counts, a good one too: what is counted afterwards does not hold back attempts made at once."""
KNOWN = Limits(author=Limit(5, 300, 5), thread=_OFF, address=_OFF, site=_OFF)
"""For a browser in which the same person has signed in before: what strangers do does not keep them waiting."""
_HOME_BITS = 48
"""Of an IPv6 address: what one customer has at most, however many networks they make of it (RFC 6177)."""
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Visit:
    """What a browser comes with: its address, the session that a new one takes the place of, and by what it is known."""

    address: str | None = field(repr=False)
    instead_of: str | None = field(repr=False)
    known: str = field(repr=False)
    device: str = ""
    """What its owner knows it by."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who came in, with the token of their new session."""

    moderator_id: ModeratorId
    token: str = field(repr=False)
    known: str = field(repr=False)
    """By which the browser is known the next time (`Visit.known`)."""


class Entrance:
    """Lets people in. Every method raises `DependencyUnavailableError` without PostgreSQL; without Redis attempts are limited here."""

    def __init__(self, database: Database, vault: Vault, limiter: RateLimiter, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self._clock = clock
        self._passwords = Passwords()
        self._sessions = Sessions(database, clock=clock)

    async def sign_in(self, email: str, password: str, visit: Visit) -> Entry | None:
        """Begin a session; None for any pair that does not fit, whatever the cause.

        An address that nobody has costs the same work as a wrong password. Raises `RateLimitedError`.
        """
        known_form = _known_form(email)
        # By the form that is looked up: many spellings of one address must not be many chances.
        await self._charge(known_form or fold_email(email) or "", visit)
        account = await find_account(self._database, self._vault, known_form)
        is_right = await self._passwords.holds(password, None if account is None else account.password)
        if account is None or account.password is None or not is_right:
            return None
        entry = await self._begin(account, account.password, visit)
        if entry is not None and is_outdated(account.password):
            with suppress(DependencyUnavailableError):  # they are in; the next time will do
                await renew_hash(self._database, account, await self._passwords.hash(password))
        return entry

    async def is_good(self, invitation: str) -> bool:
        """Tell whether the link with that token can still be used."""
        return await invited_account(self._database, self._vault, invitation, now=self._clock()) is not None

    async def welcome(self, invitation: str, password: str, visit: Visit) -> Entry | Fault | None:
        """Set the password of whoever was sent the link, and let them in; None for a link that is good no more."""
        account = await invited_account(self._database, self._vault, invitation, now=self._clock())
        if account is None:
            return None
        fault = fault_of(password, account.email)
        if fault is not None:
            return fault
        encoded = await self._passwords.hash(password)
        accepted = await accept_invitation(self._database, invitation, encoded, now=self._clock())
        if accepted is None:  # somebody was quicker with the same link
            return None
        return await self._begin(account, encoded, visit)

    async def _begin(self, account: Account, password: str, visit: Visit) -> Entry | None:
        token = await self._sessions.begin(
            account.id, password=password, instead_of=visit.instead_of, device=visit.device
        )
        if token is None:
            return None
        nonce = self._nonce_of(visit.known, account.email) or token_urlsafe(_NONCE_BYTES)
        return Entry(account.id, token, f"{nonce}.{self._mark(nonce, account.email)}")

    async def _charge(self, email: str, visit: Visit) -> None:
        fingerprint, network = self._vault.fingerprint, _home_of(visit.address)
        nonce = self._nonce_of(visit.known, email)
        request = RateRequest(
            site="*sign-in",  # no site can have that name
            limits=STRANGERS if nonce is None else KNOWN,
            author=fingerprint("sign_in", email, network, nonce),
            address=fingerprint("sign_in", network),
            thread=fingerprint("sign_in", email, None).hex(),
            fingerprint=token_bytes(8),  # every attempt is a new one
            text_hash=b"*",
        )
        (result,) = await self._limiter.check([request])
        if result.denied_by is not None:
            raise RateLimitedError(result.denied_by, result.retry_after_s)

    def _mark(self, nonce: str, email: str | None) -> str:
        """Return what only we can write of a browser and the person who signed in there."""
        return self._vault.fingerprint("known_browser", nonce, email).hex()

    def _nonce_of(self, known: str, email: str | None) -> str | None:
        """Return which browser it is, if that person has signed in there."""
        nonce, _, mark = known.partition(".")
        is_known = hmac.compare_digest(mark.encode(), self._mark(nonce, email).encode())
        return nonce if is_known else None


def _home_of(address: str | None) -> str:
    """Return an IPv4 address, or the /48 of an IPv6 one; empty where there is none."""
    network = network_of(address) or ""
    if ":" not in network:
        return network
    first = ipaddress.ip_network(network).network_address
    return str(ipaddress.ip_network((first, _HOME_BITS), strict=False))


def _known_form(email: str) -> str:
    """Return the form under which the address would be known; of what is no address, one that nobody has."""
    try:
        return fold_email(canonical_email(email)) or ""
    except InvalidConfigurationError:
        return ""


ENTRANCE = web.AppKey("entrance", Entrance)
