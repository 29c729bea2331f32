"""The console for everybody: under axe-core, by keyboard alone, read out, enlarged, without motion."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.console_views import TEXTS, VIEWS
from tests.browser.test_console import EMPTY, SENT, TEXT, Desk, at_the_desk, desk, press

__all__ = ["desk"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
"""Laid there by `make install-dev`, where npm can be had."""
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
KINDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FOUND = f"""
axe.run(document, {{runOnly: {json.dumps(KINDS)}, resultTypes: ['violations']}}).then(({{violations}}) => violations.flatMap(
  (rule) => rule.nodes.map((node) => [rule.impact, rule.id, node.target.join(' '), node.any[0]?.message ?? rule.help])))
"""
OUT_OF_ITS_CARD = """
(() => { const card = document.querySelector('.card'), padding = 24;
  if (!card) return [];
  const {left, right} = card.getBoundingClientRect();
  return [...card.querySelectorAll('input, button, svg, code, p')].map((e) => [e, e.getBoundingClientRect()])
    .filter(([, r]) => r.width && (r.left < left + padding || r.right > right - padding)).map(([e]) => e.name || e.className || e.tagName); })()
"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
SIZES = {390: 844, 820: 1180, 1280: 900}
LOOKS = {
    "ar": [("light", 390), ("dark", 820), ("light", 1280)],
    "en": [("dark", 390), ("light", 820), ("dark", 1280)],
}
"""Together every pair of language, light and width but one; all twelve by hand are the same with this table filled."""
AUTHOR = {"name": "أبو خالد \u202eexe", "email": "khaled@example.com"}


async def prefer(page: Page, **features: str) -> None:
    """Set what the reader prefers: `scheme`, `motion`."""
    named = {"scheme": "prefers-color-scheme", "motion": "prefers-reduced-motion"}
    said = [{"name": named[name], "value": value} for name, value in features.items()]
    await page.call("Emulation.setEmulatedMedia", features=said)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["ar", "en"])
