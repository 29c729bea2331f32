"""The serving scorer gives the pipeline's probabilities, for any text, in any batch, without scikit-learn."""

import argparse
import json
import math
import random
import subprocess
import sys

import pytest

from classifiers import train
from classifiers.explain import WORDS
from classifiers.runtime import Scorer
from classifiers.telling import telling
from tests.unit.classifiers import small_data

ODD = [
    "",
    " ",
    "...",
    "\ud800",
    "\0",
    "👍👍",
    "ﷺ",
    "x" * 30_000,
    "كلب " * 6_000,
    "\u202e\u200b",
    "a.b.c",
    "٠" * 500,
]
TEXTS = [row["text"] for row in small_data.rows()] + ODD


def test_probabilities_equal_those_of_the_pipeline(data, trained, scorer):
    options = argparse.Namespace(data=data, licences=False, no_authored=True)
    rows, _ = train.read_training(options)
    heads = train.train_heads(rows)
    for score, text in zip(scorer.score(TEXTS), TEXTS, strict=True):
        if not score.is_known_language:
            continue
        for output in train.columns(heads)[score.language]:
            model = heads[score.language, output].model
            assert getattr(score, output) == model.predict_proba([text])[0, 1]


def test_an_unknown_language_is_scored_from_evidence_alone(data, scorer):
    rows, _ = train.read_training(argparse.Namespace(data=data, licences=False, no_authored=True))
    model = train.train_heads(rows)["und", "spam"].model
    text = "Das ist ein sehr guter Artikel, besuchen Sie http://example.com oder +49 170 1234567"
    score = scorer.score([text])[0]
    assert not score.is_known_language
    assert score.abuse is None
    assert score.spam == model.predict_proba([text])[0, 1]


def test_a_score_is_the_same_bit_for_bit_in_any_batch(shipped):
    alone = {text: shipped.score([text])[0] for text in TEXTS}
    shuffler = random.Random(7)
    for size in (1, 2, 3, 17, 64, len(TEXTS)):
        batch = shuffler.sample(TEXTS, size)
        assert shipped.score(batch) == [alone[text] for text in batch]


def test_no_text_is_refused_and_every_probability_is_one(shipped):
    for score in shipped.score([*ODD, "y" * 200_000]):
        for value in (score.spam, score.abuse, score.insult, score.obscene, score.threat, score.hate):
            assert value is None or 0 < value < 1


def test_no_texts_give_no_scores(shipped):
    assert shipped.score([]) == []


def test_the_website_field_raises_the_spam_score_of_a_dubious_host_only(shipped):
    text = "شكرا على المقال"
    plain, dubious = (
        shipped.score([text], author_urls=[url])[0] for url in (None, "http://casino-bonus.xyz")
    )
    assert dubious.spam > plain.spam
    assert dubious.abuse == pytest.approx(plain.abuse, abs=0.2)


