"""Moderation logs of made-up sites, written for these tests: words at random, and insults that moderators reject."""

import json
import random
from datetime import UTC, datetime, timedelta

from classifiers.retraining import LabelledText

KOREAN = (["오늘", "기사", "정말", "좋은", "내용", "감사", "합니다", "배우", "드라마", "노래", "영화", "사람", "생각", "우리", "나라", "경기", "선수", "응원", "뉴스", "가족", "행복"],
          ["쓰레기", "멍청이", "꺼져라", "역겹다", "한심하다", "미친놈", "닥쳐라", "추하다"])  # fmt: skip
TURKISH = (["bugün", "haber", "çok", "güzel", "olmuş", "teşekkür", "ederim", "maç", "oyuncu", "ülke", "insan", "yol", "okul", "şehir", "başkan", "seçim", "yağmur", "aile", "sabah"],
           ["aptal", "salak", "gerizekalı", "iğrenç", "pislik", "defol", "şerefsiz", "alçak"])  # fmt: skip
ARABIC = (["المقال", "الوزير", "المدينة", "مباراة", "اليوم", "القرار", "شكرا", "الناس", "الاسعار", "المدارس", "الحكومة", "رأي", "الكاتب", "الطقس", "السلام", "العائلة"],
          ["حمار", "كلب", "حقير", "غبي", "سافل", "خنزير", "واطي", "حثالة"])  # fmt: skip
_START = datetime(2026, 1, 1, tzinfo=UTC)


def log(count, words=KOREAN, *, language="ko", share=0.3, noise=0.05, seed=1, actors=("a", "b", "c"), **more):
    """Return rows of a moderation log, a minute apart, with `noise` of the labels flipped."""
    chance = random.Random(seed)
    rows = []
    for at in range(count):
        is_abuse = chance.random() < share
        text = chance.choices(words[0], k=chance.randint(4, 14))
        if is_abuse:
            text.insert(chance.randrange(len(text)), chance.choice(words[1]))
        label = int(is_abuse != (chance.random() < noise))
        row = {
            "text": f"{' '.join(text)} {at}",
            "language": language,
            "abuse": label,
            "reject": label,
            "spam": None,
        }
        row |= {"at": _START + timedelta(minutes=at), "id": f"c{at}", "actor": actors[at % len(actors)]}
        row |= {"reason": "insult" if label else None}
        rows.append(LabelledText(**(row | more)))
    return rows


def record(row):
    """Return a row as a data file holds it."""
    return {
        "text": row.text, "lang": row.language, "state": "rejected" if row.reject else "approved", "reason": row.reason,
        "created_at": row.at.isoformat(), "id": row.id,
    }  # fmt: skip


def write(path, rows):
    path.write_text("".join(json.dumps(record(row), ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path
