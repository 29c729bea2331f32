"""Standard Webhooks signatures: as the published vector, as the reference library, and nothing else passes."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.clock import utc_now
from moderation.domain.signatures import (
    InvalidSecretError,
    Verification,
    new_secret,
    sign,
    signed_headers,
    verify,
)

# Published by the Standard Webhooks project with its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(TIMESTAMP, UTC)
HEADERS = {"webhook-id": MESSAGE_ID, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}


def check(
    headers: dict[str, str] | None = None,
    body: bytes = BODY,
    *,
    now: datetime = NOW,
    secrets: tuple[str, ...] = (SECRET,),
):
    return verify({**HEADERS, **(headers or {})}, body, secrets=secrets, now=now)


def test_the_published_vector_holds():
    assert sign(SECRET, MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE
    assert check() is Verification.VALID


def test_the_reference_library_takes_what_we_sign():
    secret, body, now = new_secret(), '{"text": "مرحبا"}'.encode(), utc_now()
    headers = signed_headers([new_secret(), secret], "evt_1", now, body)
    assert standardwebhooks.Webhook(secret).verify(body, headers) == {"text": "مرحبا"}


def test_we_take_what_the_reference_library_signs():
    secret, body, now = new_secret(), '{"text": "مرحبا"}', utc_now()
    signature = standardwebhooks.Webhook(secret).sign("msg_1", now, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    assert verify(headers, body.encode(), secrets=[new_secret(), secret], now=now) is Verification.VALID


@pytest.mark.parametrize("name", list(HEADERS))
@pytest.mark.parametrize("is_absent", [True, False])
def test_a_missing_or_empty_header_is_named(name: str, is_absent: bool):
    headers = {k: v for k, v in HEADERS.items() if k != name} | ({} if is_absent else {name: ""})
    assert verify(headers, BODY, secrets=[SECRET], now=NOW) is Verification.MISSING_HEADER


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "1614265330.5",
        "-5",
        "+1614265330",
        "1e9",
        "١٦١٤٢٦٥٣٣٠",
        "16_14265330",
        "9" * 30,
        " 1614265330",
    ],
)
def test_a_timestamp_is_whole_seconds_in_ascii_digits(text: str):
    assert check({"webhook-timestamp": text}) is Verification.MALFORMED_TIMESTAMP


@pytest.mark.parametrize(
    ("shift_s", "expected"),
    [
        (300, Verification.VALID),
        (301, Verification.TOO_OLD),
        (-300, Verification.VALID),
        (-301, Verification.TOO_NEW),
    ],
)
def test_a_message_is_good_for_five_minutes_either_way(shift_s: int, expected: Verification):
    assert check(now=NOW + timedelta(seconds=shift_s)) is expected


@pytest.mark.parametrize(
    "signature",
    [
        SIGNATURE.replace("v1", "v2"),
        "v1",
        "v1,",
        "v1,***",
        "v1," + SIGNATURE[3:-4],
        SIGNATURE[3:],
        "v1,ｇ0hM9SsE",
        "v1a," + SIGNATURE[3:],
        " ",
        "v1 " + SIGNATURE[3:],
    ],
)
def test_anything_that_is_not_a_matching_signature_is_refused(signature: str):
    assert check({"webhook-signature": signature}) in {
        Verification.NO_MATCH,
        Verification.MALFORMED_SIGNATURE,
    }


@pytest.mark.parametrize(
    "signatures",
    [f"v2,xyz {SIGNATURE}", f"v1,AAAA {SIGNATURE}", f"{SIGNATURE} v1,***", f"nonsense  {SIGNATURE}"],
)
def test_one_matching_signature_of_several_is_enough(signatures: str):
    assert check({"webhook-signature": signatures}) is Verification.VALID


def test_any_live_secret_will_do_and_no_secret_means_no():
    assert check(secrets=(new_secret(), SECRET)) is Verification.VALID
    assert check(secrets=(new_secret(),)) is Verification.NO_MATCH
    assert check(secrets=()) is Verification.NO_MATCH


def test_everything_signed_is_covered():
    assert check(body=BODY + b" ") is Verification.NO_MATCH
    assert check({"webhook-id": MESSAGE_ID + "x"}) is Verification.NO_MATCH
    assert check({"webhook-timestamp": str(TIMESTAMP + 1)}) is Verification.NO_MATCH


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_not base64!", base64.b64encode(b"x" * 32).decode(), "whsec_١٢٣٤"]
)
def test_a_secret_of_ours_that_cannot_be_read_is_an_error_and_never_signs(secret: str):
    with pytest.raises(InvalidSecretError):
        sign(secret, "evt_1", 1, b"")
    with pytest.raises(InvalidSecretError):
        check(secrets=(secret,))


def test_there_is_no_signing_without_a_secret():
    with pytest.raises(InvalidSecretError):
        signed_headers([], "evt_1", NOW, b"")


def test_secrets_are_fresh_and_256_bits_long():
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


@given(st.text(), st.text(), st.text(), st.binary())
def test_no_header_or_body_makes_checking_fail_with_an_exception(
    message_id: str, timestamp: str, signature: str, body: bytes
):
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    assert verify(headers, body, secrets=[SECRET], now=NOW) is not Verification.VALID


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
def test_no_signature_text_makes_checking_fail_with_an_exception(message_id: str, signature: str):
    assert (
        check({"webhook-id": message_id + "\udcff", "webhook-signature": "v1," + signature})
        is not Verification.VALID
    )
