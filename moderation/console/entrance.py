"""Who comes in: an e-mail address with its password, or a one-time link to set one."""

import hmac
import ipaddress
from contextlib import suppress
from dataclasses import dataclass, field, replace
from secrets import token_bytes, token_urlsafe

from aiohttp import web

from moderation.console.second_steps import Halfway, SecondSteps
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
_SIGN_LETTERS = 16


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


@dataclass(frozen=True, slots=True)
class WrongCode:
    """A code that is none of the person's, or was used already."""


class Entrance:
    """Lets people in. Every method raises `DependencyUnavailableError` without PostgreSQL; without Redis attempts are limited here."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        limiter: RateLimiter,
        *,
        clock: Clock,
        is_second_factor_required: bool = False,
    ) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self._clock = clock
        self._passwords = Passwords()
        self._sessions = Sessions(database, clock=clock)
        self.second = SecondSteps(
            database, vault, limiter, clock=clock, is_required=is_second_factor_required
        )

    async def sign_in(self, email: str, password: str, visit: Visit) -> Entry | Halfway | None:
        """Begin a session, or lead to the second step; None for any pair that does not fit, whatever the cause.

        An address that nobody has costs the same work as a wrong password. Raises `RateLimitedError`.
        """
        known_form = _known_form(email)
        # By the form that is looked up: many spellings of one address must not be many chances.
        await self._charge(known_form or fold_email(email) or "", visit)
        account = await find_account(self._database, self._vault, known_form)
        is_right = await self._passwords.holds(password, None if account is None else account.password)
        if account is None or account.password is None or not is_right:
            return None
        return await self._admit(await self._renewed(account, account.password, password), visit)

    async def is_good(self, invitation: str) -> bool:
        """Tell whether the link with that token can still be used."""
        return await invited_account(self._database, self._vault, invitation, now=self._clock()) is not None

    async def show_code(self, ticket: str, code: str, visit: Visit) -> Entry | WrongCode | None:
        """Begin the session of whoever has that ticket and a code; None for a ticket that is over. Raises `RateLimitedError`."""
        account = await self.second.account_of(ticket)
        if account is None or account.second_factor is None:
            return None
        if not await self.second.is_shown(account, code, self._known_by_code(visit, account)):
            return WrongCode()
        return await self._begin(account, visit)

    async def set_second_factor(
        self, ticket: str, sealed: str, code: str, visit: Visit
    ) -> tuple[Entry, list[str]] | WrongCode | None:
        """Set the second factor that somebody needs to come in, and let them in; with their recovery codes. None as in `show_code`."""
        account = await self.second.account_of(ticket)
        if account is None or account.second_factor is not None:
            return None
        codes = await self.second.accept(account, sealed, code)
        if codes is None:
            return WrongCode()
        account = await self.second.account(account.id)
        entry = None if account is None else await self._begin(account, visit)
        return None if entry is None else (entry, codes)

    async def is_password_of(self, account: Account, password: str, visit: Visit) -> bool:
        """Tell whether somebody who is in knows their password; counts as an attempt to sign in. Raises `RateLimitedError`."""
        await self._charge(_known_form(account.email or ""), visit)
        return await self._passwords.holds(password, account.password)

    async def welcome(self, invitation: str, password: str, visit: Visit) -> Entry | Halfway | Fault | None:
        """Set the password of whoever was sent the link, and let them in as `sign_in` does; None for a link that is good no more."""
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
        return await self._admit(replace(account, password=encoded), visit)

    async def _renewed(self, account: Account, encoded: str, password: str) -> Account:
        """Keep the same password by a hash with today's parameters."""
        if is_outdated(encoded):
            with suppress(DependencyUnavailableError):  # they may come in; the next time will do
                renewed = await self._passwords.hash(password)
                await renew_hash(self._database, account, renewed)
                return replace(account, password=renewed)
        return account

    async def _admit(self, account: Account, visit: Visit) -> Entry | Halfway | None:
        """Begin the session of whoever has shown a password, unless a second step is to come."""
        return self.second.halfway(account) or await self._begin(account, visit)

    async def _begin(self, account: Account, visit: Visit) -> Entry | None:
        if account.password is None:
            return None
        token = await self._sessions.begin(
            account.id,
            password=account.password,
            second_factor=account.second_factor,
            instead_of=visit.instead_of,
            device=visit.device,
        )
        if token is None:
            return None
        return Entry(account.id, token, self.known(account, visit))

    def known(self, account: Account, visit: Visit) -> str:
        """Return by what the browser is known from now on (`Visit.known`), after all that the account asks for was shown there."""
        nonce = self._known_by_code(visit, account)
        if nonce is None:
            nonce = self._factor_sign(account) + token_urlsafe(_NONCE_BYTES)
        return f"{nonce}.{self._mark(nonce, account.email)}"

    def _known_by_code(self, visit: Visit, account: Account) -> str | None:
        """Return which browser it is, if that person has signed in there with the factor that they have.

        Whoever has the password alone might have collected many known browsers before there was a factor, each with its own guesses.
        """
        nonce = self.known_as(visit, account.email)
        return nonce if nonce is not None and nonce.startswith(self._factor_sign(account)) else None

    def _factor_sign(self, account: Account) -> str:
        """Return how a browser's nonce begins where that factor was shown; empty without one."""
        if account.second_factor is None:
            return ""
        return self._vault.fingerprint("known_factor", account.second_factor.hex()).hex()[:_SIGN_LETTERS]

    async def _charge(self, email: str, visit: Visit) -> None:
        fingerprint, network = self._vault.fingerprint, _home_of(visit.address)
        nonce = self.known_as(visit, email)
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

    def known_as(self, visit: Visit, email: str | None) -> str | None:
        """Return which browser it is, if that person has signed in there."""
        nonce, _, mark = visit.known.partition(".")
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
