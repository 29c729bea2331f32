"""A small labelled set, written for these tests: enough to train on in a second, too little to be good."""

import gzip
import json

CIVIL_AR = [
    "مقال جميل وتحليل منطقي", "لا اتفق مع الكاتب لكن رأيه محترم", "نتمنى السلام لكل الشعوب", "متى تفتح المدارس ابوابها",
    "مباراة قوية والحكم كان عادلا", "ارتفاع الاسعار يرهق الناس", "شكرا للصحيفة على الخبر", "الله يرحم الشهداء",
    "القرار تأخر كثيرا", "ننتظر تفاصيل اكثر عن الحادث", "هذه الحرب دمرت المدينة", "الانتخابات المقبلة ستكون صعبة",
]  # fmt: skip
ABUSE_AR = [
    "انت حمار ولا تفهم شيئا", "كلب ابن كلب", "اخرس يا حقير", "شعب غبي وقذر", "يا واطي يا منحط", "تفو عليك يا خنزير",
    "كلكم حثالة وزبالة", "يا ابن الكلب يا حيوان", "غبي وتافه ومنحط", "روح مت يا وسخ", "انتم بهائم لا تفهم", "يا قذر يا سافل",
]  # fmt: skip
SPAM_AR = [
    "قروض فورية بدون كفيل واتساب 0501234567", "جلب الحبيب الشيخ الروحاني 00966501234567", "زيادة متابعين انستا رخيصة",
    "وظائف من البيت ربح يومي تواصل واتس 0559876543", "سداد قروض وتمويل تواصل 0512345678", "حبوب تخسيس اصلية للطلب واتساب",
    "اربح المال من الانترنت اضغط الرابط http://example.com/a", "كازينو ومراهنات بونص مجاني www.example.xyz",
]  # fmt: skip
CIVIL_EN = [
    "A thoughtful article, thank you", "I disagree with the minister on this", "The war must end soon", "What a match that was",
    "Prices are rising every month", "My condolences to the families", "When will the road be finished", "This is good news",
    "The court should look at the evidence", "I think the author is wrong", "Nobody asked the farmers", "Please fix the title",
]  # fmt: skip
ABUSE_EN = [
    "you are a stupid idiot", "shut up you moron", "what a disgusting piece of trash you are", "you pathetic loser",
    "these idiots are scum", "go to hell you filthy pig", "dumb moron as always", "you ugly stupid clown", "idiot and a liar",
    "shut your mouth loser", "brainless scum", "you stupid dog",
]  # fmt: skip
SPAM_EN = [
    "Earn $5000 a week from home, visit http://example.com/job", "Cheap followers and likes, whatsapp +1 202 555 0100",
    "Best casino bonus www.example.xyz", "Loan without credit check, email loans@example.com", "Buy pills online http://example.top",
    "Invest in crypto and earn profit, telegram @example_trader", "SEO backlinks cheap http://example.site", "Free bitcoin click link",
]  # fmt: skip


def rows():
    """Return rows in the form of the data files: two sources a language for abuse, one for spam."""
    found = []
    for language, civil, abuse, spam in (
        ("ar", CIVIL_AR, ABUSE_AR, SPAM_AR),
        ("en", CIVIL_EN, ABUSE_EN, SPAM_EN),
    ):
        for at, text in enumerate(civil + abuse):
            found.append(
                _row(text, language, f"{language}_small_{at % 2}", spam=None, abuse=int(at >= len(civil)))
            )
        for at, text in enumerate(civil + spam):
            found.append(
                _row(text, language, f"{language}_small_spam", spam=int(at >= len(civil)), abuse=None)
            )
    return found


def _row(text, language, source, *, spam, abuse):
    return {
        "text": text,
        "lang": language,
        "spam": spam,
        "abuse": abuse,
        "labels": {},
        "source": source,
        "id": text[:8],
    }


def write(directory):
    """Write the rows as gzipped JSON lines, one file a source."""
    directory.mkdir(parents=True, exist_ok=True)
    by_source = {}
    for row in rows():
        by_source.setdefault(row["source"], []).append(json.dumps(row, ensure_ascii=False))
    for source, lines in by_source.items():
        with gzip.open(directory / f"{source}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    return directory
