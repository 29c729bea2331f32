"""Words for readers, in Arabic and English: the form, what becomes of a comment, and what went wrong.

Why a moderator or the service decided so is never told here. Arabic is worded without addressing men or women.
"""

from moderation.domain.errors import DependencyUnavailableError, ModerationError, RateLimitedError
from moderation.domain.messages import message
from moderation.domain.verdict import State

_WORDS: dict[str, tuple[str, str]] = {
    # the form
    "form_title": ("أضف تعليقًا", "Leave a comment"),
    "form_required": ("الحقول المطلوبة معلَّمة بنجمة", "Required fields are marked with"),
    "author": ("الاسم", "Name"),
    "email": ("البريد الإلكتروني", "E-mail"),
    "email_hint": ("لن يُنشر عنوان بريدك الإلكتروني.", "Your e-mail address will not be published."),
    "url": ("الموقع الإلكتروني", "Website"),
    "comment": ("التعليق", "Comment"),
    "send": ("إرسال التعليق", "Post comment"),
    "sending": ("جارٍ الإرسال…", "Sending…"),
    "send_again": ("إعادة الإرسال", "Send again"),
    "back": ("العودة إلى المقال", "Back to the article"),
    "waiting_badge": ("بانتظار الموافقة", "Waiting for approval"),
    "offline": (
        "تعذّر الاتصال بالموقع. نص التعليق باقٍ في مكانه؛ يمكن إعادة الإرسال بعد قليل.",
        "The site could not be reached. The comment is still here; please try again in a moment.",
    ),
    # what became of the comment: headings of the page
    "title_approved": ("نُشر التعليق", "Published"),
    "title_held": ("التعليق بانتظار الموافقة", "Waiting for approval"),
    "title_rejected": ("لم يُنشر التعليق", "Not published"),
    "title_invalid": ("لم يُرسل التعليق بعد", "Not sent yet"),
    "title_problem": ("تعذّر إرسال التعليق", "The comment could not be sent"),
    # what went wrong
    "invalid": (
        "يُرجى تصحيح الحقول المبيّنة أدناه ثم إعادة الإرسال.",
        "Please correct the fields below and send again.",
    ),
    "busy": (
        "وصلت تعليقات كثيرة في وقت قصير. يُرجى إعادة الإرسال بعد {wait}؛ لم يضع شيء مما كُتب.",
        "Many comments arrived in a short time. Please send again in {wait}; nothing you wrote is lost.",
    ),
    "unavailable": (
        "الخدمة غير متاحة مؤقتًا. يُرجى إعادة الإرسال بعد {wait}؛ لم يضع شيء مما كُتب.",
        "The service is away for a moment. Please send again in {wait}; nothing you wrote is lost.",
    ),
    "too_large": ("التعليق أطول مما يمكن استقباله.", "The comment is longer than can be received."),
    "unknown_site": ("لا توجد تعليقات في هذا العنوان.", "There are no comments at this address."),
    "unreadable": (
        "وصل النموذج بصورة لا يمكن قراءتها. يُرجى العودة إلى المقال وإرسال التعليق من جديد.",
        "The form arrived in a way that cannot be read. Please go back to the article and send the comment again.",
    ),
}

_PROBLEMS = {
    "invalid-comment": "invalid",
    "rate-limited": "busy",
    "unavailable": "unavailable",
    "too-large": "too_large",
    "unknown-site": "unknown_site",
}
_STATES = {State.APPROVED: "approved", State.HELD: "held"}


def words(language: str) -> dict[str, str]:
    """Return every word by its key, as templates need them."""
    column = 0 if language == "ar" else 1
    return {key: pair[column] for key, pair in _WORDS.items()}


def state_name(state: State) -> str:
    """Return approved, held or rejected: all that a reader is told."""
    return _STATES.get(state, "rejected")


def state_message(state: State, language: str) -> str:
    """Return what the reader sees after sending."""
    return message(f"reader_{state_name(state)}", language)


def problem_message(error: ModerationError, language: str) -> str:
    """Return what the reader sees instead of a problem detail."""
    text = words(language)[_PROBLEMS.get(error.code, "unreadable")]
    if isinstance(error, RateLimitedError | DependencyUnavailableError):
        return text.format(wait=duration(error.retry_after_s, language))
    return text


def duration(seconds: int, language: str) -> str:
    """Write a waiting time in words, in minutes where it is long."""
    count, unit = (seconds, "second") if seconds < 120 else (-(-seconds // 60), "minute")
    if language != "ar":
        return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    one, two, few, many = _ARABIC_UNITS[unit]
    if count <= 2:
        return one if count == 1 else two
    return f"{count} {few if 3 <= count % 100 <= 10 else many}"


_ARABIC_UNITS = {
    "second": ("ثانية واحدة", "ثانيتين", "ثوانٍ", "ثانية"),
    "minute": ("دقيقة واحدة", "دقيقتين", "دقائق", "دقيقة"),
}
