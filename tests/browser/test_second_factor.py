"""Setting a second factor and coming in by it, as somebody does in Arabic on a telephone."""

import pyotp
import pytest

from tests.browser.chromium import Chromium
from tests.browser.test_console import READY, Desk, at_the_desk, desk, sign_in
from tests.browser.test_try_page import FAINT

__all__ = ["desk"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def test_somebody_sets_a_second_factor_and_comes_in_by_it(chromium: Chromium, desk: Desk) -> None:
    await desk.submit("تعليق ينتظر")
    async with chromium.page(width=390, height=844) as page:
        await at_the_desk(page, desk)
        await page.click(".account summary")
        await page.during_load(page.click(".menu a[href='/console/second-factor']"))
        assert await page.text("h1") == "التحقق بخطوتين"
        assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"
        drawn = "document.querySelector('.qr svg').getBoundingClientRect()"
        assert await page.evaluate(f"Math.min({drawn}.width, {drawn}.height)") >= 200
        await page.click(".other-way summary")
        secret = await page.text(".secret code")
        await page.fill("[name=code]", "000000")
        await page.fill("[name=password]", desk.account.password)
        await page.during_load(page.click("button.primary"))
        assert "هذا الرمز غير صحيح" in await page.text(".notice")
        assert await page.focused() == "code"
        await page.click(".other-way summary")
        assert await page.text(".secret code") == secret, "it is in the telephone by now"
        await page.fill("[name=code]", pyotp.TOTP(secret).now())
        await page.fill("[name=password]", desk.account.password)
        await page.during_load(page.click("button.primary"))
        codes = (await page.text(".recovery")).split()
        assert len(codes) == 10
        assert await page.evaluate(FAINT) == []
        await page.during_load(page.click(".ways a"))
        await page.until(READY)
        await page.click(".account summary")
        await page.during_load(page.click(".menu form button"))
        await sign_in(page, desk, "/console/search?lang=ar")
        assert await page.text("h1") == "الخطوة الثانية"
        assert await page.focused() == "code"
        await page.click(".other-way summary")
        await page.fill("[name=recovery]", codes[0].upper())
        await page.during_load(page.press("Enter"))
        await page.until("location.pathname === '/console/search'")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.open(f"{desk.url}/console/second-factor")
        assert "رموز استرداد باقية: ٩" in await page.text("main")
        assert [fault for fault in page.faults if "403" not in fault] == []
