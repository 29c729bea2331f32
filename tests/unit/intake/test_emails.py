"""E-mail addresses: form, throw-away services, and what DNS may and may not decide."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.intake.emails import InvalidEmailError, MailDomains, canonical_email, is_disposable


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Layla.H+news@EXAMPLE.com", "Layla.H+news@example.com"),
        ("علي@مثال.السعودية", "علي@مثال.السعودية"),
        ("a@xn--mgbh0fb.com", "a@مثال.com"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_addresses_have_one_canonical_form(written: str, canonical: str) -> None:
    assert canonical_email(written) == canonical
    assert canonical_email(canonical) == canonical


@pytest.mark.parametrize(
    "written",
    ["", "a", "a@", "@b.com", "a b@c.com", "a@b", "a@b..com", ".a@b.com", "a.@b.com", "a@-b.com", "a@localhost", "a@[127.0.0.1]",
     "a@" + "b" * 64 + ".com", "a@example.com\n", "a@b.com,c@d.com", "<a@b.com>"],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(InvalidEmailError):
        canonical_email(written)


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused(written: str) -> None:
    try:
        canonical = canonical_email(written)
    except InvalidEmailError:
        return
    assert canonical.count("@") >= 1


def test_throw_away_services_and_their_subdomains_are_known() -> None:
    assert is_disposable("x@mailinator.com")
    assert is_disposable("x@eu.mailinator.com")
    assert not is_disposable("x@notmailinator.example")
    assert not is_disposable("x@gmail.com")


class Zone(asyncio.DatagramProtocol):
    """A name server on loopback that knows a few names; silent for those under ``silent.``."""

    RECORDS: ClassVar = {
        ("mail.example.", "MX"): "10 mx.mail.example.",
        ("null.example.", "MX"): "0 .",
        ("web.example.", "A"): "192.0.2.1",
    }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.asked: list[str] = []

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(name)
        if name.startswith("silent."):
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if (name, kind) in self.RECORDS:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, self.RECORDS[name, kind]))
        elif not any(known == name for known, _ in self.RECORDS):
            answer.set_rcode(dns.rcode.SERVFAIL if name.startswith("broken.") else dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)  # type: ignore[attr-defined]


@asynccontextmanager
async def mail_domains() -> AsyncIterator[tuple[MailDomains, Zone]]:
    loop = asyncio.get_running_loop()
    transport, zone = await loop.create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    resolver.lifetime = 0.5
    try:
        yield MailDomains(resolver), zone
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("domain", "takes_mail"),
    [
        ("mail.example", True),
        ("web.example", True),
        ("null.example", False),
        ("nowhere.example", False),
        ("broken.example", True),
        ("silent.example", True),
    ],
)
async def test_only_a_clear_no_of_dns_refuses_an_address(domain: str, takes_mail: bool) -> None:
    async with mail_domains() as (domains, _):
        assert await domains.takes_mail(f"a@{domain}") is takes_mail


async def test_what_dns_said_is_remembered() -> None:
    async with mail_domains() as (domains, zone):
        for _ in range(5):
            assert await domains.takes_mail("a@mail.example")
        assert len(zone.asked) == 1
