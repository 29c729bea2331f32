"""Whose address counts where proxies stand in front."""

import ipaddress
from unittest.mock import patch

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from moderation.protocols.addresses import TRUSTED_PROXIES, client_address

INSIDE = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def seen(forwarded: str, *, connection: str = "10.0.0.1") -> str | None:
    request = make_mocked_request("POST", "/", headers=CIMultiDict({"X-Forwarded-For": forwarded}))
    request.app[TRUSTED_PROXIES] = INSIDE
    with patch.object(type(request), "remote", connection):
        return client_address(request)


@pytest.mark.parametrize(
    ("forwarded", "reader"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7:4711, 10.0.0.2:80, fd00::1", "203.0.113.7"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_is_the_readers(forwarded: str, reader: str) -> None:
    assert seen(forwarded) == reader


@pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.7:x", ":80", "2001:db8::1:", "[]:80", "1.2.3.4:5:6"])  # fmt: skip
def test_what_is_no_address_leaves_the_proxys(forwarded: str) -> None:
    assert seen(f"198.51.100.1, {forwarded}") == "10.0.0.1"


def test_a_stranger_is_not_believed() -> None:
    assert seen("198.51.100.1:80", connection="203.0.113.7") == "203.0.113.7"
