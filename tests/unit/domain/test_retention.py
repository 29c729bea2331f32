"""Retention clocks as they are written: by the operator for all sites, by an admin for one."""

import pytest

from moderation.domain.errors import InvalidConfigurationError
from moderation.domain.retention import CLOCKS, Retention
from moderation.domain.site import SiteSettings


def test_what_is_written_is_read_again() -> None:
    kept = Retention.parse("address=7, email=0,")
    assert (kept.address, kept.email, kept.audit) == (7, 0, 1095)
    assert Retention.parse(str(kept)) == kept
    assert Retention.parse("") == Retention()


@pytest.mark.parametrize(
    "text", ["address", "address=-1", "address=٧", "colour=3", "email=36501", "email=1.5"]
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="clock=days"):
        Retention.parse(text)


def test_a_site_overrides_only_what_it_names() -> None:
    chosen = SiteSettings.from_json({"retention": {"email": 30}}).retention
    assert Retention().overridden_by(chosen) == Retention(email=30)
    assert SiteSettings.from_json({}).retention == {}


def test_every_fault_of_a_site_is_named() -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        SiteSettings.from_json({"retention": {"email": -1, "address": "7", "colour": 3}})
    pointers = {error.pointer for error in caught.value.errors}
    assert pointers == {"/retention/email", "/retention/address", "/retention/colour"}
    assert "email" in CLOCKS
