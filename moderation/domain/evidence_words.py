"""What a piece of evidence is, in words that a moderator reads, by the code of its rule; in Arabic and in English."""

_WORDS: dict[str, tuple[str, str]] = {
    "words": ("كلمات كما في تعليقات من هذا النوع", "words as in comments of this kind"),
    "link": ("رابط", "a link"),
    "links_many": ("روابط كثيرة", "several links"),
    "link_short": ("رابط مختصر أو رابط مراسلة", "a shortened or messenger link"),
    "link_shady": ("رابط إلى موقع مشبوه", "a link to a dubious host"),
    "link_author": ("خانة الموقع مملوءة", "the website field is filled"),
    "email": ("عنوان بريد إلكتروني", "an e-mail address"),
    "phone": ("رقم هاتف", "a phone number"),
    "number_long": ("رقم طويل", "a long number"),
    "handle": ("اسم حساب", "an account name"),
    "messenger": ("اسم تطبيق مراسلة", "a messaging service"),
    "messenger_number": ("تطبيق مراسلة مع رقم أو رابط", "a messaging service with a number or link"),
    "contact": ("دعوة إلى التواصل", "a request to get in touch"),
    "contact_many": ("دعوات إلى التواصل", "several requests to get in touch"),
    "offer": ("عرض تجاري", "an offer"),
    "offer_many": ("عروض تجارية", "several offers"),
    "offer_contact": ("عرض مع وسيلة تواصل", "an offer with a way to answer it"),
    "money": ("مبلغ أو نسبة", "money or percent"),
    "money_many": ("مبالغ أو نسب", "several sums or percents"),
    "capitals": ("أحرف كبيرة كثيرة", "many capitals"),
    "capitals_all": ("كله أحرف كبيرة", "almost all capitals"),
    "shouting": ("علامات تعجب واستفهام كثيرة", "many exclamation or question marks"),
    "pictures": ("رموز تعبيرية", "emoji"),
    "pictures_many": ("رموز تعبيرية كثيرة", "many emoji"),
    "hidden": ("أحرف خفية", "hidden characters"),
    "lookalikes": ("أحرف متشابهة من أبجدية أخرى", "look-alike letters of another script"),
    "styled": ("أحرف مزخرفة", "styled letters"),
    "stretched": ("أحرف مكررة", "stretched words"),
    "spelled": ("أحرف مفرقة", "letters kept apart"),
    "digits_half": ("أكثره أرقام", "mostly digits"),
    "threat": ("تهديد بالعنف أو دعوة إليه", "a threat of violence, or a call for it"),
    "banned_word": ("كلمة محظورة في هذا الموقع", "a word that this site does not allow"),
}

_OTHER = ("علامة تعلّمها المصنّف", "a sign that the classifier learned")


def rule_words(rule: str, language: str) -> str:
    """Return what ``rule`` is called in ``language`` (English where that is neither); a rule of another model has general words."""
    arabic, english = _WORDS.get(rule, _OTHER)
    return arabic if language == "ar" else english


def rules() -> frozenset[str]:
    """Return every rule that has words of its own."""
    return frozenset(_WORDS)
