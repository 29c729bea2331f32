"""Which address a request comes from: the connection's, unless a trusted proxy says otherwise."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from moderation.settings import Network

TRUSTED_PROXIES: web.AppKey[tuple[Network, ...]] = web.AppKey("trusted_proxies", tuple)


def client_address(request: web.Request) -> str | None:
    """Return the reader's address in canonical form, or None when the connection has none.

    Reads `X-Forwarded-For` from the right, as long as the address before was a trusted proxy's.
    """
    networks = request.app[TRUSTED_PROXIES]
    chain = [part.strip() for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
    address = _parse(request.remote or "")
    while address is not None and chain and _is_trusted(address, networks):
        forwarded = _parse(_without_port(chain.pop()))
        if forwarded is None:
            break
        address = forwarded
    return None if address is None else str(address)


def comes_through_proxy(request: web.Request) -> bool:
    """Tell whether the connection is a trusted proxy's, whose word on the reader's side of it is taken."""
    networks = request.app[TRUSTED_PROXIES]
    address = _parse(request.remote or "")
    return address is not None and _is_trusted(address, networks)


def _without_port(written: str) -> str:
    """Take the port off that some proxies add (``203.0.113.7:4711``, ``[2001:db8::1]:4711``), and the brackets."""
    if written.startswith("["):
        return written[1:].partition("]")[0]
    host, colon, port = written.partition(":")
    return host if colon and "." in host and port.isdecimal() else written


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
