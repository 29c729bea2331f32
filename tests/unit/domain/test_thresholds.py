"""Where a change of the thresholds for every language changes nothing is known."""

from moderation.domain.thresholds import Thresholds, out_of_reach

LOW, HIGH = Thresholds(0.2, 0.9), Thresholds(0.6, 0.99)


def test_a_language_with_thresholds_of_its_own_is_out_of_reach_of_those_for_all() -> None:
    before = {"ar": {"abuse": LOW}, "en": {"abuse": LOW, "spam": LOW}, "fr": {"spam": LOW}}
    after = {**before, "*": {"abuse": HIGH}}
    assert out_of_reach(before, after) == {"abuse": ["ar", "en"]}
    assert out_of_reach(after, {**after, "*": {"abuse": HIGH, "spam": HIGH}}) == {"spam": ["en", "fr"]}


def test_what_is_changed_with_them_or_is_not_changed_is_not_told() -> None:
    before = {"ar": {"abuse": LOW}, "*": {"abuse": HIGH}}
    assert out_of_reach(before, {"ar": {"abuse": HIGH}, "*": {"abuse": LOW}}) == {}
    assert out_of_reach(before, before) == {}
    assert out_of_reach(None, {"*": {"abuse": LOW}}) == {}
    assert out_of_reach(before, None) == {}
