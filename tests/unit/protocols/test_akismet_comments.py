"""What an Akismet call says of a comment can always be stored: what cannot be used is left out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from moderation.domain.ids import SiteId
from moderation.domain.policy import Policy
from moderation.domain.site import Site, SiteSettings
from moderation.intake.validation import read_submission
from moderation.protocols.akismet_comments import MAX_TEXT, callback_of, comment_of, name_of, read_said
from moderation.protocols.akismet_form import NAMES, Form

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SITE = Site(
    id=SiteId(1),
    name="paper",
    title="Paper",
    url="https://paper.example",
    language="ar",
    webhook_url=None,
    webhook_secrets=(),
    inbound_secrets=(),
    settings=replace(SiteSettings(), required=(), max_text_length=MAX_TEXT),
    policy=Policy(version=1),
)
PLAIN = {"blog": ["https://paper.example"], "comment_content": ["text"], "user_ip": ["192.0.2.1"]}


@pytest.mark.parametrize(
    "written",
    [
        "fe80::1%" + "a" * 100,
        "http://paper.example:99999/x",
        "https://[::1",
        "http://" + "a" * 2100,
        "9" * 5000,
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "en-" + "-".join(["aaaaaaaa"] * 4),
        "x@" + "a" * 300 + ".example",
        "a" * 70_000,
        "\u202e\u2028\x01ن",
    ],
)
def test_no_parameter_makes_a_comment_faulty(written: str) -> None:
    for name in sorted(NAMES):
        form = Form(PLAIN | {name: [written]})
        said = read_said(form, may_be_slashed=True)
        raw = comment_of(form, said, SITE, now=NOW)
        assert read_submission(raw, SITE.settings, now=NOW, origin="akismet").text == said.text.strip()
        assert len(name_of(form) or "") <= 255
        callback_of(form, SITE)


def test_a_text_in_which_nothing_can_be_seen_is_an_empty_one() -> None:
    form = Form(PLAIN | {"comment_content": ["\u202e\u2028\x01"]})
    raw = comment_of(form, read_said(form, may_be_slashed=True), SITE, now=NOW)
    assert read_submission(raw, SITE.settings, now=NOW, origin="akismet").text == ""


def test_an_address_is_kept_without_its_zone() -> None:
    form = Form(PLAIN | {"user_ip": ["fe80::1%eth0"]})
    raw = comment_of(form, read_said(form, may_be_slashed=False), SITE, now=NOW)
    assert raw["author"]["ip"] == "fe80::1"
