"""The receiver's page: every event it heard, in Arabic or English."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from moderation.domain.messages import codes, message

STATIC_TYPES = {"receiver.css": "text/css", "receiver.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

_TEMPLATES = Environment(
    loader=PackageLoader("moderation.demo", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGE = _TEMPLATES.get_template("receiver.html")

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("ما سمعه الموقع", "What the site has heard"),
    "intro": (
        "هذا خادم الموقع التجريبي «demo». يتحقّق من توقيع كل حدث قبل قراءته، ويتجاهل ما سبق أن سمعه.",
        "The server of the site “demo”. It verifies every event’s signature first, and ignores what it has heard before.",
    ),
    "heard": ("الأحداث الموثَّقة:", "Verified events:"),
    "refused": ("المرفوضة لتوقيعها:", "refused for their signature:"),
    "most": ("يظهر منها الأحدث:", "of which the latest are shown:"),
    "nothing": (
        "لم يصل شيء بعد. كل قرار على تعليق يصل إلى هنا بعد لحظات.",
        "Nothing yet. Every decision on a comment arrives here within moments.",
    ),
    "comment": ("التعليق", "Comment"),
    "sequence": ("التسلسل", "Sequence"),
    "verdict": ("الحكم", "Verdict"),
    "reasons": ("الأسباب", "Reasons"),
    "decided_by": ("صاحب القرار", "Decided by"),
    "decided_at": ("وقت القرار", "Decided at"),
    "ignored": ("مكرَّر، لا أثر له", "repeated, without effect"),
    "none": ("لا شيء", "none"),
    "other_language": ("English", "العربية"),
    "approved": ("منشور", "approved"),
    "held": ("قيد المراجعة", "held"),
    "rejected": ("مرفوض", "rejected"),
    "deleted": ("محذوف", "deleted"),
    "service": ("الخدمة", "the service"),
    "moderator": ("مشرف", "a moderator"),
    "site": ("الموقع", "the site"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One verified event, as the page shows it; times are RFC 3339."""

    type: str
    id: str
    external_id: str | None
    sequence: int
    revision: int
    state: str
    verdict: str | None
    reasons: tuple[str, ...]
    decided_by: str
    decided_at: str
    heard_at: str
    is_new: bool
    """False for one that came before, or after a later one: a site ignores it."""


def receiver_page(events: Sequence[Heard], language: str, *, heard: int, refused: int, most: int) -> str:
    """Return the page; ``heard`` and ``refused`` count since the start, ``most`` is how many events are kept."""
    column = 0 if language == "ar" else 1
    return _PAGE.render(
        language=language,
        direction="rtl" if language == "ar" else "ltr",
        other="en" if language == "ar" else "ar",
        words={key: pair[column] for key, pair in _WORDS.items()},
        explain=lambda code: message(code, language) if code in codes() else code,
        events=events,
        heard=heard,
        refused=refused,
        most=most,
    )


def static_file(name: str) -> str:
    """Return one of the page's own files."""
    assert _TEMPLATES.loader is not None
    return _TEMPLATES.loader.get_source(_TEMPLATES, name)[0]
