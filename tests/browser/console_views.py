"""What the console can show, one opener for each: pages, dialogs, and what may come in between, with real comments behind them."""

from collections.abc import Awaitable, Callable

import pyotp

from moderation.domain.clock import utc_now
from moderation.storage.administration.passwords import invite
from tests.browser.chromium import Page
from tests.browser.test_console import EMPTY, READY, SENT, Desk, at_the_desk, press, sign_in
from tests.console import make_entries

TEXTS = [
    "يا جماعة الموضوع ما يستاهل كل هذا، روحوا شوفوا الشارع كيف صار بعد المطر وبعدين احكوا 😅",
    "تعالوا إلى كازينو النورس الليلة واربحوا، التسجيل هنا https://casino.example/win?ref=12 ولا تفوّتوا العرض",
    "أنت حمار ومنافق كلامك كله كذب يا كلب",
    "برشا كلام فارغ، wallah مافهمتش شي من l'article هذا، c'est n'importe quoi صراحة",
    "الترام الجديد فكرة ممتازة. " * 40,
    "🔥🔥🔥",
    "The new tram line is a good idea, but the fares are far too high for students.",
    "ايه القرف ده بجد، بلد ماشية بالواسطة وبس",
]
Opener = Callable[[Page, Desk, str], Awaitable[None]]
VIEWS: dict[str, Opener] = {}


def view(opener: Opener) -> Opener:
    VIEWS[opener.__name__] = opener
    return opener


