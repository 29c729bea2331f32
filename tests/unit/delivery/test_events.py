"""What an event says, and what it does not."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from moderation.delivery.events import encode, event, event_id

ID = UUID("01950000-0000-7000-8000-000000000001")
ROW: dict[str, Any] = {
    "comment_id": ID,
    "external_id": None,
    "sequence": 3,
    "revision": 2,
    "state": "rejected",
    "verdict": "reject",
    "reasons": [{"code": "spam", "evidence": [[0, 5, "model", 0.9]]}],
    "decided_by": "moderator",
    "decided_at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    "origin": "webhook",
    # never to be said
    "actor": "somebody",
    "note": "private",
    "scores": [0.9],
}


def test_an_event_has_exactly_the_promised_members():
    said = event(ROW, "en")
    assert list(said) == ["type", "timestamp", "data"]
    assert said["data"] == {
        "id": str(ID),
        "external_id": None,
        "sequence": 3,
        "revision": 2,
        "state": "rejected",
        "verdict": "reject",
        "reasons": [{"code": "spam", "message": "Looks like spam."}],
        "decided_by": "moderator",
        "decided_at": "2026-03-01T12:00:00.123Z",
        "origin": "webhook",
    }


def test_reasons_are_worded_in_the_sites_language():
    [reason] = event(ROW, "ar")["data"]["reasons"]
    assert reason == {"code": "spam", "message": "يبدو إعلانًا أو رسالة مزعجة."}


def test_a_reason_without_words_does_not_keep_the_event_from_leaving():
    assert event(ROW | {"reasons": [{"code": "of_a_newer_version"}]}, "ar")["data"]["reasons"] == [
        {"code": "of_a_newer_version"}
    ]


def test_a_withdrawn_comment_has_its_own_type_and_no_verdict():
    said = event(ROW | {"state": "deleted", "verdict": None, "reasons": []}, "ar")
    assert (said["type"], said["data"]["verdict"], said["data"]["reasons"]) == ("comment.deleted", None, [])


def test_the_id_names_comment_and_sequence():
    assert event_id(ID, 3) == "evt_01950000-0000-7000-8000-000000000001_3"


def test_the_same_decision_always_gives_the_same_bytes():
    assert encode(event(ROW, "ar")) == encode(event(dict(reversed(ROW.items())), "ar"))
    assert orjson.loads(encode(event(ROW, "ar"))) == event(ROW, "ar")