async def test_axe_finds_nothing_on_any_page(chromium: Chromium, desk: Desk, lang: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed")
    axe = AXE.read_bytes()
    assert hashlib.sha256(axe).hexdigest() == AXE_SHA256
    await desk.submit(*TEXTS, author=AUTHOR)
    found: dict[str, list[str]] = {}
    async with chromium.page() as page:
        for name, opener in VIEWS.items():
            await page.resize(1280, 900)
            await opener(page, desk, lang)
            await page.evaluate(f"{axe.decode()};null")
            for scheme, width in LOOKS[lang]:
                await prefer(page, scheme=scheme, motion="reduce")
                await page.resize(width, SIZES[width])
                await page.evaluate(DRAWN)
                for fault in await page.evaluate(FOUND):
                    found.setdefault(" · ".join(fault), []).append(f"{name} {scheme} {width}")
                if await page.evaluate("document.documentElement.scrollWidth") > width:
                    found.setdefault("wider than the window", []).append(f"{name} {width}")
                for control in await page.evaluate(OUT_OF_ITS_CARD):
                    found.setdefault(f"out of its card: {control}", []).append(f"{name} {width}")
        assert [fault for fault in page.faults if "Content Security" in fault] == []
    assert found == {}


WHERE = """
(() => { const e = document.activeElement, r = e.getBoundingClientRect();
  const top = document.elementFromPoint(r.x + Math.min(r.width, 40) / 2, r.y + Math.min(r.height, 20) / 2);
  const style = getComputedStyle(e);
  return {name: e.dataset.page ?? e.dataset.kind ?? e.dataset.do ?? (e.name || e.id || e.className || e.tagName),
    isSeen: r.width > 0 && (e.contains(top) || top?.contains(e)), isMarked: style.outlineStyle !== 'none' || style.boxShadow !== 'none'}; })()
"""


async def test_a_walk_by_keyboard_meets_everything_in_order_and_in_sight(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await at_the_desk(page, desk)
    await page.until(
        "document.querySelector('.record button')"
    )  # comes after a moment, and must not in the middle
    await page.evaluate("document.activeElement.blur(); document.getSelection().removeAllRanges()")
    await page.evaluate("document.querySelector('.skip-link').focus()")
    met: list[dict[str, Any]] = []
    while not met or met[-1]["name"] != "open":
        met.append(await page.evaluate(WHERE))
        assert len(met) < 40, met
        await page.press("Tab")
    assert [one["name"] for one in met] == [
        *("skip-link", "brand", "desk", "search", "help", "SUMMARY"),
        *("", "held", "audit", "escalated", "order", "reason", "language"),
        *("pick", "row"),  # one row is stopped at, however many there are
        *("step", "step", "A", "thread", "author", "SUMMARY"),
        *("approve", "reject", "skip", "escalate", "note", "open"),
    ]
    assert [one["name"] for one in met if not one["isSeen"] or not one["isMarked"]] == []


async def test_who_switched_single_keys_off_decides_by_tab_and_enter(page: Page, desk: Desk) -> None:
    first, _ = await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await at_the_desk(page, desk)
    await page.evaluate("localStorage.setItem('console.shortcuts', 'off')")
    await press(page, "A")
    assert await page.evaluate(TEXT) == "تعليق أول ينتظر"
    for _ in range(20):
        if await page.evaluate("document.activeElement.dataset.do") == "approve":
            break
        await page.press("Tab")
    await page.press("Enter")
    await page.until(f"{TEXT} === 'تعليق ثانٍ ينتظر' && {SENT}")
    assert await desk.state(first) == "approved"
    await page.evaluate("localStorage.removeItem('console.shortcuts')")


async def test_a_comment_is_read_out_as_the_focus_comes_to_it(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر", author={"name": "ليلى", "email": "l@example.com"})
    await at_the_desk(page, desk)
    await press(page, "A")
    name, description = await read_out(page)
    assert "ليلى" in name
    assert description == "تعليق ثانٍ ينتظر"
    assert await page.focused() == "paper"
    await page.until("document.querySelector('#live').textContent === 'قُبل.'")
    await press(page, "A")
    await page.until(EMPTY)
    name, description = await read_out(page)
    assert "ليلى" not in name
    assert description == ""


async def read_out(page: Page) -> tuple[str, str]:
    """Return name and description of the article, as the browser hands them to what reads aloud."""
    said = await page.call("Runtime.evaluate", expression="document.querySelector('#paper')")
    tree = await page.call(
        "Accessibility.getPartialAXTree", objectId=said["result"]["objectId"], fetchRelatives=False
    )
    (node,) = (one for one in tree["nodes"] if not one.get("ignored") and one["role"]["value"] == "article")
    return node["name"]["value"], node.get("description", {}).get("value", "")


async def test_the_menu_closes_by_escape_and_when_one_tabs_on(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر")
    await at_the_desk(page, desk)
    opened = "document.querySelector('.account').open"
    for leave in ("Escape", "Tab"):
        await page.evaluate("document.querySelector('.account summary').focus()")
        await page.press("Enter")
        await page.until(opened)
        for _ in range(1 if leave == "Escape" else 6):
            await (page.stroke("Escape", "Escape") if leave == "Escape" else page.press("Tab"))
        await page.until(f"!{opened}")
    await page.evaluate("document.querySelector('.account').open = true")
    await page.stroke("Escape", "Escape")
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"


async def test_a_decision_can_be_taken_back_by_touch_for_as_long_as_one_likes(page: Page, desk: Desk) -> None:
    first, _ = await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await page.resize(390, 844)
    await at_the_desk(page, desk)
    assert await page.evaluate("document.querySelector('.is-undo').hidden")
    await page.click(".action.is-approve")
    await page.until(SENT)
    await page.evaluate("document.querySelectorAll('.toast').forEach((toast) => toast.remove())")
    await page.click(".is-undo")
    await page.until(f"{TEXT} === 'تعليق أول ينتظر' && {SENT}")
    assert await desk.state(first) == "held"
    assert await page.evaluate("document.querySelector('.is-undo').hidden")


async def test_a_message_stays_while_somebody_is_about_to_use_it(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await at_the_desk(page, desk)
    await page.evaluate(
        "window.due = []; window.setTimeout = ((wait) => (work, ms) => ms >= 7000 ? due.push(work) : wait(work, ms))(window.setTimeout); null"
    )
    await press(page, "A")
    await page.evaluate("document.querySelector('.toast button').focus()")
    await page.evaluate("due.splice(0).forEach((work) => work())")
    assert await page.evaluate("document.querySelectorAll('.toast').length") == 1
    await page.evaluate("document.activeElement.blur()")
    await page.evaluate("due.splice(0).forEach((work) => work())")
    assert await page.evaluate("document.querySelectorAll('.toast').length") == 0


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_nothing_moves_for_who_wants_no_motion(page: Page, desk: Desk, motion: str) -> None:
    await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await prefer(page, motion=motion)
    await at_the_desk(page, desk)
    await press(page, "A")
    moving = "getComputedStyle(document.querySelector('.toast')).animationName"
    assert await page.evaluate(moving) == ("none" if motion == "reduce" else "rise")


@pytest.mark.parametrize(("width", "height"), [(640, 450), (320, 225), (844, 390)])
async def test_an_enlarged_page_leaves_room_to_read(page: Page, desk: Desk, width: int, height: int) -> None:
    """A window of 1280 by 900 at 200 and 400 %, and a telephone on its side (WCAG 2.2, 1.4.4 and 1.4.10)."""
    await desk.submit("الترام الجديد فكرة ممتازة. " * 20, "تعليق ثانٍ ينتظر")
    await page.resize(width, height)
    await at_the_desk(page, desk)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    seen = """
      (() => { document.querySelector('.comment-text').scrollIntoView({block: 'start'});
        const r = document.querySelector('.comment-text').getBoundingClientRect();
        let lines = 0;
        for (let y = Math.max(r.top, 0) + 5; y < Math.min(r.bottom, innerHeight); y += 10)
          lines += document.elementFromPoint(r.left + r.width / 2, y)?.closest('.comment-text') ? 10 : 0;
        return lines; })()
    """
    assert await page.evaluate(seen) >= 90, "two lines and more"
    await page.click(".action.is-approve")
    await page.until(f"{TEXT} === 'تعليق ثانٍ ينتظر' && {SENT}")
    top = await page.evaluate("document.querySelector('#paper').getBoundingClientRect().top")
    assert 0 <= top < height, "the next comment is in sight from its beginning"


async def test_texts_set_wider_are_not_cut_off(page: Page, desk: Desk) -> None:
    """WCAG 2.2, 1.4.12."""
    await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await page.resize(390, 844)
    await at_the_desk(page, desk)
    await page.evaluate("""
      (() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }');
        document.adoptedStyleSheets = [sheet]; })()
    """)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = (
        "[...document.querySelectorAll('button, summary, .pages a, .notice, .author-line')].filter((e) => e.offsetParent"
        " && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)"
        " && !e.matches('.row, summary, .chip')).map((e) => e.outerHTML)"  # a chip's place to touch is larger than it looks
    )
    assert await page.evaluate(cut) == []
