"""The reports of a retraining on a telephone: what is wide scrolls by itself, the page does not."""

from pathlib import Path

import orjson
import pytest

from classifiers.retraining import retrain
from classifiers.site.page import render
from tests.browser.chromium import Page
from tests.unit.classifiers import site_data

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WIDE = "[...document.querySelectorAll('.wide')]"
SCROLLED = f"{WIDE}.filter(one => one.scrollWidth > one.clientWidth).length"
PAGE_WIDTH = "document.documentElement.scrollWidth"  # not beside innerWidth, which grows along on a telephone


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The page beside a model's files, and the one of a version in the database, with texts."""
    folder = tmp_path_factory.mktemp("report")
    retrain(site_data.log(400, noise=0.15), out=folder / "model")
    report = orjson.loads((folder / "model" / "report.json").read_bytes())
    texts = {one["id"]: "كلام " * 40 for one in report["changes"]["differently"]}
    page = folder / "page.html"
    page.write_text(render(report, report["refusals"], texts), "utf-8")
    arabic = folder / "arabic.html"
    arabic.write_text(render(report, report["refusals"], texts, language="ar"), "utf-8")
    retrain(site_data.log(400, noise=0.15), out=folder / "second", language="ar")
    return [folder / "model" / "report.html", page, folder / "second" / "report.html", arabic]


@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize("width", [420, 1280])
async def test_a_report_is_as_wide_as_the_screen(page: Page, pages: list[Path], at: int, width: int):
    await page.resize(width, 800)
    await page.open(pages[at].as_uri())
    assert await page.evaluate(PAGE_WIDTH) <= width
    assert await page.evaluate("[...document.querySelectorAll('table')].every(one => one.closest('.wide'))")
    assert (await page.evaluate(SCROLLED) > 0) == (width == 420)
    assert await page.evaluate("getComputedStyle(document.body).direction") == ("ltr" if at < 2 else "rtl")
    assert page.faults == []