@view
async def sign_in_page(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/sign-in?lang={lang}")


@view
async def sign_in_refused(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/sign-in?lang={lang}")
    await page.fill("[name=email]", desk.account.email)
    await page.fill("[name=password]", "لا هذه ولا تلك")
    await page.during_load(page.click("button.primary"))


@view
async def welcome(page: Page, desk: Desk, lang: str) -> None:
    token = await invite(
        desk.service.database, desk.service.vault, desk.account.email, actor="test", now=utc_now()
    )
    await page.open(f"{desk.url}/console/welcome/{token}?lang={lang}")


@view
async def welcome_refused(page: Page, desk: Desk, lang: str) -> None:
    token = await invite(
        desk.service.database, desk.service.vault, desk.account.email, actor="test", now=utc_now()
    )
    await page.open(f"{desk.url}/console/welcome/{token}?lang={lang}")
    await page.fill("[name=password]", desk.account.password)
    await page.fill("[name=again]", "لا هذه ولا تلك الأولى")
    await page.during_load(page.click("button.primary"))


@view
async def welcome_over(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/welcome/nothing?lang={lang}")


@view
async def desk_page(page: Page, desk: Desk, lang: str) -> None:
    await at_the_desk(page, desk, f"/console/?lang={lang}")
    await page.until("document.querySelector('.record button')")


async def again(page: Page, desk: Desk, path: str = "/console/") -> None:
    await page.open(f"{desk.url}{path}")
    await page.until(READY)


@view
async def second_comment(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await press(page, "J")
    await page.until("document.querySelector('.verdict')")
    await press(page, "D")


@view
async def long_comment(page: Page, desk: Desk, lang: str) -> None:
    await page.evaluate(
        "[...document.querySelectorAll('.item .row')].find((row) => row.textContent.includes('الترام')).click()"
    )
    await page.until("!document.querySelector('.rest-of-text').hidden")


@view
async def list_narrow(page: Page, desk: Desk, lang: str) -> None:
    await page.evaluate("document.querySelector('.list-toggle').click()")


@view
async def selected(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await press(page, "X")
    await press(page, "J")
    await press(page, "X")
    await page.evaluate("document.querySelector('.list-toggle').click()")


@view
async def reasons(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await press(page, "R")
    await page.until("document.querySelector('dialog.palette')")


@view
async def note(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await press(page, "E")
    await page.until("document.querySelector('dialog.note')")


@view
async def keys(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await page.stroke("Slash", "?", shift=True)
    await page.until("document.querySelector('dialog.help')")


@view
async def menu(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await page.evaluate("document.querySelector('.account').open = true")


@view
async def author(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await press(page, "W")
    await page.until("document.querySelector('.author-panel .result')")
    await page.evaluate("document.querySelector('.author-panel').scrollIntoView()")


@view
async def skipped_and_told(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await press(page, "S")
    await page.until("document.querySelector('.item.is-off') && document.querySelector('.toast')")


@view
async def conflict(page: Page, desk: Desk, lang: str) -> None:
    """A colleague decided otherwise."""
    ids = await desk.submit(*(f"تعليق رقم {n} يليه خلاف" for n in range(7)))
    await again(page, desk)
    last = ids[-1]
    body = {"verdict": "reject", "reason": "off_topic", "revision": 1}
    await desk.service.call("POST", f"/v1/comments/{last}/decision", key=desk.colleague, json=body)
    await page.evaluate(f"document.querySelector('[data-id=\"{last}\"] .row').click()")
    await press(page, "A")
    await page.until("document.querySelector('.toast.fault button')")


@view
async def conflict_shown(page: Page, desk: Desk, lang: str) -> None:
    await page.evaluate("document.querySelector('.toast.fault button').click()")
    await page.until("document.querySelector('.notice.fault')")


@view
async def cut_off(page: Page, desk: Desk, lang: str) -> None:
    await again(page, desk)
    await page.call("Network.setBlockedURLs", urls=["*/decision"])
    await press(page, "A")
    await page.until("document.querySelector('#status').dataset.state === 'retrying'")


@view
async def own_page(page: Page, desk: Desk, lang: str) -> None:
    await page.call("Network.setBlockedURLs", urls=[])
    await page.until(SENT)
    shown = await page.evaluate("document.querySelector('.item.is-focused').dataset.id")
    await page.open(f"{desk.url}/console/comments/{shown}")
    await page.until("document.querySelector('.history li')")
    await page.until("document.querySelector('.rest .result')")


@view
async def no_such_comment(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/comments/01a224ed-0000-76b3-aa20-2e13acbf7524")
    await page.until("document.querySelector('.single .empty')")


@view
async def searching(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/search")
    await page.until("document.querySelector('.search-form')")


@view
async def found(page: Page, desk: Desk, lang: str) -> None:
    await make_entries(desk.service)
    await page.open(f"{desk.url}/console/search?q=الترام")
    await page.until("document.querySelector('.found .result')")


@view
async def second_factor_offered(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/second-factor")
    await page.evaluate("document.querySelector('.other-way').open = true")


@view
async def recovery_codes(page: Page, desk: Desk, lang: str) -> None:
    await page.fill("[name=code]", pyotp.TOTP(await page.text(".secret code")).now())
    await page.fill("[name=password]", desk.account.password)
    await page.during_load(page.click("button.primary"))
    await page.until("document.querySelectorAll('.recovery li').length === 10")


@view
async def second_factor_set(page: Page, desk: Desk, lang: str) -> None:
    codes = (await page.text(".recovery")).split()
    await page.open(f"{desk.url}/console/second-factor")
    desk.codes = codes


@view
async def code_asked_for(page: Page, desk: Desk, lang: str) -> None:
    await page.evaluate(
        "fetch('/console/sign-out', {method: 'POST', body: new URLSearchParams({csrf_token: document.querySelector('[name=csrf_token]').value})})"
    )
    await sign_in(page, desk, f"/console/sign-in?lang={lang}")
    await page.evaluate("document.querySelector('.other-way').open = true")


@view
async def code_refused(page: Page, desk: Desk, lang: str) -> None:
    await page.fill("[name=code]", "000000")
    await page.during_load(page.click("button.primary"))
    await page.until("document.querySelector('.notice.fault')")
    await page.evaluate("document.querySelector('.other-way').open = true")
    await page.fill("[name=recovery]", desk.codes[0])
    await page.during_load(page.click(".other-way button"))


@view
async def sessions(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/sessions")


@view
async def audit(page: Page, desk: Desk, lang: str) -> None:
    await desk.run_sql(
        "UPDATE tasks SET kind = 'audit' WHERE comment_id IN (SELECT comment_id FROM tasks ORDER BY 1 LIMIT 2)"
    )
    await again(page, desk, "/console/?kind=audit")


@view
async def escalated(page: Page, desk: Desk, lang: str) -> None:
    await desk.run_sql("UPDATE tasks SET kind = 'escalated' WHERE kind = 'audit'")
    await again(page, desk, "/console/?kind=escalated")


@view
async def away(page: Page, desk: Desk, lang: str) -> None:
    await page.call("Network.setBlockedURLs", urls=["*/v1/queue*"])
    await page.open(f"{desk.url}/console/")
    await page.until("document.querySelector('.empty[role=alert]')")
    await page.call("Network.setBlockedURLs", urls=[])


@view
async def nothing(page: Page, desk: Desk, lang: str) -> None:
    await page.open(f"{desk.url}/console/?reason=hate&language=am")
    await page.until(EMPTY)
