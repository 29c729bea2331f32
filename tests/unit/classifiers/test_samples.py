"""What each output learns from, and how much each row counts."""

from classifiers.datasets import Row
from classifiers.samples import (
    AUTHORED_SPAM_WEIGHT,
    SMALL_WEIGHT,
    UNSEEN_WEIGHT,
    balanced_sample,
    spam_sample,
)

ROWS = [
    Row("an offer", "en", "authored", spam=1, abuse=0),
    Row("a civil word", "en", "authored", spam=0, abuse=0),
    Row("an insult", "en", "authored", spam=0, abuse=1, labels={"insult": 1}),
    Row("an insult seen", "en", "en_insults", spam=None, abuse=1, labels={"insult": 1}),
    Row("a collected offer", "ar", "ar_lowquality_tweets", spam=1, abuse=None),
]


def test_authored_spam_is_no_easy_negative_of_abuse():
    for output in ("abuse", "insult"):
        sample = balanced_sample(ROWS, "en", output)
        assert sample.texts == ["a civil word", "an insult", "an insult seen"]


def test_spam_weighs_authored_rows_most_and_those_that_nobody_looked_at_little():
    weights = dict(zip(spam_sample(ROWS).texts, spam_sample(ROWS).weight.tolist(), strict=True))
    assert weights["an offer"] == weights["a civil word"] == AUTHORED_SPAM_WEIGHT
    assert weights["an insult seen"] == UNSEEN_WEIGHT
    assert weights["a collected offer"] == SMALL_WEIGHT
