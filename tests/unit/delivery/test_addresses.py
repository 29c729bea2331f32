"""What counts as a public address, in every written form."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.delivery.addresses import (
    GuardedResolver,
    RefusedAddressError,
    check_address,
    check_literal,
    is_public,
)

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.171",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "64:ff9b:1:7f00:1::",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "8000::1",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_an_ordinary_public_address_is_refused(text: str):
    with pytest.raises(RefusedAddressError):
        check_address(text)
    with pytest.raises(RefusedAddressError):
        check_literal(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_let_through(text: str):
    check_address(text)
    check_literal(text)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "10.1",
        "0300.0250.1.1",
    ],
)
def test_an_address_in_disguise_is_refused(host: str):
    with pytest.raises(RefusedAddressError):
        check_literal(host)


def test_even_a_public_address_must_be_written_as_usual():
    with pytest.raises(RefusedAddressError):
        check_literal("134744072")  # 8.8.8.8


@pytest.mark.parametrize(
    "host", ["news.example", "1and1.example", "xn--mgbh0fb.example", "a", "localhost", "127.0.0.1.example"]
)
def test_a_name_is_left_to_the_resolver(host: str):
    check_literal(host)


@given(st.ip_addresses(v=4))
def test_the_forms_of_an_ipv4_address_inside_ipv6_agree(address: ipaddress.IPv4Address):
    mapped = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
    translated = ipaddress.IPv6Address(ipaddress.IPv6Address("64:ff9b::").packed[:12] + address.packed)
    assert is_public(mapped) == is_public(translated) == is_public(address)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_python_knows_as_special_is_public(address: ipaddress.IPv4Address):
    special = address.is_private or address.is_multicast or address.is_reserved or not address.is_global
    assert not (is_public(address) and special)


@given(st.ip_addresses(v=6))
def test_a_public_ipv6_address_is_global_unicast_or_holds_an_ipv4_address(address: ipaddress.IPv6Address):
    if is_public(address):
        assert address.ipv4_mapped or address.exploded[0] in "23" or address.exploded.startswith("0064:ff9b:")
        assert not address.is_multicast
        assert not address.is_link_local


@given(st.text())
def test_any_host_is_judged(host: str):
    for check in (check_literal, check_address):
        try:
            check(host)
        except RefusedAddressError:
            continue


async def test_one_private_address_among_public_ones_refuses_the_name():
    async def lookup(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(RefusedAddressError):
        await GuardedResolver(lookup, allow_private=False).resolve("news.example", 443)
    allowed = await GuardedResolver(lookup, allow_private=True).resolve("news.example", 443)
    assert [found["host"] for found in allowed] == ["93.184.216.34", "10.0.0.1"]
