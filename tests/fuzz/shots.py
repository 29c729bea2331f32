"""Requests as bytes: begun right, out of the document, then spoilt in method, path, query, headers, body or framing."""

import base64
import gzip
import hashlib
import hmac
import time
import zlib
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from moderation.protocols.openapi.document import build
from tests.fuzz.values import MARK, encode, hostile, spoil, spoil_bytes

TEN_MEGABYTES = 10 * 1024 * 1024
_METHODS = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "HEAD",
    "TRACE",
    "CONNECT",
    "post",
    "M-SEARCH",
    "X" * 300,
]


@dataclass
class World:
    """What a caller may know: where the service is, keys, and ids that exist."""

    host: str
    port: int
    site: str
    key: str
    token: str
    inbound_secret: str
    dialect_keys: dict[str, str] = field(default_factory=dict)
    """Of the site, by dialect."""
    ids: list[str] = field(default_factory=list)
    """Comments seen in answers; the fuzzer goes on with them."""


@dataclass
class Shot:
    """One request: what it is about, its bytes, and whether the sender closes its half of the connection afterwards."""

    about: str
    data: bytes
    half_close: bool = False


@dataclass
class Draft:
    """A request that is still in pieces."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    framing: str = "length"


OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in build()["paths"].items()
    for method, operation in item.items()
]
_WEIGHTS = [
    8
    if "requestBody" in operation and "{version}" not in path
    else 2
    if path.startswith("/v1/") and method != "DELETE"
    else 1
    for method, path, operation in OPERATIONS
]
"""What reads a body is asked most; what withdraws comments or only sends a page, least."""


def shot(random: Random, world: World) -> Shot:
    """Make one request."""
    method, path, operation = random.choices(OPERATIONS, _WEIGHTS)[0]
    draft = _right(random, world, method, path, operation)
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        random.choice(_WAYS)(random, draft)
    if random.random() < 0.7:
        _authenticate(random, world, draft, path)
    about = f"{method} {path}"
    data = _written(random, draft)
    if random.random() < 0.03:
        return Shot(about + " cut", data[: random.randrange(len(data))], half_close=True)
    return Shot(about, data, half_close=draft.framing in {"too long", "bad chunks"})


def _right(random: Random, world: World, method: str, path: str, operation: dict[str, Any]) -> Draft:
    known = random.choice(world.ids[-200:] or ["01950000-0000-7000-8000-000000000001"])
    parts = {"id": known, "site": world.site, "version": "1.1"}
    headers, query = [("Host", "localhost"), ("Connection", "close")], []
    for parameter in operation.get("parameters", ()):
        name, example = parameter["name"], parameter.get("example", parameter["schema"].get("default", ""))
        if parameter["in"] == "path":
            parts.setdefault(name, str(example))
        elif parameter["in"] == "query" and random.random() < 0.5:
            query.append((name, example if random.random() < 0.6 else hostile(random)))
        elif parameter["in"] == "header" and random.random() < 0.4:
            headers.append((name, str(example)))
    headers += _credentials(random, world, operation["security"])
    body = b""
    for media, content in (
        random.sample(list(operation.get("requestBody", {}).get("content", {}).items()), k=1)
        if "requestBody" in operation
        else ()
    ):
        headers.append(("Content-Type", media))
        body = _body(random, media, content.get("example", {}))
    written = urlencode([(name, str(value)) for name, value in query], errors="replace")
    return Draft(method, path.format_map(_Known(parts)), written, headers, body)


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "x"


def _credentials(random: Random, world: World, security: list[dict[str, Any]]) -> list[tuple[str, str]]:
    names = [name for one in security for name in one] or ["none"]
    token = {"siteKey": world.key, "personToken": world.token}.get(random.choice(names))
    if random.random() < 0.03:
        token = random.choice(["mds_", "mdu_" + "x" * 43, "é", "x" * 9000, "mds_\x00"])
    return [] if token is None else [("Authorization", f"Bearer {token}")]


def _body(random: Random, media: str, example: Any) -> bytes:
    value = _fresh(random, example)
    for _ in range(random.choice([0, 1, 1, 2, 4])):
        value = spoil(random, value)
    if media.endswith("urlencoded") and isinstance(value, dict):
        return urlencode([(str(k), str(v)) for k, v in value.items()], errors="replace").encode()
    if media.startswith("multipart") and isinstance(value, dict):
        return _multipart(value)
    if "ndjson" in media:
        return b"\n".join(encode(spoil(random, value)) for _ in range(random.choice([1, 3, 80])))
    return encode(value)


def _multipart(value: dict[str, Any]) -> bytes:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (str(name).encode(errors="replace"), str(one).encode(errors="replace"))
        for name, one in value.items()
    ]
    return b"".join(parts) + b"--b--\r\n"


def _fresh(random: Random, example: Any) -> Any:
    """Give texts a mark of their own, so that comments differ and can be looked for in logs."""
    if isinstance(example, dict):
        fresh = {name: _fresh(random, value) for name, value in example.items()}
        for name in ("text", "comment", "name", "note"):
            if isinstance(fresh.get(name), str):
                fresh[name] += f" {MARK}{random.randrange(10**9)}"
        if "external_id" in fresh:
            fresh["external_id"] = str(random.randrange(100_000))
        if isinstance(fresh.get("email"), str):
            fresh["email"] = f"{MARK}{random.randrange(10**6)}@example.com"
        return fresh
    return [_fresh(random, value) for value in example] if isinstance(example, list) else example


def _authenticate(random: Random, world: World, draft: Draft, path: str) -> None:
    """Put on what the other dialects want, over whatever the body has become."""
    keys = world.dialect_keys
    if path.endswith("/webhook"):
        _sign(draft, world, random)
    elif path.startswith("/coral/"):
        made = hmac.new(keys.get("coral", "").encode(), draft.body, hashlib.sha256).hexdigest()
        draft.headers.append(("X-Coral-Signature", f"sha256={made}"))
    elif path.startswith("/v1alpha1/"):
        draft.query = "&".join(filter(None, [f"key={keys.get('perspective')}", draft.query]))
    elif "{version}" in path:
        named = f"api_key={keys.get('akismet')}&blog=https%3A%2F%2Fnews.example&user_ip=1.2.3.4"
        if draft.method == "GET":
            draft.query = "&".join(filter(None, [named, draft.query]))
        else:
            draft.body = b"&".join(filter(None, [named.encode(), draft.body]))


def _sign(draft: Draft, world: World, random: Random) -> None:
    now = int(time.time()) + random.choice([0, 0, 0, 0, -301, 301])
    message_id = f"m{random.randrange(10**6)}"
    signed = f"{message_id}.{now}.".encode() + draft.body
    secret = base64.b64decode(world.inbound_secret.removeprefix("whsec_"))
    signature = "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    names = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    draft.headers = [(name, value) for name, value in draft.headers if name not in names]
    draft.headers += [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(now)),
        ("webhook-signature", signature),
    ]


def _spoil_method(random: Random, draft: Draft) -> None:
    draft.method = random.choice(_METHODS)


def _spoil_path(random: Random, draft: Draft) -> None:
    pieces = draft.path.split("/")
    junk = [
        "%00",
        "%2e%2e",
        "..",
        "%ff%fe",
        "%d8%00",
        "",
        "a" * 7000,
        "%",
        "%zz",
        ";",
        quote("نص"),
        "é",
        "{id}",
        "*",
        "0" * 36,
    ]
    pieces[random.randrange(len(pieces))] = random.choice(junk)
    draft.path = "/".join(pieces)


def _spoil_query(random: Random, draft: Draft) -> None:
    junk = ["limit=%00", "limit=99999999999999999999", "limit=-1", "after=1e9", "after=٣", "cursor=AAAA", "cursor=%ff", "a=b&a=c", "&&&===", "site=&site=", "%", "order=%F0%9F%92%A9", "q" * 6000]  # fmt: skip
    draft.query = "&".join(filter(None, [draft.query, random.choice(junk)]))


def _spoil_headers(random: Random, draft: Draft) -> None:
    junk: list[tuple[str, str]] = [
        ("Content-Type", random.choice(["", "text/plain", "application/json; charset=utf-16", "application/json; charset=nonsense", "multipart/form-data", 'multipart/form-data; boundary="', "application/x-www-form-urlencoded; charset=cp1256", "/", "x" * 300, "multipart/form-data; boundary=b"])),
        ("Accept-Language", random.choice(["ar;q=nan", "*;q=-1", "en;q=1e400", ",;,;", "x" * 3000, "é", "ar-" * 400])),
        ("If-Match", random.choice(["", '"', "*", 'W/"1"', '"99999999999999999999"', "'1'", '"1", "2"', "٣"])),
        ("Idempotency-Key", random.choice(["", " ", "x" * 256, "é", "\t", "a" * 255, "'"])),
        ("Accept", random.choice(["text/html", "*/*;q=x", "a" * 4000, "text/html;q=nan"])),
        ("X-Forwarded-For", random.choice(["::1%eth0", "1.2.3.4, x", "," * 500, "٣.1.1.1"])),
        ("Origin", random.choice(["null", "http://[", "https://news.example:99999", "é"])),
        ("Authorization", random.choice(["", "Bearer", "Bearer ", "Basic YTpi", "Bearer \u00e9", "Bearer a b c"])),
        ("User-Agent", random.choice(["", "x" * 7000, "é" * 20])),
        ("Expect", random.choice(["100-continue", "200-maybe"])),
        ("Upgrade", "websocket"),
        ("Transfer-Encoding", random.choice(["gzip", "identity", "chunked, chunked"])),
        ("Content-Length", random.choice(["-1", "x", "1, 2", "99999999999999999999", "0x10", "+5"])),
        ("webhook-timestamp", random.choice(["", "x", "-1", "٣", "9" * 400])),
        ("webhook-signature", random.choice(["v1,", "v1,=", "v2,AAAA", "v1,é", "v1," + "A" * 5000, " ".join(["v1,AAAA"] * 300)])),
        ("Cookie", "a=" + "b" * 5000),
        ("X-Junk", random.choice(["x" * 9000, "x" * 60_000])),
    ]  # fmt: skip
    draft.headers.append(random.choice(junk))
    if random.random() < 0.03:
        draft.headers += [(f"X-{number}", "y") for number in range(random.choice([50, 5000]))]


def _spoil_body(random: Random, draft: Draft) -> None:
    draft.body = spoil_bytes(random, draft.body)


def _compress(random: Random, draft: Draft) -> None:
    name = random.choice(["gzip", "deflate", "br", "zstd", "x"])
    packed = {"gzip": gzip.compress(draft.body), "deflate": zlib.compress(draft.body)}.get(name, draft.body)
    bomb = gzip.compress(b"0" * 3_000_000) if random.random() < 0.05 else packed
    draft.body = bomb[: random.choice([None, len(bomb) // 2])]
    draft.headers.append(("Content-Encoding", name))


def _spoil_framing(random: Random, draft: Draft) -> None:
    draft.framing = random.choice(["chunks", "bad chunks", "too short", "too long", "none", "both"])
    if random.random() < 0.01:
        draft.body = b"x" * TEN_MEGABYTES


_WAYS = [_spoil_method, _spoil_path, _spoil_query, _spoil_headers, _spoil_headers, _spoil_body, _spoil_body, _compress, _spoil_framing]  # fmt: skip


def _written(random: Random, draft: Draft) -> bytes:
    target = draft.path + ("?" + draft.query if draft.query else "")
    version = "HTTP/1.1" if random.random() < 0.98 else random.choice(["HTTP/1.0", "HTTP/2.0", "HTTP/9", ""])
    lines = [f"{draft.method} {target} {version}", *(f"{name}: {value}" for name, value in draft.headers)]
    body = draft.body
    has_body = bool(body) or draft.method in {"POST", "PUT"}
    if draft.framing in {"chunks", "bad chunks", "both"}:
        lines.append("Transfer-Encoding: chunked")
        body = _chunked(random, body, is_bad=draft.framing == "bad chunks")
    if draft.framing == "both" or (draft.framing == "length" and has_body):
        lines.append(f"Content-Length: {len(body)}")
    elif draft.framing == "too short":
        lines.append(f"Content-Length: {len(body) // 2}")
    elif draft.framing == "too long":
        lines.append(f"Content-Length: {len(body) + random.choice([1, 500, 300_000])}")
    head = "\r\n".join(lines).encode("utf-8", "surrogateescape" if random.random() < 0.5 else "replace")
    return head + b"\r\n\r\n" + body


def _chunked(random: Random, body: bytes, *, is_bad: bool) -> bytes:
    size = max(1, len(body) // random.choice([1, 3, 20]))
    pieces = [body[at : at + size] for at in range(0, len(body), size)][:200]
    written = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    if not is_bad:
        return written + b"0\r\n\r\n"
    return random.choice(
        [
            written,
            written + b"zz\r\n\r\n",
            b"-1\r\n\r\n",
            b"ffffffffffffffff\r\n",
            written[:-3],
            b"5;x=" + b"y" * 9000,
        ]
    )
