"""Whether a connection is encrypted, whether a page is ours, and which cookie counts: by what the request and its proxy say."""

import ipaddress

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from moderation.protocols.addresses import TRUSTED_PROXIES
from moderation.protocols.sessions import (
    LOOPBACK_COOKIE,
    PUBLIC_ORIGIN,
    SECURE_COOKIE,
    cookie_of,
    is_cookie_secure,
    is_https,
    is_same_origin,
)


def request(headers: dict[str, str], *, proxies: str = "", public: str = "") -> web.Request:
    app = web.Application()
    app[TRUSTED_PROXIES] = tuple(ipaddress.ip_network(one) for one in proxies.split())
    app[PUBLIC_ORIGIN] = public
    made = make_mocked_request("POST", "/console/sign-in", headers=headers, app=app)
    return made.clone(remote="10.0.0.1")


DESK = {"Host": "desk.example"}
PROXY = {"proxies": "10.0.0.0/8"}
HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("headers", "settings", "is_encrypted"),
    [
        (DESK, {}, False),
        (DESK | HTTPS, {}, False),  # anybody can write that
        (DESK | HTTPS, PROXY, True),
        (DESK | {"X-Forwarded-Proto": "https, http"}, PROXY, False),  # the nearest proxy's word
        (DESK | {"X-Forwarded-Proto": "http"}, PROXY | {"public": "https://desk.example"}, False),
        (DESK, {"public": "https://desk.example"}, True),
        (DESK, {"public": "http://desk.example"}, False),
        ({"Host": "127.0.0.1:8080"}, {"public": "https://desk.example"}, False),
    ],
)
def test_a_connection_is_encrypted_by_the_word_of_whom_we_trust(headers, settings, is_encrypted):
    assert is_https(request(headers, **settings)) is is_encrypted


@pytest.mark.parametrize(
    ("headers", "settings", "is_ours"),
    [
        (DESK | {"Origin": "https://desk.example"}, {}, True),  # a proxy that does not say how it was reached
        (DESK | {"Origin": "http://desk.example"}, {}, True),
        (DESK | HTTPS | {"Origin": "http://desk.example"}, PROXY, False),  # the same name without encryption
        (DESK | {"Origin": "https://desk.example:443"}, {}, True),
        ({"Host": "desk.example:443", "Origin": "https://desk.example"}, {}, True),
        ({"Host": "DESK.example", "Origin": "https://desk.EXAMPLE"}, {}, True),
        (DESK | {"Origin": "https://desk.example:8443"}, {}, False),
        (DESK | {"Origin": "https://desk.example.evil.example"}, {}, False),
        (DESK | {"Origin": "https://evil.example/desk.example"}, {}, False),
        (DESK | {"Origin": "ftp://desk.example"}, {}, False),
        (DESK | {"Origin": "null"}, {}, False),
        (DESK | {"Origin": ""}, {}, False),
        ({"Host": "inside:8080", "Origin": "https://desk.example"}, {"public": "https://desk.example"}, True),
        (DESK | {"Sec-Fetch-Site": "same-origin"}, {}, True),
        (DESK | {"Sec-Fetch-Site": "none"}, {}, False),
        (DESK | {"Sec-Fetch-Site": "same-site"}, {}, False),
        (DESK | {"Sec-Fetch-Site": "cross-site", "Origin": "https://desk.example"}, {}, False),
        (DESK, {}, False),
    ],
)
def test_a_page_is_ours_by_what_its_browser_says(headers, settings, is_ours):
    assert is_same_origin(request(headers, **settings)) is is_ours


@pytest.mark.parametrize(
    ("host", "is_secure"),
    [
        ("127.0.0.1:8080", False),
        ("127.9.9.9", False),
        ("[::1]:8080", False),
        ("localhost:8080", False),
        ("desk.localhost", False),
        ("desk.example", True),
        ("127.0.0.1.evil.example", True),
        ("10.0.0.1", True),
        ("", True),
        ("[::1", True),
    ],
)
def test_the_cookie_is_secure_but_on_this_machine(host: str, is_secure: bool):
    names = f"{SECURE_COOKIE}=secure; {LOOPBACK_COOKIE}=plain"
    asked = request({"Host": host, "Cookie": names})
    assert is_cookie_secure(asked) is is_secure
    assert cookie_of(asked) == ("secure" if is_secure else "plain")


def test_the_cookie_is_secure_where_the_public_address_is_whatever_a_proxy_asks_for():
    asked = request({"Host": "127.0.0.1:8080"}, public="https://desk.example")
    assert is_cookie_secure(asked)
    assert not is_cookie_secure(request({"Host": "127.0.0.1:8080"}, public="http://desk.example"))


@pytest.mark.parametrize("value", ["", "é", "x" * 201])
def test_what_cannot_be_a_token_is_not_looked_up(value: str):
    assert cookie_of(request({"Host": "localhost", "Cookie": f"{LOOPBACK_COOKIE}={value}"})) is None