def test_serving_imports_neither_scikit_learn_nor_scipy():
    program = (
        "import json, sys\n"
        "from classifiers.runtime import Scorer\n"
        "scorer = Scorer.shipped()\n"
        "scorer.score(['يا كلب', 'hello']); scorer.explain('hello idiot')\n"
        "import classifiers.scoring_files\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert not {"sklearn", "scipy", "joblib", "pickle5"} & set(json.loads(out.stdout))


@pytest.mark.parametrize(
    "text",
    [
        "يا كلب يا حقير",
        "you idiot http://example.com",
        "",
        "كَـلْب " * 5,
        "Das ist ein Artikel für Sie und mich",
    ],
)
def test_the_spans_sum_to_the_log_odds(shipped, text):
    score = shipped.score([text])[0]
    for output in ("spam", "abuse", "insult", "obscene", "hate"):
        probability = getattr(score, output)
        if probability is None:
            continue
        moved = math.fsum(span.weight for span in shipped.decompose(text) if span.output == output)
        base = shipped.base(text, output)
        assert moved + base == pytest.approx(math.log(probability / (1 - probability)), abs=1e-6)


def test_the_strongest_span_is_the_insult_as_it_was_written(shipped):
    text = "هذا الوزير كَـــلْب كبير"
    strongest = next(span for span in shipped.explain(text) if span.output == "abuse")
    assert text[strongest.start : strongest.end] == "كَـــلْب"
    assert strongest.weight > 0
    assert strongest.rule == WORDS


def test_the_shipped_model_knows_plain_cases(shipped):
    clean, insult, spam = shipped.score(
        ["مقال رائع شكرا للكاتب", "انت حمار وكلب ابن كلب", "سداد قروض وتمويل شخصي تواصل واتساب 0551234567"]
    )
    assert clean.abuse < 0.5
    assert clean.spam < 0.1
    assert insult.abuse > 0.9
    assert spam.spam > 0.5


def test_kinds_are_given_where_labels_allow_and_null_where_they_do_not(shipped):
    arabic, english = shipped.score(["انت حمار وكلب ابن كلب", "you are a stupid idiot"])
    assert arabic.hate is not None
    assert arabic.obscene is not None
    assert english.insult is not None
    assert arabic.insult is english.hate is english.obscene is None
    assert arabic.threat == english.threat < 0.01


def test_kinds_tell_hate_from_plain_insults(shipped):
    hate, insult, civil = shipped.score(
        ["اليهود انجس خلق الله ولازم يبادوا", "انت غبي وتافه", "شكرا على المقال المفيد"]
    )
    assert hate.hate > insult.hate > civil.hate
    obscene, civil = shipped.score(["كس امك يا ابن القحبة", "عملية القلب المفتوح نجحت والحمد لله"])
    assert obscene.obscene > 0.5 > civil.obscene


def test_a_kind_rejects_nothing_by_itself(shipped):
    for outputs in shipped.thresholds.values():
        assert all(
            pair["reject"] is None for output, pair in outputs.items() if output not in {"spam", "abuse"}
        )


def test_thresholds_are_given_for_both_languages(shipped):
    for language in ("ar", "en"):
        for output in ("spam", "abuse"):
            pair = shipped.thresholds[language][output]
            assert 0 < pair["doubt"] < 1
            assert pair["reject"] is None or pair["doubt"] <= pair["reject"] <= 1


def test_the_version_names_the_manifest(shipped):
    assert shipped.version == f"{shipped.manifest['name']}-{shipped.manifest['digest'][:8]}"
    assert shipped.languages == {"ar", "en"}
    assert isinstance(shipped, Scorer)


def test_texts_on_the_edge_of_a_rule_are_scored_alike_alone_and_in_a_batch():
    """Half digits, half spaces: one character more or less fires a rule of the whole text."""
    chance = random.Random(7)
    texts = ["".join(chance.choices("12 .aأب", k=chance.randint(1, 24))) for _ in range(2_000)]
    scorer = Scorer.shipped()
    assert [scorer.score([text])[0] for text in texts] == scorer.score(texts)


def test_one_output_is_explained_as_among_all(shipped):
    text = "يا كلب تواصل واتساب 0551234567 http://bit.ly/x"
    alone = shipped.decompose(text, outputs={"spam"})
    assert alone == [span for span in shipped.decompose(text) if span.output == "spam"]
    assert shipped.explain(text, limit=3, outputs={"spam"}) == telling(text, alone)[:3]


def test_no_place_ends_before_it_begins_where_a_plainer_reading_points_back(shipped):
    assert all(span.start < span.end for span in shipped.decompose("m0r0ns people like n33d are bad"))


def test_what_is_kept_for_explaining_is_bounded_by_what_the_texts_become(shipped):
    kept = {}
    shipped.score(["ﷺ" * 5_000, "ok"], kept=kept)
    assert kept == {}
    shipped.score(["ﷺ" * 50, "ok"], kept=kept)
    assert kept.keys() == {"ﷺ" * 50, "ok"}
