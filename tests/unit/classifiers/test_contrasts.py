"""Civil comments with hard words pass, and the same words thrown at somebody do not."""

import random

import pytest

from classifiers.attacks import ATTACKS
from tests.unit.classifiers.contrast_texts import (
    IDENTITY_TEMPLATES_AR,
    IDENTITY_TEMPLATES_EN,
    IDENTITY_TERMS_AR,
    IDENTITY_TERMS_EN,
    PAIRS,
)


@pytest.mark.parametrize(("about", "civil", "abusive"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_the_abusive_use_scores_above_the_civil_one(shipped, about, civil, abusive):
    low, high = shipped.score([civil, abusive])
    assert high.abuse > low.abuse


def test_abusive_uses_are_caught_and_most_civil_ones_are_not_even_doubted(shipped):
    civil = shipped.score([pair[1] for pair in PAIRS])
    abusive = shipped.score([pair[2] for pair in PAIRS])
    assert sum(score.abuse > 0.5 for score in abusive) >= 0.94 * len(PAIRS)
    doubt = {language: shipped.thresholds[language]["abuse"]["doubt"] for language in ("ar", "en")}
    doubted = sum(score.abuse > doubt[score.language] for score in civil)
    assert doubted <= 0.12 * len(PAIRS)  # a linear model's limit: see the docs
    reject = {language: shipped.thresholds[language]["abuse"]["reject"] or 1.0 for language in doubt}
    assert not any(score.abuse > reject[score.language] for score in civil)


@pytest.mark.parametrize(
    ("templates", "terms"),
    [(IDENTITY_TEMPLATES_AR, IDENTITY_TERMS_AR), (IDENTITY_TEMPLATES_EN, IDENTITY_TERMS_EN)],
    ids=["ar", "en"],
)
def test_a_plain_sentence_about_a_group_is_never_rejected_and_rarely_doubted(shipped, templates, terms):
    texts = [template.format(term) for term in terms for template in templates]
    scores = shipped.score(texts)
    language = scores[0].language
    pair = shipped.thresholds[language]["abuse"]
    assert all(pair["reject"] is None or score.abuse < pair["reject"] for score in scores)
    assert sum(score.abuse > min(pair["doubt"], 0.5) for score in scores) <= 0.05 * len(texts)
    assert not any(score.spam > 0.5 for score in scores)


@pytest.mark.parametrize("attack", list(ATTACKS.values()), ids=list(ATTACKS))
def test_a_disguise_hides_little(shipped, attack):
    abusive = [pair[2] for pair in PAIRS]
    changed = [attack(text, random.Random(3)) for text in abusive]
    before = sum(score.abuse > 0.5 for score in shipped.score(abusive))
    after = sum((score.abuse or 1.0) > 0.5 for score in shipped.score(changed))
    assert after >= 0.75 * before
