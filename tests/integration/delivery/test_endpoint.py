"""The HTTP client against real servers: guarded, bounded, and an outcome for everything that can go wrong."""

import asyncio
import gzip
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from moderation.delivery.endpoint import BODY_BYTES, Answer, EndpointClient, Outcome
from moderation.domain.clock import utc_now
from tests.program import free_port
from tests.receiver import Hang, Receiver, answer

Dialogue = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def post(url: str, *, allow_private: bool = True, **options: object) -> Answer:
    async with EndpointClient(utc_now, **{"timeout_s": 30.0} | options) as client:
        return await client.post(url, b"{}", headers={"webhook-id": "evt_1"}, allow_private=allow_private)


def names(table: dict[str, list[str]]):
    """A look-up for these names only."""

    async def lookup(host: str, _port: int) -> list[str]:
        if host not in table:
            raise OSError("no such name")
        return table[host]

    return lookup


@asynccontextmanager
async def raw_server(dialogue: Dialogue) -> AsyncIterator[str]:
    """A server that speaks as badly as it likes."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await dialogue(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "0.0.0.0", "[::]", "127。0。0。1", "①②⑦.0.0.1",
     "127.0.0.1.", "LOCALHOST", "user@127.0.0.1", "news.example@127.0.0.1", "news.example:443@127.1", "017700000001", "0x7f.0.0.1",
     "127.0.0.0x1", "[::ffff:7f00:1]", "[::ffff:0:7f00:1]", "[::7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[::1%25lo]",
     "[fe80::1%25lo]", "[0:0:0:0:0:0:0:1]", "１２７.0.0.1", "127.0.0.1\u3002", "ⓛocalhost", "127.0.1"],
)  # fmt: skip
async def test_no_way_of_writing_loopback_gets_a_connection(host: str):
    async with Receiver() as receiver:
        answered = await post(f"http://{host}:{receiver.port}/", allow_private=False)
        assert receiver.requests == []
    assert answered.outcome == Outcome.REFUSED_ADDRESS
    assert answered.status is None


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]]
)
async def test_a_name_for_a_private_address_is_refused(addresses: list[str]):
    async with Receiver() as receiver:
        url = f"http://innocent.example:{receiver.port}/"
        answered = await post(url, allow_private=False, lookup=names({"innocent.example": addresses}))
        assert receiver.requests == []
    assert answered.outcome == Outcome.REFUSED_ADDRESS


@pytest.mark.skipif(sys.platform != "linux", reason="the whole of 127/8 is loopback on Linux only")
async def test_a_name_that_changes_its_address_after_the_check_gains_nothing(monkeypatch: pytest.MonkeyPatch):
    """Rebinding: the first answer passes the check; whatever the name says later, that first address is the one dialled."""
    answers, dialled = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]], []
    monkeypatch.setattr(
        "moderation.delivery.addresses.is_public", lambda address: address == ip_address("127.0.0.2")
    )

    async def rebinding(_host: str, _port: int) -> list[str]:
        return answers.pop(0)

    async def note(request: web.Request) -> web.Response:
        dialled.append(request.transport.get_extra_info("sockname")[0])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", note)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()
    port = runner.addresses[0][1]
    first = await post(f"http://rebinding.example:{port}/", allow_private=False, lookup=rebinding)
    second = await post(f"http://rebinding.example:{port}/", allow_private=False, lookup=rebinding)
    await runner.cleanup()
    assert (first.outcome, second.outcome) == (Outcome.DELIVERED, Outcome.REFUSED_ADDRESS)
    assert dialled == ["127.0.0.2"]
    assert len(answers) == 1  # asked once per connection


async def test_a_guarded_request_never_rides_on_a_connection_that_was_allowed_to_be_private():
    async with (
        Receiver() as receiver,
        EndpointClient(utc_now, lookup=names({"both.example": ["127.0.0.1"]})) as client,
    ):
        url = f"http://both.example:{receiver.port}/"
        allowed = await client.post(url, b"{}", headers={}, allow_private=True)
        guarded = await client.post(url, b"{}", headers={}, allow_private=False)
        assert len(receiver.requests) == 1
    assert (allowed.outcome, guarded.outcome) == (Outcome.DELIVERED, Outcome.REFUSED_ADDRESS)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch):
    async with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await post(receiver.url)).outcome == Outcome.DELIVERED
        assert proxy.requests == []


@pytest.mark.parametrize(
    "url",
    ["ftp://news.example/", "file:///etc/passwd", "gopher://127.0.0.1/", "news.example/events", "", "http://", "http://[::1", "http://news.example:99999/", "http://" + "a" * 300 + ".example/", "http://a..example/"],
)  # fmt: skip
async def test_what_is_no_web_address_is_an_outcome_too(url: str):
    answered = await post(url, allow_private=False, lookup=names({}))
    assert answered.outcome in {Outcome.INVALID_URL, Outcome.UNRESOLVED}


async def test_a_redirect_is_a_failure_and_nobody_follows_it():
    async with Receiver() as receiver:
        receiver.behaviour = answer(307, {"Location": "http://169.254.169.254/latest"})
        answered = await post(receiver.url)
        assert len(receiver.requests) == 1
    assert (answered.outcome, answered.status) == (Outcome.REDIRECTED, 307)


async def test_the_real_resolver_is_asked_when_there_is_no_other():
    async with Receiver() as receiver:
        url = f"http://localhost:{receiver.port}/"
        assert (await post(url)).outcome == Outcome.DELIVERED
    assert (await post("http://no-such-name.invalid/")).outcome == Outcome.UNRESOLVED


async def test_nobody_listening_is_unreachable():
    assert (await post(f"http://127.0.0.1:{free_port()}/")).outcome == Outcome.UNREACHABLE


async def test_a_server_that_does_not_answer_is_given_up_after_the_limit():
    async with Receiver() as receiver:
        receiver.behaviour = hang = Hang()
        answered = await post(receiver.url, timeout_s=0.2)
        hang.release.set()
    assert answered.outcome == Outcome.TIMEOUT
    assert 0.2 <= answered.duration_s < 15


async def test_a_name_server_that_does_not_answer_is_given_up_after_the_limit():
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    assert (await post("http://news.example/", lookup=silent, timeout_s=0.2)).outcome == Outcome.TIMEOUT


@pytest.mark.parametrize(
    "words", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 two hundred OK\r\n\r\n", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", b"HTTP/1.1 999 ?\r\n\r\n"]
)  # fmt: skip
async def test_a_broken_answer_is_a_failure(words: bytes):
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)

    async with raw_server(speak) as url:
        assert (await post(url)).outcome == Outcome.BROKEN_ANSWER


async def test_a_slow_trickle_of_a_head_is_given_up_after_the_limit():
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            writer.write(b"X: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(speak) as url:
        assert (await post(url, timeout_s=0.3)).outcome == Outcome.TIMEOUT


async def test_an_endless_body_is_not_read_and_the_status_counts():
    sent = 0

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while sent < 50_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with raw_server(speak) as url:
        answered = await post(url)
    assert answered.outcome == Outcome.DELIVERED
    assert sent < 50 * BODY_BYTES + 10_000_000  # what fits into buffers on the way


async def test_a_body_that_never_comes_does_not_undo_a_success():
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await writer.drain()
        await reader.read()  # until the client gives up

    async with raw_server(speak) as url:
        answered = await post(url)
    assert answered.outcome == Outcome.DELIVERED
    assert answered.duration_s < 15


async def test_a_body_that_lies_about_its_coding_changes_nothing():
    async with Receiver() as receiver:
        for body in (b"not gzip", gzip.compress(b"0" * 1_000_000)):
            receiver.behaviour = answer(200, {"Content-Encoding": "gzip"}, body)
            assert (await post(receiver.url)).outcome == Outcome.DELIVERED


async def test_connections_are_used_again_and_cookies_are_not_kept():
    async with Receiver() as receiver, EndpointClient(utc_now) as client:
        receiver.behaviour = answer(200, {"Set-Cookie": "a=b"}, b"thanks")
        for _ in range(3):
            await client.post(receiver.url, b"{}", headers={}, allow_private=True)
        [session] = [s for s in client._sessions.values() if s.connector._conns]
        assert sum(len(held) for held in session.connector._conns.values()) == 1
    assert all("cookie" not in request.headers for request in receiver.requests)
    assert {request.headers["user-agent"] for request in receiver.requests} == {"comment-moderation"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for news.example that its own holder signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "news.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("news.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


async def welcome(_request: web.Request) -> web.Response:
    return web.Response()


@asynccontextmanager
async def tls_server(certificate: Path) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    app = web.Application()
    app.router.add_post("/", welcome)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def test_the_certificate_must_be_trusted_and_be_for_the_name_although_the_address_is_dialled(
    certificate: Path,
):
    trusting = ssl.create_default_context(cafile=str(certificate))
    lookup = names({"news.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
    async with tls_server(certificate) as port:
        good = await post(f"https://news.example:{port}/", lookup=lookup, tls=trusting)
        wrong_name = await post(f"https://other.example:{port}/", lookup=lookup, tls=trusting)
        untrusted = await post(f"https://news.example:{port}/", lookup=lookup)
        plain = await post(f"http://news.example:{port}/", lookup=lookup)
    assert good.outcome == Outcome.DELIVERED
    assert wrong_name.outcome == untrusted.outcome == Outcome.TLS_FAILED
    assert plain.outcome == Outcome.BROKEN_ANSWER
