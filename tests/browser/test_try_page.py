"""The page to try it, as readers use it: in Arabic and English, with the mouse and the keyboard, with scripts and without."""

import itertools
import time

import aiohttp
import pytest

from moderation.storage.administration.policies import set_policy
from moderation.storage.administration.sites import set_site
from moderation.storage.database import Database
from tests.browser.chromium import Chromium, Page
from tests.demonstration import RunningDemonstration

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TEXT = "أتمنى أن يصل الترام إلى الجامعة قريبًا، فالحافلات مزدحمة في الصباح."
SEND = "form.comment-form button"
RESULT = "#comment-result"
READERS = itertools.count(1)
SHOWN = "!document.querySelector('#comment-result').hidden"


async def fill_in(
    page: Page, *, name: str = "ليلى", email: str = "layla@example.com", text: str = TEXT
) -> None:
    await page.fill("[name=author]", name)
    await page.fill("[name=email]", email)
    await page.fill("[name=comment]", text)


async def test_an_arabic_comment_is_sent_and_waits(page: Page, demonstration: RunningDemonstration) -> None:
    await page.open(demonstration.url + "/try")
    assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    await fill_in(page)
    await page.click(SEND)
    await page.until(SHOWN)
    assert await page.text(RESULT) == "التعليق بانتظار الموافقة\nوصل تعليقك وهو بانتظار موافقة المشرف."
    assert await page.focused() == "comment-result"
    assert await page.text("#comment-list .badge") == "بانتظار الموافقة"
    assert await page.text("#comment-list .comment-text") == TEXT
    assert await page.evaluate("document.querySelector('[name=comment]').value") == ""
    assert page.faults == []
    assert all(url.startswith(demonstration.url) or url == "data:," for url in page.requested)


async def test_a_wrong_address_is_said_beside_its_field_and_the_comment_stays(
    page: Page, demonstration: RunningDemonstration
) -> None:
    await page.open(demonstration.url + "/try")
    await fill_in(page, name="", email="layla@")
    await page.click(SEND)
    await page.until(SHOWN)
    assert await page.text("#comment-form-email-error") == "عنوان البريد الإلكتروني غير صحيح."
    assert await page.text("#comment-form-author-error") == "هذا الحقل مطلوب."
    assert await page.text("#comment-form-comment-error") == ""
    assert await page.focused() == "author"
    described = "document.querySelector('[name=email]').getAttribute('aria-describedby')"
    assert await page.evaluate(described) == "comment-form-email-error comment-form-email-hint"
    assert (
        await page.evaluate("document.querySelector('[name=email]').getAttribute('aria-invalid')") == "true"
    )
    assert await page.evaluate("document.querySelector('[name=comment]').value") == TEXT
    await fill_in(page)
    await page.click(SEND)
    await page.until("document.querySelector('#comment-list li')")
    assert await page.text("#comment-form-email-error") == ""
    assert await page.evaluate("document.querySelectorAll('[aria-invalid]').length") == 0


async def test_the_english_twin_speaks_english_whatever_the_browser_prefers(
    page: Page, demonstration: RunningDemonstration
) -> None:
    await page.speak("ar")
    await page.open(demonstration.url + "/try?lang=en")
    assert await page.evaluate("getComputedStyle(document.body).direction") == "ltr"
    await fill_in(page, email="layla", text="When will it reach the university?")
    await page.click(SEND)
    await page.until(SHOWN)
    assert await page.text("#comment-form-email-error") == "The e-mail address is not valid."
    await page.fill("[name=email]", "layla@example.com")
    await page.click(SEND)
    await page.until("document.querySelector('#comment-list li')")
    assert "waiting for a moderator" in await page.text(RESULT)


async def test_the_keyboard_is_enough(page: Page, demonstration: RunningDemonstration) -> None:
    await page.open(demonstration.url + "/try")
    await page.evaluate("document.querySelector('[name=author]').focus()")
    for name, typed in (("author", "ليلى"), ("email", "layla@example.com"), ("url", ""), ("comment", TEXT)):
        assert await page.focused() == name
        await page.call("Input.insertText", text=typed)
        await page.press("Tab")
    assert await page.evaluate("document.activeElement.type") == "submit"
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.press("Enter")
    await page.until("document.querySelector('#comment-list li')")


