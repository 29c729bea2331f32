"""Standard Webhooks 1.0 signatures: made for what we send, checked on what sites send.

What is signed is ``<webhook-id>.<webhook-timestamp>.<body>``, with HMAC-SHA256 under a shared secret; the header carries one
``v1,<base64>`` for each live secret, so that a secret can be replaced without a gap.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from secrets import token_bytes

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

TOLERANCE_S = 300
"""How far a timestamp may lie from our clock, either way."""

_PREFIX = "whsec_"
_VERSION = "v1"
_SECRET_BYTES = 32
_MAX_SIGNATURES = 20


class InvalidSecretError(ValueError):
    """The secret is not ``whsec_`` followed by base64."""


class Verification(StrEnum):
    """What became of checking a signature; everything but `VALID` is a refusal."""

    VALID = "valid"
    MISSING_HEADER = "missing_header"
    MALFORMED_TIMESTAMP = "malformed_timestamp"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    MALFORMED_SIGNATURE = "malformed_signature"
    NO_MATCH = "no_match"


def new_secret() -> str:
    """Return a fresh secret of 256 random bits in its written form."""
    return _PREFIX + base64.b64encode(token_bytes(_SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return ``v1,<base64>``; ``timestamp`` in whole seconds since 1970. Raises `InvalidSecretError`."""
    return f"{_VERSION},{base64.b64encode(_digest(secret, message_id, str(timestamp), body)).decode()}"


def signed_headers(secrets: Sequence[str], message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers, with one signature per secret. Raises `InvalidSecretError`, also when there is no secret."""
    if not secrets:
        raise InvalidSecretError("nothing to sign with")
    timestamp = int(moment.timestamp())
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> Verification:
    """Check ``body`` as received against any of ``secrets``; header names in lower case, or a case-insensitive mapping.

    Any of several signatures may match; versions other than ``v1`` are passed over. Never raises for what was received;
    raises `InvalidSecretError` for a secret of ours that cannot be read. Signatures are compared in constant time.
    """
    message_id, timestamp, signatures = (
        headers.get(name, "") for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
    )
    if not (message_id and timestamp and signatures):
        return Verification.MISSING_HEADER
    untimely = _check_timestamp(timestamp, now)
    if untimely is not None:
        return untimely
    offered = _read_signatures(signatures)
    if not offered:
        return Verification.MALFORMED_SIGNATURE
    expected = [_digest(secret, message_id, timestamp, body) for secret in secrets]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered]
    return Verification.VALID if any(matches) else Verification.NO_MATCH


def _check_timestamp(text: str, now: datetime) -> Verification | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return Verification.MALFORMED_TIMESTAMP
    age_s = now.timestamp() - int(text)
    if age_s > TOLERANCE_S:
        return Verification.TOO_OLD
    return Verification.TOO_NEW if age_s < -TOLERANCE_S else None


def _read_signatures(text: str) -> list[bytes]:
    found = []
    for part in text.split()[:_MAX_SIGNATURES]:
        version, _, encoded = part.partition(",")
        if version == _VERSION:
            try:
                found.append(base64.b64decode(encoded.encode(), validate=True))
            except (binascii.Error, UnicodeEncodeError):
                continue
    return found


def _digest(secret: str, message_id: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    return hmac.digest(_key(secret), signed, hashlib.sha256)


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSecretError("not base64") from error
    if encoded == secret or not key:
        raise InvalidSecretError(f"does not begin with {_PREFIX}, or is empty")
    return key
