"""Where a webhook may go: public addresses only, and exactly the address that was checked is dialled.

A site's admin chooses the endpoint, so it must not become a way into the network that the service stands in.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns every address of a host name, in the order to try them. Raises `OSError` when there is none."""

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# What the ipaddress module of some supported Python calls global although nobody's web server lives there
# (IANA special-purpose registries: IETF protocol assignments, the 6to4 relay anycast prefix).
_SPECIAL_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
# IPv6 is allow-listed: global unicast without protocol assignments (among them Teredo), documentation, 6to4 and SRv6.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

MAX_LOOKUPS = 32


class RefusedAddressError(Exception):
    """The host stands for an address that webhooks may not reach; no connection was made."""


def is_public(address: _IPAddress) -> bool:
    """Tell whether ``address`` is an ordinary public one; an IPv4 address inside an IPv6 one counts as itself."""
    if isinstance(address, ipaddress.IPv4Address):
        special = address.is_multicast or address.is_reserved or any(address in net for net in _SPECIAL_V4)
        return address.is_global and not special
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_V6 and address.is_global and not any(address in net for net in _SPECIAL_V6)


def check_address(text: str) -> None:
    """Raise `RefusedAddressError` unless ``text`` is a public address in its usual form."""
    try:
        allowed = is_public(ipaddress.ip_address(text))
    except ValueError:
        allowed = False
    if not allowed:
        raise RefusedAddressError


def check_literal(host: str) -> None:
    """Raise `RefusedAddressError` if ``host`` is an address, in any form that a socket would take, and not a public one."""
    if ":" in host or _is_numeric(host):
        check_address(host)


def _is_numeric(host: str) -> bool:
    try:
        socket.inet_aton(host)  # reads 127.1, 0x7f000001, 017700000001 and 2130706433, as the C library does
    except (OSError, UnicodeEncodeError, ValueError):
        return not host.strip(
            "0123456789."
        )  # the HTTP client takes digits and dots for an address and looks nothing up
    return True


class SystemLookup:
    """Asks the operating system for a host's addresses, in threads of its own.

    A name server that does not answer occupies a thread for as long as the system waits for it; here it holds up other
    look-ups of this kind at worst, not everything else that runs in threads.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_LOOKUPS, thread_name_prefix="webhook-lookup")

    async def __call__(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _getaddrinfo, host, port)
        return list(dict.fromkeys(str(info[4][0]) for info in found))

    def close(self) -> None:
        """Let the threads end; does not wait for a look-up under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _getaddrinfo(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str | int, ...]]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]


class GuardedResolver(AbstractResolver):
    """Gives aiohttp the addresses to dial; raises `RefusedAddressError` if even one of them is not public.

    aiohttp dials what is returned here and nothing else, so a name cannot change its address between check and connection.
    """

    def __init__(self, lookup: Lookup, *, allow_private: bool) -> None:
        self._lookup = lookup
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``, of every family: a private one must not hide behind a public one."""
        del family
        addresses = await self._lookup(host, port)
        if not self._allow_private:
            for address in addresses:
                check_address(address)
        return [_resolved(host, port, address) for address in addresses]

    async def close(self) -> None:
        """Nothing is held here."""


def _resolved(host: str, port: int, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
