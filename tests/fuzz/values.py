"""Hostile values, and ways to spoil JSON, text and bytes; all of it out of one seeded `Random`."""

import json
from random import Random
from typing import Any

MARK = "qzxvleak"
"""Stands in texts, names and addresses that are sent, and must stand in no log line."""

TEXTS = [
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udfff\ud800",
    "\ufeff",
    "\u202e\u2066نص\u2069",
    "🏳️‍🌈" * 40,
    "ـ" * 300,
    "e\u0301" * 200,
    "\u0670" * 500,
    "'; DROP TABLE comments; --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}%s%n%x",
    "../../etc/passwd",
    "http://[",
    "http://[::1",
    "http://a:99999999/",
    "javascript:alert(1)",
    "a@" + "b" * 250 + ".example",
    "@",
    "a@[127.0.0.1]",
    '"a b"@example.com',
    "علي@مثال.السعودية",
    "x@xn--a-ecp.ru",
    "x@xn--" + "a" * 70,
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-02-30T25:61:61Z",
    "01950000-0000-7000-8000-000000000001",
    "urn:uuid:01950000-0000-7000-8000-000000000001",
    "٣",
    "x" * 5_000,
    "و" * 40_001,
]
NUMBERS: list[Any] = [
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**400,
    1.5,
    7.0,
    -0.0,
    1e308,
    5e-324,
]
OTHERS: list[Any] = [
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": {"b": {"c": []}}},
    ["x"] * 600,
]
RAW = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"01", b"+1", b"0x1", b"'a'", b'"\\ud800"', b'"\\u0000"', b'"\\x"', b'"\x01"', b"1" * 5000]  # fmt: skip


def hostile(random: Random) -> Any:
    """Return a value that few expect."""
    return random.choice(random.choice([TEXTS, NUMBERS, OTHERS]))


def spoil(random: Random, value: Any) -> Any:
    """Return ``value`` with one thing in it replaced, removed, added or moved."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        changed = dict(value)
        what = random.random()
        if what < 0.15:
            del changed[name]
        elif what < 0.25:
            changed[random.choice(TEXTS[:20])] = hostile(random)
        else:
            changed[name] = spoil(random, value[name])
        return changed
    if isinstance(value, list) and value and random.random() < 0.8:
        at = random.randrange(len(value))
        changed_list = [*value[:at], spoil(random, value[at]), *value[at + 1 :]]
        return changed_list * (600 if len(value) < 3 and random.random() < 0.02 else 1)
    if isinstance(value, str) and random.random() < 0.3:
        return value + random.choice(TEXTS)
    return hostile(random)


def encode(value: Any) -> bytes:
    """Write JSON, lone surrogates as escapes or not at all."""
    return json.dumps(value).encode()


def spoil_bytes(random: Random, body: bytes) -> bytes:
    """Break the writing itself: encodings, duplicates, cuts, nesting, what JSON does not know."""
    ways = [
        lambda: body[: random.randrange(len(body) + 1)],
        lambda: body + random.randbytes(random.randrange(40)),
        lambda: body.decode(errors="replace").encode("utf-16"),
        lambda: b"\xef\xbb\xbf" + body,
        lambda: _flip(random, body),
        lambda: b"[" * random.choice([10, 1100, 100_000]),
        lambda: b'{"a":' * random.choice([10, 1100, 40_000]) + b"1" + b"}" * random.choice([0, 10]),
        lambda: body.replace(b":", b":" + random.choice(RAW) + b",", 1),
        lambda: body.replace(b'"', b'"' + random.choice(RAW)[:20], 1),
        lambda: body[:1] + body[1:-1] + b"," + body[1:],
        lambda: random.choice(RAW),
        lambda: b"\xff\xfe\x00" + body,
        lambda: body.decode(errors="replace").encode("cp1256", errors="replace"),
        lambda: b"",
        lambda: b" " * random.choice([1, 262_144, 262_145]) + body,
        lambda: b"\n".join([body] * random.choice([2, 50])),
    ]
    return random.choice(ways)()


def _flip(random: Random, body: bytes) -> bytes:
    changed = bytearray(body or b"x")
    for _ in range(random.choice([1, 1, 5, 50])):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)
