"""Tokens of sites and people: 256 random bits, shown once, kept as their SHA-256."""

import hashlib
from secrets import token_urlsafe

SITE_PREFIX = "mds_"
PERSON_PREFIX = "mdu_"
_TOKEN_BYTES = 32


def new_token(prefix: str) -> str:
    """Return a fresh token."""
    return prefix + token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token; a plain hash will do for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
