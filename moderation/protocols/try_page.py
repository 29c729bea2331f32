"""``/try``: a news article with the comment form under it, in Arabic and in English. Served in the demonstration alone."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from moderation.domain.errors import NotFoundError, UnknownSiteError
from moderation.domain.site import Site
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.form import action
from moderation.protocols.languages import SITE_LANGUAGE
from moderation.protocols.reader_pages import (
    TEMPLATES,
    Filling,
    comment_form,
    direction,
    page_source,
    security_headers,
)
from moderation.protocols.reader_words import words

DEMO_SITE = "demo"
THREAD_IDS = {"ar": "tram", "en": "tram-en"}

_HEADERS = security_headers(
    "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
) | {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
_STATIC_TYPES = {"form.css": "text/css", "try.css": "text/css", "try.js": "text/javascript"}
_STATIC = {name: page_source(name) for name in _STATIC_TYPES}
_PAGE = TEMPLATES.get_template("try.html")
for _name in ("tram.svg", "article_ar.html", "article_en.html"):
    TEMPLATES.get_template(_name)


@dataclass(frozen=True, slots=True)
class Article:
    """What stands around the article's text."""

    paper: str
    tagline: str
    section: str
    title: str
    byline: str
    date: str
    picture: str
    caption: str


@dataclass(frozen=True, slots=True)
class Bench:
    """The panel for the developer who tries the service."""

    title: str
    intro: str
    queue: str
    credentials: str
    events: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Twin:
    """The same page in the other language."""

    language: str
    name: str
    href: str


ARTICLES = {
    "ar": Article(
        paper="يوميات النورس",
        tagline="صحيفة محلية لا وجود لها إلا في هذه التجربة",
        section="المدينة",
        title="الترام يعود إلى النورس بعد غياب ستين عامًا",
        byline="النورس — هدى البحري",
        date="الأحد 2 نوفمبر 2025",
        picture="رسم لترام أبيض عند محطة على الكورنيش، وخلفه بيوت المدينة والبحر ومنارة.",
        caption="الترام في أول أيامه عند محطة الكورنيش. الرسم: يوميات النورس",
    ),
    "en": Article(
        paper="The Nawras Daily",
        tagline="A local paper that exists only for this trial",
        section="City",
        title="Trams return to Nawras after sixty years",
        byline="NAWRAS — Huda al-Bahri",
        date="Sunday, 2 November 2025",
        picture="Drawing of a white tram at a stop on the seafront, with the city, the sea and a lighthouse behind it.",
        caption="The tram on its first day, at the Seafront stop. Illustration: The Nawras Daily",
    ),
}
BENCHES = {
    "ar": Bench(
        title="للمطوّرين",
        intro="هذا النموذج يرسل إلى الخدمة نفسها التي يستعملها موقع حقيقي. أرسل تعليقًا ثم انظر أين وصل.",
        queue="ما ينتظر المشرفين",
        credentials="TOKEN هو رمز المشرف الذي ظهر عند أول تشغيل.",
        events="ما سمعه الموقع",
        receiver="صفحة مستقبِل الأحداث",
    ),
    "en": Bench(
        title="For developers",
        intro="This form posts to the same service that a real site would use. Send a comment, then see where it went.",
        queue="What waits for moderators",
        credentials="TOKEN is the moderator's token printed at the first start.",
        events="What the site has heard",
        receiver="The receiver's page of events",
    ),
}
TWINS = {
    "ar": Twin("en", "English", "/try?lang=en"),
    "en": Twin("ar", "العربية", "/try"),
}


def routes() -> list[web.RouteDef]:
    """Return the routes of the page."""
    return [web.get("/try", show_page), web.get("/try/static/{name}", send_static)]


async def show_page(request: web.Request) -> web.Response:
    """Show the article and the form: Arabic, or English with ``?lang=en``."""
    site = await _demo_site(request)
    language = "en" if request.query.get("lang") == "en" else "ar"
    twin = TWINS[language]
    page = _PAGE.render(
        language=language,
        direction=direction(language),
        words=words(language),
        article=ARTICLES[language],
        bench=BENCHES[language],
        twin=twin,
        form=comment_form(
            action(site.name), language, Filling(site.settings.required, _hidden(site, language))
        ),
        queue_command=queue_command(site),
        receiver=receiver_page(site),
    )
    return web.Response(text=page, content_type="text/html", headers=_HEADERS)


async def send_static(request: web.Request) -> web.Response:
    """Send one of the page's own files, from memory."""
    await _demo_site(request)
    name = request.match_info["name"]
    if name not in _STATIC:
        raise NotFoundError
    return web.Response(
        text=_STATIC[name], content_type=_STATIC_TYPES[name], headers={"Cache-Control": "no-cache"}
    )


def queue_command(site: Site) -> tuple[str, ...]:
    """Return the command that lists what waits for moderators, in pieces between which a line may break.

    The demonstration's site is the service itself, so its address is the service's.
    """
    header = '-H "Authorization: Bearer $TOKEN"'
    return (f"curl '{site.url.rstrip('/')}", "/v1/queue", f"?site={site.name}' \\\n  {header}")


def receiver_page(site: Site) -> str | None:
    """Return the address of the page that shows what the demonstration's receiver heard."""
    if site.webhook_url is None:
        return None
    parts = urlsplit(site.webhook_url)
    return f"{parts.scheme}://{parts.netloc}/"


async def _demo_site(request: web.Request) -> Site:
    """Return the demonstration's site. Raises `NotFoundError` where there is none, or a real one of that name."""
    try:
        site = await request.app[DIRECTORY].site(DEMO_SITE)
    except UnknownSiteError as error:
        raise NotFoundError from error
    if not site.settings.allow_private_endpoint:
        raise NotFoundError
    request[SITE_LANGUAGE] = site.language
    return site


def _hidden(site: Site, language: str) -> dict[str, str]:
    query = "?lang=en" if language == "en" else ""
    return {
        "comment_post_ID": THREAD_IDS[language],
        "thread_url": f"{site.url.rstrip('/')}/try{query}",
        "thread_title": ARTICLES[language].title,
        "lang": language,
    }