async def test_a_double_click_sends_one_comment(page: Page, demonstration: RunningDemonstration) -> None:
    await page.open(demonstration.url + "/try")
    await fill_in(page)
    await page.click(SEND)
    await page.click(SEND)
    await page.until("document.querySelector('#comment-list li')")
    await page.until(
        "document.querySelector('form.comment-form button').getAttribute('aria-disabled') === 'false'"
    )
    assert await page.evaluate("document.querySelectorAll('#comment-list li').length") == 1


async def test_without_scripts_the_answer_is_a_page(page: Page, demonstration: RunningDemonstration) -> None:
    await page.without_scripts()
    await page.open(demonstration.url + "/try")
    await fill_in(page, email="layla@")
    await page.during_load(page.click(SEND))
    assert await page.evaluate("location.pathname") == "/sites/demo/comments"
    assert await page.text("#comment-form-email-error") == "عنوان البريد الإلكتروني غير صحيح."
    assert await page.focused() == "email"
    assert await page.evaluate("document.querySelector('[name=comment]').value") == TEXT
    await page.fill("[name=email]", "layla@example.com")
    await page.during_load(page.click(SEND))
    assert await page.text(".is-held h1") == "التعليق بانتظار الموافقة"
    assert "layla@" not in await page.evaluate("document.documentElement.outerHTML")
    await page.during_load(page.click(".back a"))
    assert await page.evaluate("location.pathname") == "/try"
    assert [fault for fault in page.faults if "422" not in fault] == []


async def test_published_and_refused_are_shown_as_such(
    page: Page, demonstration: RunningDemonstration
) -> None:
    database = Database(demonstration.settings.database_url or "")
    words = [{"name": "سوق", "action": "reject", "words": ["كازينو"]}]
    await set_site(database, "demo", {"mode": "post"}, actor="test")
    await set_policy(database, "demo", {"banned_words": words}, actor="test")
    await database.close()
    await page.open(demonstration.url + "/try")
    until_s = time.monotonic() + 45
    while "is-approved" not in await _send_anew(page, "شكرًا على هذا الخبر المفرح"):
        assert time.monotonic() < until_s, await page.text(RESULT)
        await page.open(demonstration.url + "/try")
    assert (await page.text(RESULT)).endswith("نُشر تعليقك. شكرًا لمشاركتك.")
    assert await page.evaluate("document.querySelectorAll('#comment-list .badge').length") == 0
    assert "is-rejected" in await _send_anew(page, "تعالوا إلى كازينو النورس")
    assert (await page.text(RESULT)).endswith("لم يُقبل تعليقك للنشر.")
    assert "كازينو" not in await page.text("#comment-list")


async def _send_anew(page: Page, text: str) -> str:
    """Send a comment by somebody of their own; return what kind of answer is shown."""
    number = next(READERS)
    await page.evaluate("document.querySelector('#comment-result').hidden = true")
    await fill_in(page, email=f"reader{number}@example.com", text=f"{text} {number}")
    await page.click(SEND)
    await page.until(SHOWN)
    return str(await page.evaluate("document.querySelector('#comment-result').className"))


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_the_page_fits_and_can_be_read(
    chromium: Chromium, demonstration: RunningDemonstration, width: int, query: str
) -> None:
    async with chromium.page(width=width) as page:
        await page.open(f"{demonstration.url}/try{query}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        too_small = "[...document.querySelectorAll('input:not([type=hidden]), textarea, button')].filter((e) => e.offsetHeight < 40).length"
        assert await page.evaluate(too_small) == 0
        assert await page.evaluate(FAINT) == []


async def test_the_receivers_page_shows_a_new_event_by_itself(
    page: Page, demonstration: RunningDemonstration
) -> None:
    await page.open(demonstration.receiver + "?lang=ar")
    assert await page.evaluate("document.querySelectorAll('li').length") == 0
    form = {"author": "ليلى", "email": "layla@example.com", "comment": TEXT, "comment_post_ID": "1"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(demonstration.url + "/sites/demo/comments", data=form) as sent,
    ):
        comment = (await sent.json())["id"]
    await page.until("document.querySelectorAll('li').length === 1")
    assert comment in await page.text("li")
    assert "قيد المراجعة" in await page.text("li")
    assert await page.evaluate(FAINT) == []
    assert page.faults == []


FAINT = """
(() => {
  const part = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.offsetParent) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push([e.className || e.tagName, ratio]);
  }
  return faint;
})()
"""
"""Texts whose contrast is below 4.5:1 (WCAG 2.2, success criterion 1.4.3)."""
