"""E-mail addresses: form by email-validator, with its judgement of domains remembered; DNS and throw-away domains on request.

A reader's address is checked on every comment, and email-validator's full pass costs 26 µs (183 for an internationalised
domain); most comments come from few domains, so the domain's part of it is done once.
"""

import asyncio
import re
from collections import OrderedDict
from functools import lru_cache

import dns.asyncresolver
import dns.exception
import dns.resolver
from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email

# RFC 5321's dot-string in ASCII; whatever else is allowed takes the full pass.
_PLAIN = re.compile(r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]+)")
_MAX_LOCAL = 64
DNS_TIMEOUT_S = 2.0
DNS_REMEMBER_S = 3600.0
DNS_MAX_REMEMBERED = 10_000
DNS_MAX_UNDER_WAY = 64


class InvalidEmailError(ValueError):
    """Not an address that mail could be sent to."""


def canonical_email(written: str) -> str:
    """Return the address in its canonical form (domain in lower case, Unicode composed). Raises `InvalidEmailError`.

    Internationalised addresses (RFC 6531) are welcome. No DNS.
    """
    plain = _PLAIN.fullmatch(written)
    if plain is None or len(plain[1]) > _MAX_LOCAL:
        return _full_pass(written)
    domain = _canonical_domain(plain[2])
    if domain is None or len(plain[1]) + 1 + len(domain) > 254:
        raise InvalidEmailError
    return f"{plain[1]}@{domain}"


@lru_cache(maxsize=20_000)
def _canonical_domain(domain: str) -> str | None:
    try:
        return _full_pass(f"a@{domain}")[2:]
    except InvalidEmailError:
        return None


def _full_pass(written: str) -> str:
    try:
        return validate_email(written, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidEmailError from error


def is_disposable(email: str) -> bool:
    """Tell whether the address belongs to a known throw-away service, or a subdomain of one."""
    labels = email.rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


class MailDomains:
    """Asks DNS whether a domain takes mail. Only a clear no counts: DNS that is down, slow or odd never fails a comment."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._resolver = resolver
        self._known: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._under_way = asyncio.Semaphore(DNS_MAX_UNDER_WAY)

    async def takes_mail(self, email: str) -> bool:
        """Return False only when DNS says that the domain does not exist or takes no mail (RFC 7505)."""
        domain = email.rpartition("@")[2] if email.isascii() else _ascii_domain(email)
        now = asyncio.get_running_loop().time()
        known = self._known.get(domain)
        if known is not None and known[0] > now:
            return known[1]
        if self._under_way.locked():
            return True
        async with self._under_way:
            answer = await self._ask(domain)
        self._known[domain] = (now + DNS_REMEMBER_S, answer)
        if len(self._known) > DNS_MAX_REMEMBERED:
            self._known.popitem(last=False)
        return answer

    async def _ask(self, domain: str) -> bool:
        try:
            async with asyncio.timeout(DNS_TIMEOUT_S):
                resolver = self._resolver or dns.asyncresolver.Resolver()
                return await _has_mail_server(resolver, domain)
        except (TimeoutError, OSError, dns.exception.DNSException):
            return True


async def _has_mail_server(resolver: dns.asyncresolver.Resolver, domain: str) -> bool:
    try:
        answer = await resolver.resolve(domain, "MX")
    except dns.resolver.NXDOMAIN:
        return False
    except dns.resolver.NoAnswer:
        return await _has_address(resolver, domain)
    return any(str(record.exchange) != "." for record in answer)


async def _has_address(resolver: dns.asyncresolver.Resolver, domain: str) -> bool:
    for kind in ("A", "AAAA"):
        try:
            await resolver.resolve(domain, kind)
        except dns.resolver.NoAnswer:
            continue
        except dns.resolver.NXDOMAIN:
            return False
        return True
    return False


def _ascii_domain(email: str) -> str:
    return validate_email(email, check_deliverability=False).ascii_domain
