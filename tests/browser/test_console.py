"""The moderators' console as they use it: signing in, deciding by keyboard in Arabic, and whatever may come in between."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from moderation.engines import EngineAddresses
from tests.browser.chromium import Chromium, Page
from tests.browser.test_try_page import FAINT
from tests.console import Account, add_account, make_entries
from tests.service import RunningService, running_service, seed_moderator
from tests.service import comment as written

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ARABIC = {
    "A": "ش",
    "R": "ق",
    "S": "س",
    "E": "ث",
    "U": "ع",
    "X": "ء",
    "W": "ص",
    "J": "ت",
    "K": "ن",
    "D": "ي",
    "H": "ا",
    "O": "خ",
}
"""What keys write on the Arabic layout."""
READY = "document.querySelector('.actions:not([hidden])')"
TEXT = "document.querySelector('.pane .comment-text')?.textContent"
SENT = "!document.querySelector('#status').dataset.state"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
EMPTY = "document.querySelector('.pane .empty')"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> كلام"
WORDS = {"banned_words": [{"name": "سوق", "action": "hold", "words": ["كازينو"]}]}


@dataclass
class Desk:
    """The service, somebody with a password, and a colleague with a token."""

    service: RunningService
    url: str
    account: Account
    colleague: str
    codes: list[str] = field(default_factory=list)
    """Recovery codes of the account."""

    async def submit(self, *texts: str, **fields: Any) -> list[str]:
        """Post comments; return their ids."""
        return [(await self.service.submit(text, **fields))[1]["id"] for text in texts]

    async def state(self, comment: str) -> str:
        return str((await self.service.call("GET", f"/v1/comments/{comment}"))[1]["state"])

    async def run_sql(self, sql: str, *values: Any) -> None:
        async with self.service.database.transaction() as connection:
            await connection.execute(sql, *values)

    async def decided(self, comment: str) -> dict[str, Any]:
        """Return the latest decision."""
        _, history = await self.service.call("GET", f"/v1/comments/{comment}/history")
        return dict(history["decisions"][-1])


@pytest_asyncio.fixture(loop_scope="session")
async def desk(fresh_database_url: str, running_engines: EngineAddresses) -> AsyncIterator[Desk]:
    async with running_service(fresh_database_url, running_engines.redis_url, policy=WORDS) as service:
        account = await add_account(service, {service.site.id: "lead"}, name="ليلى")
        colleague = await seed_moderator(service.database, {service.site.id: "moderator"})
        desk = Desk(service, str(service.client.make_url("")).rstrip("/"), account, colleague)
        await desk.run_sql("UPDATE moderators SET name = 'سامر' WHERE name IS NULL")
        yield desk


async def sign_in(page: Page, desk: Desk, path: str = "/console/?lang=ar") -> None:
    await page.open(f"{desk.url}{path}")
    await page.fill("[name=email]", desk.account.email)
    await page.fill("[name=password]", desk.account.password)
    await page.during_load(page.click("button.primary"))


async def at_the_desk(page: Page, desk: Desk, path: str = "/console/?lang=ar") -> None:
    await sign_in(page, desk, path)
    await page.until(READY)


async def press(page: Page, letter: str, *, shift: bool = False) -> None:
    await page.stroke(f"Key{letter}", ARABIC[letter], shift=shift)


async def reject(page: Page, digit: int) -> None:
    await press(page, "R")
    await page.until("document.querySelector('dialog.palette')")
    await page.stroke(f"Digit{digit}", "١٢٣٤٥٦٧٨٩"[digit - 1])


def unexpected(page: Page, *statuses: int) -> list[str]:
    """What the browser complained of, but for refusals that the test brought about."""
    return [fault for fault in page.faults if not any(f"status of {status}" in fault for status in statuses)]


async def test_an_arabic_keyboard_decides_and_takes_back(page: Page, desk: Desk) -> None:
    texts = ["تعليق أول على الخبر", "تعليق ثانٍ عن الطريق", "تعليق ثالث عن الماء"]
    first, second, third = await desk.submit(*texts)
    await at_the_desk(page, desk)
    assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert await page.evaluate(TEXT) == texts[0]
    await press(page, "A")
    assert await page.evaluate(TEXT) == texts[1]  # at once, whatever the network does
    await reject(page, 2)
    assert await page.evaluate(TEXT) == texts[2]
    await page.until(SENT)
    assert [await desk.state(one) for one in (first, second, third)] == ["approved", "rejected", "held"]
    assert [reason["code"] for reason in (await desk.decided(second))["reasons"]] == ["insult"]
    await press(page, "U")
    assert await page.evaluate(TEXT) == texts[1]
    await page.until(SENT)
    assert await desk.state(second) == "held"
    await press(page, "J")
    assert await page.evaluate(TEXT) == texts[2]
    assert "٢ من ٢" in await page.text(".place")
    assert page.faults == []
    assert all(url.startswith(desk.url) or url == "data:," for url in page.requested)


async def test_the_likeliest_reason_is_chosen_by_enter_and_many_at_once(page: Page, desk: Desk) -> None:
    (banned,) = await desk.submit("تعالوا إلى كازينو النورس الليلة")
    others = await desk.submit("كلام عادي عن المدينة", "كلام عادي عن البحر")
    await at_the_desk(page, desk)
    await press(page, "R")
    await page.until("document.querySelector('dialog.palette')")
    assert await page.evaluate("document.activeElement.dataset.reason") == "banned_word"
    await page.press("Enter")
    await page.until(f"!document.querySelector('dialog') && {SENT}")
    assert [reason["code"] for reason in (await desk.decided(banned))["reasons"]] == ["banned_word"]
    for _ in others:
        await press(page, "X")
        await press(page, "J")
    await press(page, "A", shift=True)
    await page.until("document.querySelector('dialog.confirm')")
    await page.press("Enter")
    await page.until("document.querySelector('#toasts').textContent.includes('قُبل تعليقان')")
    await page.until(EMPTY)
    await page.until(SENT)
    assert [await desk.state(one) for one in others] == ["approved", "approved"]


async def test_evidence_is_marked_where_it_is_behind_emoji(page: Page, desk: Desk) -> None:
    await desk.submit("😀👨‍👩‍👧 تعالوا إلى كازينو 😍 غدًا، وكازينو آخر بعد غد في المدينة القديمة 🔥")
    await at_the_desk(page, desk)
    marked = "[...document.querySelectorAll('.comment-text mark')].map((m) => m.textContent)"
    assert await page.evaluate(marked) == ["كازينو", "وكازينو"]
    cut = "import('/console/static/passages.js').then((m) => m.passages('a😀b😍c', [{start: 1, end: 3}, {start: 2, end: 9}]).map((p) => p.text))"
    assert await page.evaluate(cut) == ["a", "😀", "b", "😍c"]


async def test_what_readers_wrote_is_text_and_no_address_runs(page: Page, desk: Desk) -> None:
    author = {"name": HOSTILE, "email": "x@example.com"}
    thread = {"id": "9", "url": "https://news.example/9", "title": HOSTILE}
    (comment,) = await desk.submit(HOSTILE, author=author, thread=thread)
    script = "javascript:document.title='owned'"
    await desk.run_sql(
        "UPDATE comments SET author_url = $1", script
    )  # the service refuses such an address itself
    await at_the_desk(page, desk)
    assert await page.evaluate(TEXT) == HOSTILE
    assert HOSTILE in await page.text(".article-line")
    assert await page.evaluate("document.querySelectorAll('main img, main script').length") == 0
    for path in ("/console/", f"/console/comments/{comment}"):
        await page.open(desk.url + path)
        await page.until("document.querySelector('.author-line')")
        schemes = "[...document.querySelectorAll('a')].map((a) => a.protocol)"
        assert "javascript:" not in await page.evaluate(schemes)
        assert script in await page.text(".author-line")
        assert "owned" not in await page.evaluate("document.title")
    assert [fault for fault in page.faults if "Content Security" in fault or "Trusted" in fault] == []


async def test_marks_piled_on_a_letter_cover_nothing_else(page: Page, desk: Desk) -> None:
    await desk.submit("س" + "\u064b" * 200)
    await at_the_desk(page, desk)
    await page.until("document.querySelector('.record button')")
    box = await page.evaluate("document.querySelector('.author-line').getBoundingClientRect().toJSON()")
    clip = {name: box[name] for name in ("x", "y", "width", "height")} | {"scale": 1}
    piled = await page.call("Page.captureScreenshot", format="png", clip=clip)
    await page.evaluate("document.querySelector('.comment-text').textContent = 'س'; null")
    assert piled == await page.call("Page.captureScreenshot", format="png", clip=clip)


async def test_a_colleagues_decision_is_shown_and_replaced_only_knowingly(page: Page, desk: Desk) -> None:
    comments = await desk.submit(*(f"تعليق رقم {number} من سبعة تعليقات" for number in range(7)))
    await at_the_desk(page, desk)
    last = comments[-1]  # beyond what is reserved ahead
    decision = {"verdict": "reject", "reason": "off_topic", "revision": 1}
    status, _ = await desk.service.call(
        "POST", f"/v1/comments/{last}/decision", key=desk.colleague, json=decision
    )
    assert status == 200
    await page.click(f'[data-id="{last}"] .row')
    await press(page, "A")
    await page.until("document.querySelector('.toast.fault button')")
    assert await page.evaluate("document.querySelectorAll('.toast.plain').length") == 0
    await page.click(".toast.fault button")
    await page.until("document.querySelector('.notice.fault')?.textContent.includes('سامر')")
    assert await desk.state(last) == "rejected"
    await page.click(".notice.fault button.primary")
    await page.until(f"{SENT} && !document.querySelector('.notice.fault')")
    assert await desk.state(last) == "approved"
    assert unexpected(page, 409) == []


async def test_news_joins_the_list_without_moving_what_is_read(page: Page, desk: Desk) -> None:
    comments = await desk.submit(*(f"تعليق رقم {number} من كثيرة" for number in range(12)))
    await at_the_desk(page, desk)
    await page.click(f'[data-id="{comments[11]}"] .row')
    for decided in comments[10:]:  # at most ten are reserved
        body = {"verdict": "approve", "revision": 1}
        await desk.service.call("POST", f"/v1/comments/{decided}/decision", key=desk.colleague, json=body)
    (fresh,) = await desk.submit("تعليق جديد وصل الآن")
    await page.evaluate(LOOK)
    await page.until(f"document.querySelector('[data-id=\"{fresh}\"]')")
    await page.until(
        "document.querySelector('.pane .notice.wait')"
    )  # the one that is read stays, and says so
    assert await page.evaluate(TEXT) == "تعليق رقم 11 من كثيرة"
    shown = "[...document.querySelectorAll('.item')].map((item) => item.dataset.id)"
    assert await page.evaluate(shown) == [*comments[:10], comments[11], fresh]
    await press(page, "K")
    assert await page.evaluate(shown) == [*comments[:10], fresh]


async def test_what_is_reserved_is_given_back(page: Page, desk: Desk) -> None:
    first, second = await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    await at_the_desk(page, desk)
    body = {"verdict": "approve", "revision": 1}
    path = f"/v1/comments/{first}/decision"
    assert (await desk.service.call("POST", path, key=desk.colleague, json=body))[0] == 409
    await press(page, "S")
    await page.until("document.querySelector('.item.is-off')")
    assert await page.evaluate(TEXT) == "تعليق ثانٍ ينتظر"
    assert await answered(desk, path, body) == 200
    await page.open("about:blank")
    assert await answered(desk, f"/v1/comments/{second}/decision", body) == 200


async def answered(desk: Desk, path: str, body: dict[str, Any]) -> int:
    """Send until it is not refused for a claim any more; return the status."""
    until_s = time.monotonic() + 30
    while True:
        status, _ = await desk.service.call("POST", path, key=desk.colleague, json=body)
        if status != 409 or time.monotonic() > until_s:
            return status
        await asyncio.sleep(0.05)


async def test_an_edit_while_one_reads_shows_the_new_text(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("النص الأول قبل التعديل")
    await at_the_desk(page, desk)
    new = "النص الثاني بعد التعديل"
    await desk.service.call("PUT", f"/v1/comments/{comment}", json={"text": new})
    await press(page, "A")
    await page.until("document.querySelector('.notice.fault')")
    assert await page.evaluate(TEXT) == new
    assert (
        await page.evaluate("document.querySelector('.notice .quoted').textContent")
        == "النص الأول قبل التعديل"
    )
    assert await desk.state(comment) == "held"
    await press(page, "A")  # meant for what stood there before
    assert await page.evaluate(TEXT) == new
    await page.until("!document.querySelector('.actions').inert")
    await press(page, "A")
    await page.until(f"{EMPTY} && {SENT}")
    assert await desk.state(comment) == "approved"


async def test_an_edit_that_the_page_learns_of_is_shown_before_it_is_decided(page: Page, desk: Desk) -> None:
    comments = await desk.submit("النص الأول قبل التعديل", "تعليق آخر ينتظر")
    await at_the_desk(page, desk)
    await page.stroke("KeyX", ARABIC["X"])
    await desk.service.call("PUT", f"/v1/comments/{comments[0]}", json={"text": "النص الثاني بعد التعديل"})
    await page.evaluate(LOOK)
    await page.until("document.querySelector('.notice.fault')")
    assert await page.evaluate(TEXT) == "النص الثاني بعد التعديل"
    await page.until("!document.querySelector('.actions').inert")
    await press(page, "A", shift=True)  # selected on the text before
    await page.until("document.querySelector('dialog.confirm')")
    await page.press("Enter")
    await page.until("document.querySelector('.toast.fault')")
    assert await desk.state(comments[0]) == "held"
    assert unexpected(page) == []


LOSE_ANSWER = (
    "window.n = 0; window.send = window.fetch; window.fetch = async (path, options) => { const answer = await send(path, options);"
    " if (path.endsWith('/%s') && n++ === 0) throw new TypeError('lost'); return answer; }; null"
)


async def test_an_undo_takes_back_ones_own_decision_and_no_other(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق للتراجع", "تعليق آخر ينتظر")
    admin = await seed_moderator(desk.service.database, {desk.service.site.id: "admin"})
    await at_the_desk(page, desk)
    await press(page, "A")
    await page.until(SENT)
    decision = {"verdict": "reject", "reason": "hate", "revision": 1}
    path = f"/v1/comments/{comment}/decision"
    sequence = (await desk.service.call("POST", path, key=admin, json=decision))[1]["sequence"]
    await desk.service.call("POST", path, key=admin, json=decision | {"sequence": sequence})
    await press(page, "U")
    await page.until("document.querySelector('.toast.fault')")
    assert await desk.state(comment) == "rejected"
    assert unexpected(page, 409) == []


async def test_a_lead_who_repeats_a_colleagues_decision_takes_back_none(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق قبله زميل", "تعليق آخر ينتظر")
    await at_the_desk(page, desk)
    decision = {"verdict": "approve", "revision": 1}
    await desk.run_sql("UPDATE tasks SET claimed_by = NULL, claim_id = NULL, claim_expires_at = NULL")
    await desk.service.call("POST", f"/v1/comments/{comment}/decision", key=desk.colleague, json=decision)
    await press(page, "A")
    await page.until(SENT)
    await press(page, "U")
    await page.until("document.querySelector('.toast.fault')")
    assert await desk.state(comment) == "approved"


async def test_a_decision_whose_answer_was_lost_is_taken_back_nonetheless(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق يضيع جوابه", "تعليق آخر ينتظر")
    await at_the_desk(page, desk)
    await page.evaluate(LOSE_ANSWER % "decision")
    await press(page, "A")
    await page.until("document.querySelector('#status').dataset.state === 'retrying'")
    assert await desk.state(comment) == "approved"
    await press(page, "U")
    await page.until(f"n === 2 && {SENT}")
    assert await desk.state(comment) == "held"
    assert await page.evaluate(TEXT) == "تعليق يضيع جوابه"


async def test_an_undo_whose_answer_was_lost_is_no_fault(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق يضيع جواب تراجعه", "تعليق آخر ينتظر")
    await at_the_desk(page, desk)
    await press(page, "A")
    await page.until(SENT)
    await page.evaluate(LOSE_ANSWER % "undo")
    await press(page, "U")
    await page.until(f"n === 2 && {SENT}")
    assert await desk.state(comment) == "held"
    assert await page.evaluate("document.querySelectorAll('.toast.fault').length") == 0
    assert await page.evaluate("document.querySelectorAll('.item').length") == 2


async def test_nothing_is_sent_in_the_name_of_who_signed_in_meanwhile(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق أول ينتظر", "تعليق ثانٍ ينتظر")
    other = await add_account(desk.service, {desk.service.site.id: "moderator"}, name="غادة")
    await at_the_desk(page, desk)
    await page.evaluate(
        "fetch('/console/sign-in', {method: 'POST', body: new URLSearchParams("
        f"{{email: '{other.email}', password: '{other.password}'}})}}).then((answer) => answer.status)"
    )
    await desk.run_sql("UPDATE tasks SET claim_expires_at = now() - interval '1 second'")
    await page.during_load(press(page, "A"))
    await page.until("document.querySelector('.account summary')?.textContent.includes('غادة')")
    await page.until(READY)
    assert await desk.state(comment) == "held"


async def test_an_audit_stays_blind_when_its_text_was_edited(page: Page, desk: Desk) -> None:
    await desk.submit("تعالوا إلى كازينو النورس الليلة وغدًا في المدينة")
    await desk.run_sql("UPDATE tasks SET kind = 'audit'")
    await at_the_desk(page, desk, "/console/?kind=audit")
    await desk.run_sql("UPDATE comments SET revision = 2")
    await desk.run_sql("UPDATE tasks SET revision = 2")
    await press(page, "A")
    await page.until("document.querySelector('.notice.fault')")
    assert await page.evaluate("document.querySelectorAll('.pane mark, .pane .verdict').length") == 0


async def test_a_page_of_strangers_closes_nothing(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر القرار")
    await at_the_desk(page, desk)
    closed = await page.evaluate("""import('/console/static/queue.js').then(async ({ Queue }) => {
      const entry = (id) => ({ id, comment: { id, sequence: 1, revision: 1 }, task: { kind: 'held' } });
      const queue = new Queue({ site: 'x', order: 'abuse' }, { has: () => false, count: 0 });
      queue.entries = ['a', 'b', 'c'].map(entry);
      queue.page = async () => ({ items: ['n', 'm'].map(entry), next: 'more' });
      await queue.refresh('b');
      return queue.entries.map((one) => [one.id, Boolean(one.isClosed)]);
    })""")
    assert closed == [["a", False], ["b", False], ["c", False]]


async def test_an_undo_is_sent_when_the_queue_cannot_be_shown(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق يليه عطل", "تعليق آخر ينتظر")
    await at_the_desk(page, desk)
    await press(page, "A")
    await page.until(SENT)
    await page.call("Network.setBlockedURLs", urls=["*/v1/queue*"])
    await page.click("[data-kind=held]")
    await page.until("document.querySelector('.empty[role=alert]')")
    await press(page, "U")
    await page.until("document.querySelector('#toasts').textContent.includes('تراجعت')")
    await page.until("document.querySelector('#status').dataset.state !== 'sending'")
    assert await desk.state(comment) == "held"
    await page.call("Network.setBlockedURLs", urls=[])
    await page.click("[data-kind='']")
    await page.until(READY)
    assert unexpected(page) == []


async def test_of_many_those_that_fail_come_back_and_the_rest_can_be_taken_back(
    page: Page, desk: Desk
) -> None:
    comments = await desk.submit(*(f"تعليق رقم {number} من كثيرة" for number in range(12)))
    await at_the_desk(page, desk)
    body = {"verdict": "reject", "reason": "hate", "revision": 1}
    await desk.service.call("POST", f"/v1/comments/{comments[-1]}/decision", key=desk.colleague, json=body)
    for comment in (comments[0], comments[-1]):
        await page.click(f'[data-id="{comment}"] .pick')
    await press(page, "A", shift=True)
    await page.until("document.querySelector('dialog.confirm')")
    await page.press("Enter")
    await page.until(f"document.querySelector('.item.is-faulty') && {SENT}")
    assert await page.evaluate("document.querySelector('.item.is-faulty').dataset.id") == comments[-1]
    assert [await desk.state(one) for one in (comments[0], comments[-1])] == ["approved", "rejected"]
    await press(page, "U")
    await page.until(f"document.querySelector('[data-id=\"{comments[0]}\"]') && {SENT}")
    assert [await desk.state(one) for one in (comments[0], comments[-1])] == ["held", "rejected"]


async def test_a_moderator_is_offered_what_a_moderator_may(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر القرار")
    await desk.run_sql("UPDATE moderator_roles SET role = 'moderator'")
    await at_the_desk(page, desk)
    assert await page.evaluate(
        "[...document.querySelectorAll('.kind')].map((kind) => kind.dataset.kind)"
    ) == [
        "",
        "held",
        "audit",
    ]
    await press(page, "W")
    await page.until("document.querySelector('.author-panel')")
    assert await page.evaluate("document.querySelectorAll('.author-panel button').length") == 0


async def test_a_service_that_is_away_is_said_and_asked_again(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر القرار")
    await sign_in(page, desk)
    await page.call("Network.setBlockedURLs", urls=["*/v1/queue*"])
    await page.open(f"{desk.url}/console/")
    await page.until("document.querySelector('.empty[role=alert]')")
    assert "لا اتصال بالخدمة" in await page.text(".empty")
    assert await page.evaluate("document.querySelector('.list-toggle').textContent") == "القائمة"
    await page.call("Network.setBlockedURLs", urls=[])
    await page.click(".empty button")
    await page.until(READY)


async def test_nothing_is_lost_without_a_network_or_a_session(page: Page, desk: Desk) -> None:
    first, second = await desk.submit("تعليق قبل الانقطاع", "تعليق بعد الانقطاع")
    await at_the_desk(page, desk)
    await page.call("Network.setBlockedURLs", urls=["*/decision"])
    await press(page, "A")
    await page.until("document.querySelector('#status').dataset.state === 'retrying'")
    assert "قرار لم يُرسل بعد" in await page.text("#status")
    assert await desk.state(first) == "held"
    await page.call("Network.setBlockedURLs", urls=[])
    await page.until(SENT)
    assert await desk.state(first) == "approved"
    await desk.run_sql("DELETE FROM sessions")
    await page.during_load(press(page, "A"))
    await page.until("location.pathname === '/console/sign-in'")
    assert "لم تُرسل محفوظة" in await page.text(".notice")
    assert await desk.state(second) == "held"
    await page.fill("[name=email]", desk.account.email)
    await page.fill("[name=password]", desk.account.password)
    await page.during_load(page.click("button.primary"))
    await page.until(f"{EMPTY} && {SENT}")
    assert await desk.state(second) == "approved"


async def test_a_busy_service_is_asked_again_when_it_says(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعليق في ساعة الزحام")
    await at_the_desk(page, desk)
    await page.evaluate(
        "window.times = []; const send = window.fetch; window.fetch = (path, options) => { if (!path.endsWith('/decision'))"
        " return send(path, options); times.push(performance.now()); return times.length === 1 ? Promise.resolve(new Response("
        "'{}', {status: 429, headers: {'Retry-After': '2'}})) : send(path, options); }; null"
    )
    await press(page, "A")
    await page.until(f"times.length === 2 && {SENT}")
    assert await page.evaluate("times[1] - times[0]") >= 2000
    assert await desk.state(comment) == "approved"


async def test_an_audit_is_blind_and_an_escalation_says_why(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعالوا إلى كازينو النورس الليلة")
    await at_the_desk(page, desk)
    await press(page, "E")
    await page.until("document.querySelector('dialog textarea')")
    await page.call("Input.insertText", text="لست متأكدًا منه")
    await page.click("dialog button.primary")
    await page.until(SENT)
    await page.open(f"{desk.url}/console/?kind=escalated")
    await page.until("document.querySelector('.notice q')?.textContent === 'لست متأكدًا منه'")
    await press(page, "E")
    await page.until("document.querySelector('.toast')?.textContent.includes('رُفع إلى المسؤولين من قبل')")
    await press(page, "H")
    await page.until(f"{EMPTY} && {SENT}")
    await desk.run_sql("UPDATE tasks SET kind = 'audit'")
    await page.open(f"{desk.url}/console/?kind=audit")
    await page.until("document.querySelector('.notice.info')")
    assert await page.evaluate("document.querySelectorAll('.verdict, mark, .pane .tag').length") == 0
    await press(page, "R")
    await page.until("document.querySelector('dialog.palette')")
    assert await page.evaluate("document.querySelectorAll('.is-likely').length") == 0
    await page.stroke("Escape", "Escape")
    assert await desk.state(comment) == "held"


async def test_the_page_of_an_audit_is_blind_until_it_is_decided(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعالوا إلى كازينو النورس الليلة")
    await desk.run_sql("UPDATE tasks SET kind = 'audit'")
    await at_the_desk(page, desk, "/console/?kind=audit&lang=ar")
    await press(page, "O")
    await page.until("document.querySelector('.single .notice.info')")
    led = ".single .state, .single .verdict, .single mark, .history li, .author-panel"
    assert await page.evaluate(f"document.querySelectorAll('{led}').length") == 0
    await press(page, "A")
    await page.until("document.querySelector('.single .state.is-approved')")
    assert await page.evaluate("document.querySelectorAll('.history li').length") == 2
    assert await desk.state(comment) == "approved"
    assert page.faults == []


async def test_a_lead_sees_who_wrote_it_blocks_them_and_finds_the_rest(page: Page, desk: Desk) -> None:
    author = {"name": "أبو خالد", "email": "khaled@example.com"}
    first, _ = await desk.submit("تعليق قديم عن الترام", "تعليق جديد عن الكورنيش", author=author)
    await desk.submit("تعليق لغيره عن الترام")
    await make_entries(desk.service)
    await at_the_desk(page, desk)
    await page.until("document.querySelector('.record button')")  # after staying with it for a moment
    await press(page, "W")
    await page.until("document.querySelector('.author-panel .result')")
    assert "٠" not in await page.text(".record")  # an Arabic zero looks like a dot
    assert "تعليق جديد عن الكورنيش" in await page.text(".author-panel")
    await page.click(".author-panel .row button")
    await page.until("document.querySelector('dialog textarea')")
    await page.click("dialog button.primary")
    await page.until("document.querySelector('.record')?.textContent.includes('محظور')")
    _, said = await desk.service.call("GET", f"/v1/comments/{first}/author", key=desk.colleague)
    assert said["standings"]["email"] == "blocked"
    await page.until("document.querySelector('.author-panel a[href*=search]')")
    await page.click(".author-panel a[href*=search]")
    await page.until("document.querySelectorAll('.found .result').length === 2")
    await page.click(".search-form + p button")
    await page.fill("#search-field", "الترام")
    await page.press("Enter")
    await page.until("document.querySelectorAll('.found .result').length === 2")
    assert "تعليق لغيره عن الترام" in await page.text(".found")
    assert page.faults == []


async def test_a_search_that_found_nothing_so_far_goes_on(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق قديم عن الترام")
    await make_entries(desk.service)
    await sign_in(page, desk, "/console/search?lang=ar")
    await page.evaluate(
        "window.n = 0; const send = window.fetch; window.fetch = (path, options) => path.startsWith('/v1/search?') && n++ === 0"
        " ? Promise.resolve(new Response(JSON.stringify({items: [], next: 'ffffffff-ffff-7fff-bfff-ffffffffffff'}))) : send(path, options); null"
    )
    await page.until("document.querySelector('#search-field')")
    await page.fill("#search-field", "الترام")
    await page.press("Enter")
    await page.until("document.querySelector('.found button')")
    assert "حتى الآن" in await page.text(".found")
    await page.click(".found button")
    await page.until("document.querySelectorAll('.found .result').length === 1")
    assert await page.evaluate("document.activeElement.className") == "result"
    await page.until("document.querySelector('#live').textContent === 'نتيجة واحدة'")
    assert page.faults == []


async def test_the_comments_own_page_decides_and_takes_back(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعليق على صفحته")
    await sign_in(page, desk, f"/console/comments/{comment}?lang=ar")
    await page.until("document.querySelector('.history li')")
    assert await page.text(".state") == "بانتظار القرار"
    await press(page, "A")
    await page.until("document.querySelector('.state.is-approved')")
    assert "أنت: القبول" in await page.text(".history")
    await press(page, "U")
    await page.until("document.querySelector('.state.is-held')")
    assert await desk.state(comment) == "held"
    await press(page, "E")
    await page.until("document.querySelector('dialog textarea')")
    await page.call("Input.insertText", text="للمسؤولين")
    await page.click("dialog button.primary")
    await page.until("document.querySelector('.history').textContent.includes('رفعه إلى المسؤولين')")
    assert "تصعيد" not in await page.text(
        ".actions"
    )  # a second note would be dropped, for it is with them already
    await press(page, "E")
    await page.until("document.querySelector('#toasts').textContent.includes('رُفع إلى المسؤولين من قبل')")
    await press(page, "H")
    await page.until("document.querySelector('.actions').textContent.includes('تصعيد')")
    await page.stroke("Escape", "Escape")
    await page.until(READY)
    assert page.faults == []


async def test_what_a_dialog_asks_ends_with_its_page(page: Page, desk: Desk) -> None:
    first, second = await desk.submit("تعليق الصفحة الأولى", "تعليق الصفحة الثانية")
    shown = "document.querySelector('.single .comment-text')?.textContent"
    await sign_in(page, desk, f"/console/comments/{first}?lang=ar")
    await page.until(f"{shown} === 'تعليق الصفحة الأولى'")
    await page.evaluate(f"history.pushState(null, '', '/console/comments/{second}')")
    await page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    await page.until(f"{shown} === 'تعليق الصفحة الثانية'")
    await press(page, "R")
    await page.until("document.querySelector('dialog.palette')")
    await page.evaluate("history.back()")
    await page.until(f"{shown} === 'تعليق الصفحة الأولى'")
    await page.stroke("Digit2", "٢")
    assert await page.evaluate("document.querySelectorAll('dialog').length") == 0
    await page.until(SENT)
    assert [await desk.state(one) for one in (first, second)] == ["held", "held"]
    assert page.faults == []


async def test_what_is_selected_is_decided_in_its_own_list_or_not_at_all(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعليق محدد")
    await at_the_desk(page, desk, "/console/?kind=held&lang=ar")
    await press(page, "X")
    await press(page, "A", shift=True)
    await page.until("document.querySelector('dialog.confirm')")
    await page.evaluate("history.replaceState(null, '', '/console/')")
    await page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    assert await page.evaluate("document.querySelectorAll('dialog').length") == 0
    await page.until(f"{READY} && {SENT}")
    assert await desk.state(comment) == "held"
    assert page.faults == []


async def test_a_colleagues_decision_is_told_on_the_comments_own_page(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعليق على صفحته")
    await sign_in(page, desk, f"/console/comments/{comment}?lang=ar")
    await page.until("document.querySelector('.history li')")
    body = {"verdict": "approve", "revision": 1}
    path = f"/v1/comments/{comment}/decision"
    assert (await desk.service.call("POST", path, key=desk.colleague, json=body))[0] == 200
    await reject(page, 2)
    await page.until("document.querySelector('.notice.fault')?.textContent.includes('سامر')")
    assert "إهانة" in await page.text(".notice.fault button")
    await page.click(".notice.fault button")
    await page.until("document.querySelector('.state.is-rejected')")
    assert await desk.state(comment) == "rejected"


async def test_a_decision_waits_while_whose_page_it_is_cannot_be_told(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعليق في ساعة الزحام")
    await at_the_desk(page, desk)
    await page.evaluate(
        "window.n = 0; const send = window.fetch; const cut = () => new ReadableStream({start: (c) => c.error(new TypeError('cut'))});"
        " window.fetch = async (path, options) => path === '/console/' ? (n === 1 ? new Response('', {status: 503}) : new Response(cut()))"
        " : path.endsWith('/decision') && n++ < 2 ? new Response('{}', {status: 403}) : send(path, options); null"
    )
    await press(page, "A")
    for times in (1, 2):
        await page.until(f"n === {times} && document.querySelector('#status').dataset.state === 'retrying'")
    await page.until(SENT)
    assert await desk.state(comment) == "approved"
    assert page.faults == []


async def test_what_fails_while_an_answer_is_shown_is_no_refusal_and_stops_nothing(
    page: Page, desk: Desk
) -> None:
    await at_the_page_of_nothing(page, desk)
    told = await page.evaluate("""import('/console/static/outbox.js').then(async ({ Outbox }) => {
      const statuses = { '/a': 204, '/b': 409, '/c': 204 };
      window.fetch = async (path) => new Response(null, { status: statuses[path] });
      const told = [];
      const tell = (how) => (order) => { told.push([how, order.path]); throw new Error('drawing'); };
      const box = new Outbox({ key: 'test', settled: tell('settled'), refused: tell('refused'), changed: () => {} });
      ['/a', '/b', '/c'].forEach((path) => box.add({ id: path, ids: ['one'], method: 'POST', path, body: {} }));
      for (let turn = 0; turn < 100 && box.orders.length; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return told;
    })""")
    assert told == [["settled", "/a"], ["refused", "/b"], ["settled", "/c"]]


async def at_the_page_of_nothing(page: Page, desk: Desk) -> None:
    await sign_in(page, desk)
    await page.until(EMPTY)


async def test_an_undo_is_refused_where_no_queue_is_shown(page: Page, desk: Desk) -> None:
    comment, _ = await desk.submit("تعليق يليه عطل", "تعليق آخر ينتظر")
    admin = await seed_moderator(desk.service.database, {desk.service.site.id: "admin"})
    await at_the_desk(page, desk)
    await press(page, "A")
    await page.until(SENT)
    sequence = (await desk.decided(comment))["sequence"]
    decision = {"verdict": "reject", "reason": "hate", "revision": 1, "sequence": sequence}
    path = f"/v1/comments/{comment}/decision"
    assert (await desk.service.call("POST", path, key=admin, json=decision))[0] == 200
    await page.call("Network.setBlockedURLs", urls=["*/v1/queue*"])
    await page.click("[data-kind=held]")
    await page.until("document.querySelector('.empty[role=alert]')")
    await press(page, "U")
    await page.until("document.querySelector('#toasts').textContent.includes('لم يُقبل التراجع')")
    await page.until("document.querySelector('#status').dataset.state !== 'sending'")
    assert unexpected(page, 409) == []


async def test_a_dialog_stays_where_its_own_edge_is_clicked(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر")
    await at_the_desk(page, desk)
    await press(page, "E")
    await page.until("document.querySelector('dialog textarea')")
    box = "document.querySelector('dialog').getBoundingClientRect()"
    x, y = await page.evaluate(f"[{box}.left, {box}.top]")
    for dx, dy, is_open in ((4, 4, True), (-40, -40, False)):
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": x + dx, "y": y + dy}
            await page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
        assert await page.evaluate("document.querySelector('dialog') !== null") is is_open


@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
async def test_pages_fit_and_can_be_read_and_touched(
    chromium: Chromium, desk: Desk, lang: str, width: int
) -> None:
    (comment,) = await desk.submit("كلمةطويلة" * 60 + " https://shop.example/" + "a" * 200)
    await desk.submit("تعالوا إلى كازينو النورس 😀", "🔥🔥🔥")
    named = {"name": "عبد الرحمن بن عبد العزيز بن محمد الهاشمي القرشي " * 3, "email": "x@example.com"}
    await desk.submit("اسمي طويل", author=named)
    await make_entries(desk.service)
    async with chromium.page(width=width, height=844) as page:
        await page.open(f"{desk.url}/console/?lang={lang}")
        await fits(page, width)
        await page.fill("[name=email]", desk.account.email)
        await page.fill("[name=password]", desk.account.password)
        await page.during_load(page.click("button.primary"))
        await page.until(READY)
        await fits(page, width)
        await press(page, "J")
        await fits(page, width)
        if width < 600:
            await page.click(".list-toggle")
            await fits(page, width)
        await page.open(f"{desk.url}/console/comments/{comment}")
        await page.until("document.querySelector('.history li')")
        await page.until("document.querySelectorAll('.rest .result').length === 3")
        await fits(page, width)
        await page.open(f"{desk.url}/console/search?q=طويل")
        await page.until("document.querySelector('.found .result')")
        await fits(page, width)


async def fits(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate(FAINT) == []
    small = (
        "[...document.querySelectorAll('button, select, summary, .field input')]"
        ".filter((e) => e.offsetParent && !e.matches('.chip, .figures summary') && e.offsetHeight < 44).map((e) => e.outerHTML)"
    )
    if width < 600:
        assert await page.evaluate(small) == []
    unnamed = "[...document.querySelectorAll('button, select, input:not([type=hidden])')].filter((e) => e.offsetParent && !e.textContent.trim() && !e.ariaLabel && !e.labels?.length).map((e) => e.outerHTML)"
    assert await page.evaluate(unnamed) == []


async def test_the_language_is_switched_and_one_signs_out(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر")
    await at_the_desk(page, desk)
    await page.click("[data-kind=held]")
    await page.until(f"location.search.includes('held') && {READY}")
    await page.click(".account summary")
    await page.during_load(page.click(".menu a"))
    await page.until(READY)
    assert await page.evaluate("new URLSearchParams(location.search).get('kind')") == "held"
    assert await page.evaluate("document.documentElement.dir") == "ltr"
    assert "Approve" in await page.text(".actions")
    await page.click(".account summary")
    await page.during_load(page.click(".menu form button"))
    await page.open(f"{desk.url}/console/search?q=x")
    assert await page.evaluate("location.pathname") == "/console/sign-in"
    assert await page.evaluate("document.documentElement.lang") == "en"
    await page.during_load(page.click(".twin a"))
    assert await page.evaluate("document.documentElement.lang") == "ar"
    assert await page.evaluate("document.querySelector('[name=next]').value") == "/console/search?q=x"


async def test_a_list_that_arrives_late_leaves_the_menu_open(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر")
    await at_the_desk(page, desk)
    await page.evaluate(
        "(() => { const send = fetch; const held = new Promise((go) => { window.release = go; });"
        " window.fetch = (...said) => held.then(() => send(...said)); })()"
    )
    await page.click("[data-kind=held]")
    await page.until(f"!({TEXT})")
    await page.click(".account summary")
    await page.until("document.querySelector('.account').open")
    await page.evaluate("window.release()")
    await page.until(TEXT)
    assert await page.evaluate("document.querySelector('.account').open")


async def test_what_readers_write_keeps_its_place_and_hides_nothing(page: Page, desk: Desk) -> None:
    long_name = {
        "name": "محمد عبد الرحمن بن عبد العزيز آل فلان الحسيني الهاشمي القرشي",
        "email": "long@example.com",
    }
    await desk.submit("نص عادي ثم \u202eexe.gnp.scod\u202c ثم كلام", author=long_name)
    await desk.submit("أول الكلام" + "\n \n" * 60 + "آخره", "تعليق بلا حيل")
    await at_the_desk(page, desk)
    assert await page.evaluate(
        "(() => { const list = document.querySelector('.list').getBoundingClientRect();"
        " const time = document.querySelector('.row time').getBoundingClientRect();"
        " return list.left <= time.left && time.right <= list.right && time.width > 0; })()"
    )
    turned = "[...document.querySelectorAll('.pane .notice')].some((one) => one.textContent.includes('علامات خفية'))"
    assert await page.evaluate(turned)
    await press(page, "J")
    assert await page.evaluate(TEXT) == "أول الكلام\n\nآخره"
    assert not await page.evaluate(turned)


async def test_an_address_without_a_comment_says_so_and_offers_no_second_try(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق")
    await at_the_desk(page, desk)
    await page.open(f"{desk.url}/console/comments/01a224ed-0000-76b3-aa20-2e13acbf7524")
    await page.until("document.querySelector('.single .empty')")
    assert (
        await page.text(".single .empty") == "لا شيء هنا\nلا تعليق بهذا العنوان في المواقع التي تعمل عليها."
    )
    assert unexpected(page, 404) == []


async def test_a_list_that_cannot_be_read_on_is_not_called_empty(page: Page, desk: Desk) -> None:
    lines = [json.dumps(written(f"تعليق رقم {n}")) for n in range(52)]
    async with desk.service.request("POST", "/v1/comments/batch", data="\n".join(lines)) as answer:
        assert (await answer.text()).count('"held"') == 52
    await at_the_desk(page, desk)
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await page.call("Network.emulateNetworkConditions", offline=True, **offline)
    for _ in range(50):
        await press(page, "A")
    await page.until("document.querySelector('.pane .empty[role=alert]')")
    assert "لا شيء ينتظر" not in await page.text(".pane")
    await page.call("Network.emulateNetworkConditions", offline=False, **offline)
    await page.until(f"{READY} && {SENT}")
    assert await page.evaluate("document.querySelectorAll('.list .item').length") == 2


async def test_two_who_work_at_once_do_not_meet_at_every_comment(page: Page, desk: Desk) -> None:
    texts = [f"تعليق رقم {n} من ستة عشر" for n in range(16)]
    await desk.submit(*texts)
    await at_the_desk(page, desk)  # five are reserved here, and all sixteen shown
    claim = {"site": desk.service.site.name, "limit": 5}
    status, theirs = await desk.service.call("POST", "/v1/queue/claim", key=desk.colleague, json=claim)
    assert (status, theirs["items"][0]["comment"]["text"]) == (200, texts[5])
    for _ in range(4):
        await press(page, "A")
    await page.until("document.querySelectorAll('.item.is-off').length === 5")
    await page.click(".item.is-off .row")
    assert "هذا التعليق عند زميل الآن." in await page.text(
        ".pane"
    )  # whose it is, and until when, is not known yet
    await page.click(".item:not(.is-off) .row")
    await press(page, "A")
    assert await page.evaluate(TEXT) == texts[10]
    await page.until(SENT)
    assert page.faults == []


async def test_what_a_colleague_is_known_to_have_is_said_and_not_sent(page: Page, desk: Desk) -> None:
    first, second = await desk.submit("تعليق عند زميل", "تعليق آخر ينتظر")
    claim = {"site": desk.service.site.name, "limit": 1}
    await desk.service.call("POST", "/v1/queue/claim", key=desk.colleague, json=claim)
    await at_the_desk(page, desk)
    await page.click(f'[data-id="{first}"] .row')
    notice = r"/^هذا التعليق عند سامر حتى [٠-٩]+:[٠-٩]+ [صم]\.$/u.test(document.querySelector('.notice.wait')?.textContent)"
    await page.until(notice)
    for letter in ("A", "R"):
        await page.evaluate("document.querySelectorAll('.toast').forEach((toast) => toast.remove())")
        await press(page, letter)
        await page.until("document.querySelector('.toast')?.textContent.includes('هذا التعليق عند')")
    assert await page.evaluate(TEXT) == "تعليق عند زميل"
    assert [await desk.state(one) for one in (first, second)] == ["held", "held"]
    await desk.run_sql("UPDATE tasks SET claim_expires_at = now() - interval '1 second'")
    await page.evaluate(LOOK)
    await page.until("!document.querySelector('.item.is-off')")
    await page.until("!document.querySelector('.actions').inert")
    await press(page, "A")
    await page.until(f"{TEXT} === 'تعليق آخر ينتظر' && {SENT}")
    assert await desk.state(first) == "approved"
    assert page.faults == []


async def test_what_one_reserved_in_another_tab_is_not_a_colleagues(page: Page, desk: Desk) -> None:
    texts = [f"تعليق رقم {n} من عشرين" for n in range(20)]
    await desk.submit(*texts)
    await sign_in(page, desk, "/console/search?lang=ar")
    await page.until("document.querySelector('.search-form')")
    claim = json.dumps({"site": desk.service.site.name, "limit": 5})
    proof = "document.querySelector('meta[name=csrf-token]').content"
    headers = f"{{ 'Content-Type': 'application/json', 'X-CSRF-Token': {proof} }}"
    sent = f"fetch('/v1/queue/claim', {{ method: 'POST', headers: {headers}, body: {json.dumps(claim)} }})"
    status = await page.evaluate(f"{sent}.then((answer) => answer.status)")
    assert status == 200
    await page.open(f"{desk.url}/console/?lang=ar")
    await page.until(f"{READY} && {TEXT} === '{texts[0]}'")
    await asyncio.sleep(1)  # what is reserved ahead has come
    assert await page.evaluate("document.querySelectorAll('.item.is-off').length") == 0
    await press(page, "A")
    await page.until(SENT)
    assert page.faults == []


async def test_what_is_asked_for_under_a_long_comment_comes_into_sight(page: Page, desk: Desk) -> None:
    texts = ("كلام طويل عن المدينة وأهلها وما جرى فيها. " * 60, "تعليق آخر", "وتعليق ثالث له")
    await desk.submit(*texts, author={"name": "قارئ", "email": "same@example.com"})
    await make_entries(desk.service)
    await at_the_desk(page, desk)
    await page.resize(390, 700)
    await page.until("!document.querySelector('.rest-of-text').hidden")
    await press(page, "W")
    await page.until("document.querySelector('.author-panel')")
    await page.until(
        "(() => { const r = document.querySelector('.author-panel').getBoundingClientRect();"
        " const pane = document.querySelector('.pane-scroll').getBoundingClientRect();"
        " return r.top < pane.bottom && r.bottom > pane.top; })()"
    )
    # The text has ended above: what goes on below is not it.
    await page.evaluate("document.querySelector('.author-panel').scrollIntoView()")
    box = "getBoundingClientRect()"
    above = (
        f"document.querySelector('.text-end').{box}.bottom < document.querySelector('.pane-scroll').{box}.top"
    )
    await page.until(above)
    await page.until("document.querySelector('.rest-of-text').hidden")


async def test_what_a_colleague_passed_on_since_is_counted_among_what_waits(page: Page, desk: Desk) -> None:
    first, _ = await desk.submit("تعليق يُرفع", "تعليق ينتظر")
    await at_the_desk(page, desk)
    counts = "[...document.querySelectorAll('.kinds [data-count]')].map((e) => e.textContent).join(' ')"
    await page.until(f"{counts} === '٢ ٢  '")
    await page.evaluate(
        f"(async () => {{ const real = fetch; const counted = '/v1/queue/counts?site={desk.service.site.name}';"
        " const old = await (await real(counted)).text(); const again = () => new Response(old, { headers: { 'Content-Type': 'application/json' } });"
        " window.fetch = async (url, ...rest) => (String(url).includes('/queue/counts') ? again() : real(url, ...rest)); })()"
    )
    await desk.run_sql("UPDATE tasks SET kind = 'escalated' WHERE comment_id = $1", UUID(first))
    await page.evaluate(LOOK)
    await page.until("document.querySelector('.item .is-escalated')")
    await page.until("!document.querySelector('.actions').inert")
    await press(page, "A")
    await page.until(f"{counts} === '١ ١  '")


async def test_what_is_read_for_long_grows_older_beside_its_row(page: Page, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر")
    await at_the_desk(page, desk)
    ages = (
        "[...document.querySelectorAll('.author-line time, .row-head time')].map((e) => e.textContent).join()"
    )
    assert await page.evaluate(ages) == "الآن,الآن"
    await page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 3_600_000; })()")
    await press(page, "D")  # somebody is back, so the page looks for news
    await page.until(f"{ages} === 'قبل ساعة واحدة,قبل ساعة واحدة'")


async def test_the_question_for_a_reason_can_be_left_by_touch(page: Page, desk: Desk) -> None:
    (comment,) = await desk.submit("تعليق ينتظر")
    await at_the_desk(page, desk)
    await press(page, "R")
    await page.until("document.querySelector('dialog.palette')")
    await page.click("dialog.palette .row button")
    await page.until("!document.querySelector('dialog')")
    assert await desk.state(comment) == "held"


async def test_the_same_fault_is_told_once(page: Page, desk: Desk) -> None:
    lines = [json.dumps(written(f"تعليق رقم {n}")) for n in range(53)]
    async with desk.service.request("POST", "/v1/comments/batch", data="\n".join(lines)) as answer:
        assert (await answer.text()).count('"held"') == 53
    await at_the_desk(page, desk)
    await page.evaluate("document.querySelector('.list-scroll').scrollTop = 1e6")
    await page.until("document.querySelectorAll('.list .item').length === 53")
    await page.evaluate("window.fetch = () => new Promise(() => {}); null")
    for _ in range(53):
        await press(page, "A")
    assert await page.evaluate("document.querySelectorAll('.toast.fault').length") == 1
