"""What a problem says of one request alone, in Arabic and English; what holds for every problem of a kind stands with the kinds.

A test holds the two languages to the same values, and every error that a request can meet to a sentence from here.
"""

from typing import Any

_WORDS: dict[str, tuple[str, str]] = {
    # the body: (Arabic, English)
    "body_cut_off": ("انقطع متن الطلب قبل نهايته.", "The body was cut off."),
    "line_later": (
        "لم يُقبل هذا السطر؛ أرسله مرة أخرى بعد {wait}.",
        "This line was not accepted; send it again after {wait}.",
    ),
    "body_not_json": (
        "متن الطلب ليس JSON صحيحًا (السطر {line}، العمود {column}).",
        "The body is not valid JSON (line {line}, column {column}).",
    ),
    "body_no_object": ("يجب أن يكون متن الطلب كائن JSON.", "The body must be a JSON object."),
    "body_charset": ("يجب أن يكون متن الطلب JSON بترميز UTF-8.", "The body must be JSON in UTF-8."),
    "body_byte_order_mark": (
        "يبدأ متن الطلب بعلامة ترتيب البايتات: أرسل UTF-8 من دونها.",
        "The body begins with a byte order mark: send UTF-8 without one.",
    ),
    "body_not_utf8": (
        "متن الطلب ليس بترميز UTF-8 (البايت {byte}).",
        "The body is not in UTF-8 (byte {byte}).",
    ),
    "no_http": ("ما وصل ليس HTTP كما يُقرأ هنا.", "What arrived is not HTTP as this server reads it."),
    "body_transfer_encoded": (
        "أرسل متن الطلب بلا Transfer-Encoding غير chunked.",
        "Send the body with no Transfer-Encoding but chunked.",
    ),
    "body_encoded": ("أرسل متن الطلب بلا Content-Encoding.", "Send the body without a Content-Encoding."),
    # the form
    "form_charset": ("يجب إرسال النموذج بترميز UTF-8.", "The form must be sent in UTF-8."),
    "form_type": (
        "أرسل النموذج بنوع {urlencoded} أو {multipart} أو {json}.",
        "Send the form as {urlencoded}, {multipart} or {json}.",
    ),
    "console_form": ("أرسل النموذج بنوع {urlencoded}.", "Send the form as {urlencoded}."),
    "form_field_once": (
        "يُرسل الحقل `{name}` مرة واحدة، نصًا عاديًا.",
        "The field `{name}` must be sent once, as plain text.",
    ),
    "form_field_not_utf8": ("الحقل `{name}` ليس بترميز UTF-8.", "The field `{name}` is not in UTF-8."),
    "form_no_boundary": (
        "لا يسمّي متن multipart الفاصل بين أجزائه.",
        "The multipart body names no boundary.",
    ),
    "form_cut_off": ("انقطع متن multipart قبل نهايته.", "The multipart body was cut off."),
    "form_file": ("لا تُقبل الملفات.", "Files are not accepted."),
    "form_part": (
        "تعذّرت قراءة جزء من متن multipart.",
        "A part of the multipart body cannot be read.",
    ),
    "form_too_many": ("في النموذج أكثر من {limit} حقلًا.", "The form has more than {limit} fields."),
    # parameters and headers
    "parameter": ("`{name}`: {fault}", "`{name}`: {fault}"),
    "too_many_parameters": ("في الطلب أكثر من {limit} معاملًا.", "There are more than {limit} parameters."),
    "parameter_twice": ("ورد `{name}` أكثر من مرة.", "`{name}` is given more than once."),
    "parameter_cursor": (
        "`cursor` ليس مما أعطته هذه القائمة بهذا الترتيب.",
        "`cursor` is not one that this list, in this order, gave out.",
    ),
    "parameter_order": ("`order` إما oldest أو newest.", "`order` is oldest or newest."),
    "parameter_number": (
        "`{name}` عدد صحيح من {low} إلى {high}.",
        "`{name}` is a whole number from {low} to {high}.",
    ),
    "idempotency_key": (
        "في Idempotency-Key من 1 إلى {limit} رمزًا مطبوعًا.",
        "Idempotency-Key must have 1 to {limit} printable characters.",
    ),
    # who asks
    "webhook_signature": ("توقيع الرسالة غير صحيح.", "The webhook signature does not hold."),
    "coral_signature": ("توقيع Coral غير صحيح.", "The Coral signature does not hold."),
    "takes_site_key": ("يُطلب هنا مفتاح موقع.", "This address takes a site's key."),
    "takes_person_token": ("يُطلب هنا رمز مشرف.", "This address takes a moderator's token."),
    "key_of_dialect": (
        "هذا المفتاح لا يصلح إلا لبروتوكوله.",
        "This key is good for its own dialect only.",
    ),
    "takes_own_page": (
        "لا يُقبل هذا بجلسة اللوحة إلا من صفحاتها: أعد تحميل الصفحة.",
        "With a session of the console this is taken from its own pages alone: load the page again.",
    ),
    "takes_role": ("يتطلب هذا دور `{role}`.", "This takes the role `{role}`."),
    "leads_undo": ("لا يتراجع عن قرارات غيره إلا كبير المشرفين.", "Only leads undo the decisions of others."),
    # what stands
    "decided_otherwise": (
        "قرّر غيرك في الأثناء؛ اذكر قراره في `sequence` ليحلّ قرارك محلّه.",
        "Somebody else decided; name their decision as `sequence` to replace it.",
    ),
    "decided_before": (
        "سبقك غيرك إلى القرار نفسه، فلا قرار لك هنا يُتراجع عنه.",
        "Somebody else had decided alike before: there is no decision of your own to take back.",
    ),
    "nothing_to_undo": (
        "لا يوجد قرار شخص يُتراجع عنه.",
        "There is no person's decision to undo.",
    ),
    "edited_by_another": (
        "يعدّل غيرك هذا التعليق الآن.",
        "The comment is being edited by somebody else.",
    ),
    "feed_ahead": (
        "`after` أبعد من نهاية السجل: عادت الخدمة إلى نسخة احتياطية. ابدأ من موضع أسبق.",
        "`after` is ahead of this feed: the service went back to a backup. Begin again from an earlier position.",
    ),
}


class Detail(str):
    """The English sentence, which can be said in Arabic, too."""

    __slots__ = ("arabic",)

    arabic: str

    def said_in(self, language: str) -> str:
        """Return the sentence in ``language``: Arabic for `ar`, else English."""
        return self.arabic if language == "ar" else str(self)


def detail(code: str, **values: Any) -> Detail:
    """Return the sentence for ``code`` with ``values`` filled in."""
    arabic, english = _WORDS[code]
    said = Detail(english.format_map(values))
    said.arabic = arabic.format_map(values)
    return said
