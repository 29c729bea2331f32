"""What a site is told first is what it is told when it asks again."""

from moderation.domain.verdict import Evidence, Reason, ReasonCode
from moderation.protocols.rendering import reason_bodies
from moderation.storage.reasons import reasons_from_json, reasons_to_json


def test_evidence_weighs_the_same_before_and_after_it_was_stored() -> None:
    judged = (Reason(ReasonCode.ABUSE, (Evidence(3, 6, "words", 2.8467914158645877),)),)
    stored = reasons_from_json(reasons_to_json(judged))
    assert reason_bodies(judged, "ar") == reason_bodies(stored, "ar")
