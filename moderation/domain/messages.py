"""Words for people, by stable code: every verdict and every faulty field can be explained in Arabic and in English.

A test holds the two languages to the same codes and placeholders.
"""

from collections.abc import Mapping, Sequence
from typing import Any

LANGUAGES = ("ar", "en")

_MESSAGES: dict[str, tuple[str, str]] = {
    # faulty fields: (Arabic, English)
    "missing": ("هذا الحقل مطلوب.", "This field is required."),
    "wrong_type": (
        "القيمة من نوع غير صحيح؛ المتوقع: {expected}.",
        "The value has the wrong type; expected: {expected}.",
    ),
    "unknown_field": ("حقل غير معروف.", "This field is not known."),
    "too_long": (
        "النص أطول من الحد المسموح ({limit} حرفًا).",
        "The text is longer than allowed ({limit} characters).",
    ),
    "unstorable_text": (
        "النص يحتوي على رموز لا يمكن حفظها أو عرضها.",
        "The text contains characters that cannot be stored or shown.",
    ),
    "invalid_email": ("عنوان البريد الإلكتروني غير صحيح.", "The e-mail address is not valid."),
    "unreachable_email": (
        "نطاق البريد الإلكتروني لا يستقبل الرسائل.",
        "The domain of the e-mail address does not accept mail.",
    ),
    "disposable_email": (
        "لا تُقبل عناوين البريد المؤقتة.",
        "Throw-away e-mail addresses are not accepted.",
    ),
    "invalid_url": ("عنوان الموقع غير صحيح.", "The website address is not valid."),
    "invalid_address": ("عنوان IP غير صحيح.", "The IP address is not valid."),
    "invalid_time": (
        "التاريخ ليس بصيغة RFC 3339، أو قبل سنة 1990، أو بعد الغد.",
        "The time is not in RFC 3339 form, or before 1990, or later than tomorrow.",
    ),
    "missing_offset": (
        "التاريخ بلا فرق عن التوقيت العالمي: أنهه بحرف Z أو بفرق مثل ‎+03:00.",
        "The time lacks its offset from UTC: end it in Z, or in one like +03:00.",
    ),
    "invalid_language": ("رمز اللغة غير صحيح.", "The language code is not valid."),
    "invalid_value": (
        "القيمة غير مقبولة؛ المسموح: {allowed}.",
        "The value is not accepted; allowed: {allowed}.",
    ),
    "too_many": (
        "عدد العناصر أكبر من المسموح ({limit}).",
        "There are more entries than allowed ({limit}).",
    ),
    "out_of_range": (
        "القيمة خارج النطاق؛ المسموح: من {low} إلى {high}.",
        "The value is out of range; allowed: {low} to {high}.",
    ),
    "invalid_id": ("المعرّف غير صحيح.", "The id is not valid."),
    "unknown_parent": (
        "التعليق الأصلي غير موجود في هذا المقال.",
        "The parent comment is not in this thread.",
    ),
    # what a reader sees after sending the form
    "reader_approved": ("نُشر تعليقك. شكرًا لمشاركتك.", "Your comment has been published. Thank you."),
    "reader_held": (
        "وصل تعليقك وهو بانتظار موافقة المشرف.",
        "Your comment has arrived and is waiting for a moderator.",
    ),
    "reader_rejected": ("لم يُقبل تعليقك للنشر.", "Your comment was not accepted for publication."),
    # reasons of a verdict, for moderators
    "premoderation": (
        "كل تعليق في هذا الموقع ينتظر موافقة المشرف.",
        "Every comment on this site waits for approval.",
    ),
    "first_comment": ("أول تعليق لهذا الكاتب.", "This author's first comment."),
    "spam": ("يبدو إعلانًا أو رسالة مزعجة.", "Looks like spam."),
    "abuse": ("يبدو مسيئًا.", "Looks abusive."),
    "insult": ("إهانة لشخص.", "Insults a person."),
    "obscene": ("ألفاظ بذيئة.", "Obscene language."),
    "threat": ("تهديد.", "A threat."),
    "hate": ("كراهية ضد جماعة.", "Hate against a group."),
    "banned_word": ("يحتوي على كلمة محظورة في هذا الموقع.", "Contains a word that this site does not allow."),
    "link_limit": ("روابط أكثر من المسموح.", "More links than allowed."),
    "duplicate": ("النص نفسه أُرسل من قبل.", "The same text was sent before."),
    "flood": ("تعليقات كثيرة في وقت قصير.", "Too many comments in a short time."),
    "too_fast": (
        "أُرسل النموذج أسرع مما يكتب إنسان، أو دون ختم صحيح.",
        "The form was sent faster than a person types, or without a valid stamp.",
    ),
    "blocked_author": ("الكاتب محظور في هذا الموقع.", "The author is blocked on this site."),
    "not_scored": ("لم يتمكن المصنّف من تقييمه بعد.", "The classifier could not judge it yet."),
    "unknown_language": ("لغة لا يعرفها المصنّف.", "A language that the classifier does not know."),
    "likely_reject": ("يشبه ما رفضه مشرفو الموقع من قبل.", "Resembles what this site's moderators rejected."),
    "honeypot": (
        "مُلئ حقل مخفي لا يراه القرّاء، والبرامج الآلية تملؤه.",
        "A hidden field that readers do not see was filled in, as programs do.",
    ),
    "form_nonce": (
        "لم يُرسل من نموذج التعليقات في الموقع، أو كانت الصفحة قديمة.",
        "Not sent from the site's own form, or from a page that had grown old.",
    ),
    "partly_read": (
        "أطول مما يمكن تقييمه؛ لم تُقرأ نهايته.",
        "Longer than what can be judged; its end was not read.",
    ),
    "unconfirmed": (
        "لم يؤكد الموقع أنه احتفظ بهذا التعليق، فخرج من قائمة الانتظار.",
        "The site never confirmed that it kept this comment, so it left the queue.",
    ),
    "off_topic": ("خارج موضوع المقال.", "Off topic."),
    "illegal": ("مخالف للقانون.", "Against the law."),
    "other": ("سبب آخر.", "Another reason."),
}


_KINDS = {
    "object": "كائن",
    "array": "قائمة",
    "string": "نص",
    "integer": "عدد صحيح",
    "true or false": "true أو false",
    "string, number or boolean": "نص أو عدد أو true أو false",
}
"""What a field was expected to be, as the English messages have it, in Arabic."""


def message(code: str, language: str, values: Mapping[str, Any] | None = None) -> str:
    """Return the words for ``code`` in ``language`` (English where that is neither), with ``values`` filled in."""
    arabic, english = _MESSAGES[code]
    if not values:
        return arabic if language == "ar" else english
    if language != "ar":
        return english.format_map(values)
    kind = str(values.get("expected", ""))
    return arabic.format_map({**values, "expected": _KINDS.get(kind, kind)})


def codes() -> frozenset[str]:
    """Return every code that has words."""
    return frozenset(_MESSAGES)


def choose_language(accepted: Sequence[str], default: str) -> str:
    """Return the first of ``accepted`` (language tags, best first) that there are words in, else ``default``, else English."""
    for tag in [*accepted, default]:
        primary = tag.split("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return "en"
