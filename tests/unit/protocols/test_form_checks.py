"""The trap and the stamp of a form."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from moderation.domain.site import SiteSettings
from moderation.domain.verdict import ReasonCode
from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import KeyedVault
from moderation.protocols.form_checks import STAMP_LIVES_S, new_stamp, suspicions

VAULT = KeyedVault(Keyring.new())
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOO_FAST = (ReasonCode.TOO_FAST,)


@dataclass
class Site:
    name: str = "paper"
    settings: SiteSettings = field(default_factory=SiteSettings)


def found(stamp: Any, *, after_s: float = 10, site: Any = None, **fields: Any) -> tuple[ReasonCode, ...]:
    return suspicions(
        VAULT, site or Site(), {"form_stamp": stamp, **fields}, NOW + timedelta(seconds=after_s)
    )


def test_a_person_takes_some_seconds():
    stamp = new_stamp(VAULT, Site(), NOW)
    assert found(stamp) == ()
    assert found(stamp, after_s=2) == TOO_FAST
    assert found(stamp, after_s=-10) == TOO_FAST
    assert found(stamp, after_s=2, site=Site(settings=SiteSettings(form_min_s=0))) == ()


def test_a_page_from_a_cache_has_none_or_an_old_one_and_works_unless_the_site_asks_for_one():
    strict = Site(settings=SiteSettings(form_stamp_required=True))
    old = new_stamp(VAULT, Site(), NOW - timedelta(seconds=STAMP_LIVES_S))
    for stamp in (None, "", old):
        assert found(stamp) == ()
        assert found(stamp, site=strict) == TOO_FAST
    assert found(new_stamp(VAULT, strict, NOW), site=strict) == ()


@pytest.mark.parametrize(
    "change", ["0.00", "x", "1.2.3", ".", 7, ["a"], "1" * 400, "١٢.aa", "\ud800.\udfff", "1.\ud800", {}]
)
def test_a_stamp_that_is_not_ours_speaks_for_a_program(change: Any):
    assert found(change) == TOO_FAST


def test_a_stamp_cannot_be_made_older_nor_taken_to_another_site():
    second, _, signature = new_stamp(VAULT, Site(), NOW).partition(".")
    assert found(f"{int(second) - 60}.{signature}") == TOO_FAST
    assert found(new_stamp(VAULT, Site("other"), NOW)) == TOO_FAST


def test_the_trap_is_for_whoever_fills_in_everything():
    assert found(None, homepage_confirm="http://win.example") == (ReasonCode.HONEYPOT,)
    assert found(None, homepage_confirm="") == ()
    assert found("x", homepage_confirm=["a"]) == (ReasonCode.HONEYPOT, ReasonCode.TOO_FAST)
