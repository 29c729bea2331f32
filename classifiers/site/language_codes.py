"""Languages as files name them (ISO 639-1, 639-2 and 639-3 codes, with a region, English names), as the codes that this program uses.

`eng` for `en` matters most: under a name of its own, a site's English would count as a language that the shipped model does not know.
"""

import re

_CODE = re.compile(r"[a-z]{2,3}")
_TABLE = """
am amh amharic|ar ara arb arabic arz apc acm ary aeb arq ajp ayl ars afb|az aze azerbaijani|be bel belarusian|bg bul bulgarian
bn ben bengali bangla|bs bos bosnian|ca cat catalan|ckb sorani|cs ces cze czech|da dan danish|de deu ger german|el ell gre greek
en eng english|es spa spanish castilian|et est estonian|eu eus baq basque|fa fas per pes persian farsi|fi fin finnish
fil tgl tl filipino tagalog|fr fra fre french|ga gle irish|gl glg galician|gu guj gujarati|ha hau hausa|he heb iw hebrew|hi hin hindi
hr hrv croatian|hu hun hungarian|hy hye arm armenian|id ind in indonesian|ig ibo igbo|is isl ice icelandic|it ita italian
ja jpn japanese|ka kat geo georgian|kk kaz kazakh|km khm khmer|kn kan kannada|ko kor korean|ku kur kmr kurdish|lo lao
lt lit lithuanian|lv lav latvian|mk mkd mac macedonian|ml mal malayalam|mr mar marathi|ms msa may zsm malay|mt mlt maltese
my mya bur burmese|ne nep nepali|nl nld dut dutch|no nor nob nb norwegian|pa pan punjabi panjabi|pl pol polish|ps pus pashto
pt por portuguese|ro ron rum romanian|ru rus russian|sd snd sindhi|si sin sinhala|sk slk slo slovak|sl slv slovenian slovene
so som somali|sq sqi alb albanian|sr srp serbian|sv swe swedish|sw swa swh swahili|ta tam tamil|te tel telugu|th tha thai
tr tur turkish|uk ukr ukrainian|ur urd urdu|uz uzb uzbek|vi vie vietnamese|yo yor yoruba|zh zho chi cmn yue chinese mandarin
"""
_UNTOLD = frozenset(
    {"und", "unk", "mul", "mis", "zxx", "xx", "na", "nan"}
)  # also what tables write for an empty cell
_CODES = {
    name: names[0] for names in (one.split() for one in re.split(r"[|\n]", _TABLE) if one) for name in names
}


def code_of(value: object) -> str | None:
    """Return the code of a language as a file names it; an unknown code of two or three letters stays, anything else is None."""
    words = re.split(r"[-_ (,/]", str(value or "").strip().casefold())
    if words[0] in _UNTOLD:
        return None
    return _CODES.get(words[0]) or (words[0] if _CODE.fullmatch(words[0]) else None)
