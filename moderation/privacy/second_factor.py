"""Codes of a second factor: six digits by time (RFC 6238, SHA-1, 30 s), and codes on paper for when the telephone is lost."""

import hmac
from datetime import datetime
from secrets import choice

import pyotp

PURPOSE = "second_factor"
"""Under which the secret is sealed."""
RECOVERY = "recovery_code"
"""Under which recovery codes are hashed, with the person's id."""
DIGITS = 6
BESIDE = 1
"""Steps before and after this one that are taken, too: clocks differ, and people need some seconds to type (RFC 6238, 5.2)."""
RECOVERY_CODES = 10
_RECOVERY_LENGTH = 12
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that are taken for one another: 59 bits a code, behind a keyed hash and the limits of signing in."""


def new_secret() -> str:
    """Return a fresh secret of 160 bits, as authenticators take it."""
    return pyotp.random_base32()


def address_of(secret: str, *, name: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that an authenticator reads from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step whose code that is, within `BESIDE` of now; None for a wrong one. Whether it was used is the caller's to see."""
    totp, written = pyotp.TOTP(secret, digits=DIGITS), digits_of(code)
    this = totp.timecode(now)
    fitting = [
        step
        for step in range(max(this - BESIDE, 0), this + BESIDE + 1)
        if hmac.compare_digest(totp.generate_otp(step), written)
    ]
    return fitting[0] if fitting else None


def digits_of(code: str) -> str:
    """Return the digits of a code as 0 to 9, whatever digits the keyboard writes; empty for what is no code."""
    written = "".join(code.split())
    return f"{int(written):0{DIGITS}d}" if written.isdecimal() and len(written) == DIGITS else ""


def new_recovery_codes() -> list[str]:
    """Return fresh codes, each in groups of four letters."""
    written = ("".join(choice(_LETTERS) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES))
    return ["-".join(code[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4)) for code in written]


def plain_recovery_code(code: str) -> str:
    """Return a recovery code as it is hashed: however it was typed."""
    return "".join(letter for letter in code.lower() if letter.isalnum())
