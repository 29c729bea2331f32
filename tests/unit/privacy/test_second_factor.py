"""Codes by time are those of RFC 6238; recovery codes are read however they are typed."""

from base64 import b32encode
from datetime import UTC, datetime

import pyotp
import pytest

from moderation.privacy.second_factor import (
    RECOVERY_CODES,
    digits_of,
    new_recovery_codes,
    new_secret,
    plain_recovery_code,
    step_of,
)

SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    now = datetime.fromtimestamp(second, UTC)
    assert step_of(SECRET, code, now) == second // 30
    assert step_of(SECRET, f"{(int(code) + 1) % 1_000_000:06d}", now) is None


def test_a_clock_may_be_one_step_off_and_no_more() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    this = int(now.timestamp()) // 30
    fitting = [
        step
        for step in range(this - 3, this + 4)
        if step_of(SECRET, pyotp.TOTP(SECRET).generate_otp(step), now)
    ]
    assert fitting == [this - 1, this, this + 1]


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("٠٠٥٩٢٤", "005924"),
        ("۰۰۵۹۲۴", "005924"),
        ("12345", ""),
        ("1234567", ""),
        ("12345a", ""),
        ("-12345", ""),
        ("½23456", ""),
        ("", ""),
    ],
)
def test_a_code_is_read_in_the_digits_of_any_keyboard(typed: str, digits: str) -> None:
    assert digits_of(typed) == digits


def test_recovery_codes_differ_and_are_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert all(len(code) == 14 for code in codes)
    assert plain_recovery_code(f"  {codes[0].upper().replace('-', ' ')} ") == codes[0].replace("-", "")
    assert new_secret() != new_secret()
    assert len(new_secret()) == 32
