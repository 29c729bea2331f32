"""The stock Akismet plugin in a real WordPress, pointed at the real service by the connector."""

import json

import pytest

from tests.program import free_port, run, run_json
from tests.wordpress.site import WordPress, missing
from tests.wordpress.test_connector import NAME, PAST, Desk, desk, only, set_up, signed_in, until, wordpress

__all__ = ["desk", "wordpress"]

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]
BANNED = "زقرطوش"
SPAM_CLICK = "$_POST['spam'] = 1; return wp_set_comment_status({id}, 'spam');"


@pytest.fixture(scope="module")
def akismet_key(desk: Desk) -> str:
    """A key for the plugin; the site publishes what is clean, and one word is never let through."""
    words = json.dumps([{"name": "never", "action": "reject", "words": [BANNED]}], ensure_ascii=False)
    run("policy", "set", NAME, f"banned_words={words}", data_dir=desk.data_dir)
    run("site", "set", NAME, "mode=post", data_dir=desk.data_dir)
    made = run_json("site", "key", "add", NAME, "--dialect", "akismet", data_dir=desk.data_dir)
    return str(made["key"])


@pytest.fixture(autouse=True)
def pointed(wordpress: WordPress, desk: Desk, akismet_key: str) -> None:
    set_up(wordpress, desk, akismet_key=akismet_key)
    wordpress.php(
        """require_once ABSPATH . 'wp-admin/includes/plugin.php'; global $wpdb; $wpdb->query("DELETE FROM $wpdb->comments"); $wpdb->query("DELETE FROM $wpdb->commentmeta");
        update_option('require_name_email', 0); update_option('comment_previously_approved', 0);
        update_option('comment_moderation', 0); activate_plugin('akismet/akismet.php'); return 1;""",
    )


def test_the_plugin_finds_its_key_good(wordpress: WordPress, akismet_key: str):
    assert wordpress.php(f"return Akismet::verify_key('{akismet_key}');") == "valid"
    assert wordpress.php("return Akismet::verify_key('0123456789ab');") == "invalid"
    assert wordpress.php("return Akismet::get_api_key();") == akismet_key


def test_a_clean_comment_appears_and_a_rejected_one_is_spam(wordpress: WordPress):
    assert wordpress.comment("شكرا على هذا الخبر المفيد").status_code == 302
    assert only(wordpress)["status"] == "1"
    wordpress.php(PAST)
    assert wordpress.comment(f"كلام فيه {BANNED}", email="other@example.com").status_code == 302
    assert [comment["status"] for comment in wordpress.comments()] == ["1", "spam"]
    assert all(comment["desk_id"] == "" for comment in wordpress.comments()), "the connector asked as well"


def test_a_click_on_spam_becomes_the_sites_decision(wordpress: WordPress, desk: Desk):
    wordpress.comment("تعليق «مقتبس» ثم 'آخر' سيعدّه المشرف إزعاجا")
    published = only(wordpress)
    assert published["status"] == "1"
    before = desk.call("GET", "/v1/events?after=0&limit=1000")["events"]
    wordpress.php(SPAM_CLICK.format(id=published["id"]), user="editor")
    events = until(
        lambda: [
            event["data"]
            for event in desk.call("GET", "/v1/events?after=0&limit=1000")["events"][len(before) :]
            if event["data"]["decided_by"] == "site"
        ],
        "the decision",
    )
    assert (events[-1]["state"], [r["code"] for r in events[-1]["reasons"]]) == ("rejected", ["spam"])


def test_while_the_desk_is_away_the_plugin_holds(wordpress: WordPress, desk: Desk, akismet_key: str):
    set_up(wordpress, desk, akismet_key=akismet_key, address=f"http://127.0.0.1:{free_port()}")
    wordpress.php(
        """require_once ABSPATH . 'wp-admin/includes/plugin.php';
        return activate_plugin('akismet/akismet.php');"""
    )
    wordpress.comment("تعليق في أثناء الانقطاع")
    assert only(wordpress)["status"] == "0"


def test_the_settings_page_of_the_plugin_shows_real_numbers(wordpress: WordPress):
    page = signed_in(wordpress).get(
        f"{wordpress.url}/wp-admin/options-general.php?page=akismet-key-config", timeout=60
    )
    assert page.status_code == 200
    assert "akismet" in page.text
