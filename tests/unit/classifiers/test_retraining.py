"""A site's model learns from its moderators, keeps what the prior knows, and says when it may not take over."""

import math
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from classifiers import evidence
from classifiers.analysis import BUCKETS, analyse, keys
from classifiers.errors import (
    ArtifactTamperedError,
    ClassifierError,
    LabelsError,
    OutputBusyError,
    OutputRefusedError,
)
from classifiers.retraining import LabelledText, MustPass, retrain
from classifiers.runtime import Scorer
from classifiers.site import artefact, training
from classifiers.site.fitting import FLOOR, RARITY, WAYS, WAYS_OF_MANY, Way, fit
from classifiers.site.inputs import ONCE, OwnWeights
from classifiers.site.material import MANY_ROWS, read
from classifiers.site.measures import weighted_auc
from classifiers.site.splits import plan
from classifiers.site.training import _floored, _part_of_floor, train
from tests.unit.classifiers import site_data
from tests.unit.classifiers.test_scorer import ODD


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model of a Korean site, with its report."""
    out = tmp_path_factory.mktemp("site") / "model"
    return out, retrain(site_data.log(600), out=out)


@pytest.fixture(scope="module")
def site(made):
    return Scorer.load(made[0])


def auc(scorer, rows, output="abuse"):
    scores = [getattr(score, output) for score in scorer.score([row.text for row in rows])]
    return weighted_auc(np.array([row.label(output) for row in rows]), np.array(scores), np.ones(len(rows)))


def test_a_language_that_the_prior_never_saw_is_learned_from_the_log_alone(site, shipped):
    unseen = site_data.log(300, seed=2, noise=0)
    assert all(score.abuse is None for score in shipped.score([row.text for row in unseen]))
    for output in ("abuse", "reject"):
        assert auc(site, unseen, output) > 0.97
    probabilities = [score.abuse for score in site.score([row.text for row in unseen])]
    assert np.mean(probabilities) == pytest.approx(0.3, abs=0.07)


def test_it_may_take_over_and_says_what_it_saw(made):
    _, report = made
    assert report.is_promotable
    assert report.refusals == []
    assert report.outputs == ["abuse", "reject"]
    assert report.counts["learned_from"] == 600
    assert report.is_by_time
    assert "ko" in report.languages


def test_the_language_is_known_and_named(site, shipped):
    text = site_data.log(1)[0].text
    assert not shipped.score([text])[0].is_known_language
    score = site.score([text])[0]
    assert (score.language, score.is_known_language) == ("ko", True)


def test_what_the_site_did_not_teach_is_the_prior_s(site, shipped):
    texts = ["انت حمار وكلب ابن كلب", "شكرا على هذا المقال المفيد", "you are a stupid idiot"]
    for own, prior in zip(site.score(texts), shipped.score(texts), strict=True):
        assert own._replace(reject=None) == prior
        assert own.reject >= own.abuse


def test_a_score_is_the_same_bit_for_bit_in_any_batch(site):
    texts = [row.text for row in site_data.log(60, seed=3)] + ODD + ["يا كلب", "hello idiot"]
    alone = {text: site.score([text])[0] for text in texts}
    shuffler = random.Random(7)
    for size in (2, 3, 17, len(texts)):
        batch = shuffler.sample(texts, size)
        assert site.score(batch) == [alone[text] for text in batch]


@pytest.mark.parametrize(
    "text", ["오늘 기사 멍청이 정말", "멍청이 " * 400, "you idiot http://example.com", "يا كلب يا حقير", ""]
)
def test_the_spans_sum_to_the_log_odds(site, text):
    score = site.score([text])[0]
    for output in ("spam", "abuse", "reject"):
        probability = getattr(score, output)
        if probability is None:
            continue
        moved = math.fsum(span.weight for span in site.decompose(text) if span.output == output)
        wanted = math.log(probability / (1 - probability))
        assert moved + site.base(text, output) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("counts_repeats", [True, False])
def test_what_a_text_repeats_weighs_as_its_logarithm_grows_in_training_and_serving_alike(
    counts_repeats, shipped
):
    texts = ["멍청이", "멍청이 멍청이 멍청이", "정말 감사합니다 http://spam.example", "하마 " * 1_000]
    buckets = np.ones((BUCKETS, 1), np.int32)
    buckets[0] = 0
    rules = np.ones((evidence.COUNT, 1), np.int32)
    found = analyse(texts)
    sums = OwnWeights(buckets, rules, counts_repeats).sums(found, *keys(found), mask=np.uint32(BUCKETS - 1))
    rows = [LabelledText(text, abuse=0) for text in texts]
    if not counts_repeats:
        rows *= MANY_ROWS // len(rows)
    learned_from = read(rows, shipped).ngrams[: len(texts)].sum(axis=1).A1
    assert (sums[:, 0] / ONCE).tolist() == pytest.approx(learned_from.tolist())
    assert (sums[3, 0] > 4 * sums[0, 0]) == counts_repeats  # about as many n-grams, each a thousand times


def test_the_strongest_span_is_the_insult(site):
    text = "오늘 기사 정말 멍청이 감사"
    strongest = next(span for span in site.explain(text) if span.output == "abuse")
    assert text[strongest.start : strongest.end] == "멍청이"


def test_the_same_rows_make_the_same_model(made, tmp_path):
    again = retrain(site_data.log(600), out=tmp_path / "again")
    assert again.version == made[1].version
    assert again.snapshot == made[1].snapshot


def test_an_artefact_is_whole_in_itself_and_refuses_another_prior(made, trained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made[0], copy)
    assert Scorer.load(copy).version == made[1].version
    shutil.rmtree(copy / "prior")
    shutil.copytree(trained, copy / "prior")
    with pytest.raises(ArtifactTamperedError):
        Scorer.load(copy)


def test_serving_imports_neither_scikit_learn_nor_scipy(made):
    program = (
        "import sys; from pathlib import Path; from classifiers.runtime import Scorer\n"
        f"Scorer.load(Path({str(made[0])!r})).score(['오늘'])\n"
        "assert not {'sklearn', 'scipy'} & {name.split('.')[0] for name in sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_report_holds_ids_and_no_texts(made):
    content = (made[0] / "report.json").read_text("utf-8")
    assert '"c' in content
    assert not any(word in content for word in site_data.KOREAN[1])


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "no_labels"),
        ([LabelledText("x")], "no_labels"),
        ([LabelledText(f"text {at}", abuse=1) for at in range(100)], "one_sided_labels"),
        ([LabelledText(f"text {at}", abuse=at % 2) for at in range(12)], "too_few_labels"),
    ],
)
def test_labels_that_teach_nothing_are_refused_and_nothing_is_written(rows, code, tmp_path):
    with pytest.raises(LabelsError) as caught:
        retrain(rows, out=tmp_path / "model")
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_language_with_twelve_rows_is_left_to_the_prior_and_named(tmp_path):
    rows = site_data.log(400) + site_data.log(12, site_data.ARABIC, language="ar", seed=5)
    report = retrain(rows, out=tmp_path / "model")
    assert any(note.code == "language_not_learned" and "ar" in note.words() for note in report.notes)
    text = "يا كلب يا حقير"
    assert Scorer.load(tmp_path / "model").score([text])[0].abuse == Scorer.shipped().score([text])[0].abuse


def test_a_language_that_the_prior_does_not_know_is_scored_without_positives_of_its_own(tmp_path):
    """Few positives, told apart into two languages by their words: none of the texts may be left without a score."""
    civil = site_data.log(160, language=None, share=0, noise=0)
    rows = civil + site_data.log(60, site_data.ARABIC, language=None, noise=0, seed=5)
    retrain(rows, out=tmp_path / "model")
    scorer = Scorer.load(tmp_path / "model")
    assert [one.abuse for one in Scorer.shipped().score([civil[0].text])] == [None]
    scores = [one.abuse for one in scorer.score([row.text for row in civil[:20]])]
    assert all(score is not None and score < 0.5 for score in scores)


@pytest.mark.parametrize(("words", "is_learned"), [(site_data.TURKISH, True), (site_data.KOREAN, False)])
def test_few_positives_of_a_language_suffice_where_it_is_doubtful(words, is_learned, tmp_path):
    english = (
        [
            "this",
            "article",
            "is",
            "about",
            "the",
            "new",
            "school",
            "and",
            "the",
            "people",
            "of",
            "our",
            "city",
            "today",
        ],
        ["idiot"],
    )
    rows = site_data.log(200, words, language=None)
    rows += site_data.log(38, english, language=None, share=0, noise=0, seed=5)
    rows += site_data.log(2, english, language=None, share=1, noise=0, seed=6)
    retrain(rows, out=tmp_path / "model")
    heads = Scorer.load(tmp_path / "model").manifest["calibrations"]
    assert ("abuse" in heads.get("en", {})) is is_learned


def test_a_model_that_unlearns_is_kept_as_a_candidate(made, tmp_path):
    flipped = [
        replace(row, abuse=1 - row.abuse, reject=1 - row.reject)
        for row in site_data.log(300, seed=9, noise=0)
    ]
    old = [replace(row, at=row.at.replace(year=2027)) for row in site_data.log(150, seed=10, noise=0)]
    report = retrain(flipped + old, out=tmp_path / "model", active=made[0])
    assert not report.is_promotable
    assert "slice_worse_auc" in {refusal.code for refusal in report.refusals}
    assert Scorer.load(tmp_path / "model").version == report.version


def late(rows):
    """Return the rows later than any other here."""
    return [replace(row, at=row.at + timedelta(days=30), id=f"late-{row.id}") for row in rows]


def test_a_language_that_came_with_the_untouched_rows_alone_gets_no_head(tmp_path):
    rows = [*site_data.log(600), *late(site_data.log(60, site_data.TURKISH, language="tr", seed=3))]
    report = retrain(rows, out=tmp_path / "model")
    assert "tr" not in report.languages
    assert set(Scorer.load(tmp_path / "model").manifest["calibrations"]) == {"*", "ko"}


@pytest.mark.parametrize("is_flipped", [False, True])
def test_a_language_that_the_active_model_knows_is_not_lost_unseen(tmp_path, is_flipped):
    korean, turkish = site_data.log(600), site_data.log(300, site_data.TURKISH, language="tr", seed=3)
    retrain([*korean, *turkish], out=tmp_path / "active")
    few = late(site_data.log(40, site_data.TURKISH, language="tr", seed=4, noise=float(is_flipped)))
    report = retrain([*korean, *few], out=tmp_path / "new", active=tmp_path / "active")
    assert not report.is_promotable
    assert ("head_lost", "abuse, language tr") in {(one.code, one.where) for one in report.refusals}


def test_an_output_that_the_active_model_learned_is_judged_also_where_the_new_one_did_not(made, tmp_path):
    rows = site_data.log(600, seed=5)
    unsaid = [row if at >= 500 else replace(row, abuse=None) for at, row in enumerate(rows)]
    few = [replace(row, abuse=None) if row.abuse and row.id < "c59" else row for row in unsaid]
    report = retrain(few, out=tmp_path / "new", active=made[0])
    assert "abuse" not in report.outputs
    assert not report.is_promotable
    assert {one.code for one in report.refusals if one.where.startswith("abuse")} == {"head_lost"}


def test_a_frozen_case_on_the_wrong_side_keeps_it_a_candidate(tmp_path):
    case = MustPass("x", "오늘 기사 멍청이", "ko", "abuse", is_positive=False)
    report = retrain(site_data.log(400, noise=0), out=tmp_path / "model", must_pass=[case])
    assert [refusal.code for refusal in report.refusals] == ["must_pass"]


def test_a_second_retraining_into_the_same_folder_is_refused_and_the_first_goes_on(tmp_path):
    out = tmp_path / "model"
    with artefact.publishing(out) as folder:
        (folder / "manifest.json").write_text("{}")
        with pytest.raises(OutputBusyError):
            retrain(site_data.log(200), out=out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "photo.jpg").write_text("x")
    with pytest.raises(OutputRefusedError):
        retrain(site_data.log(200), out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_an_interrupted_run_leaves_the_model_before(made, tmp_path):
    out = tmp_path / "model"
    shutil.copytree(made[0], out)

    def stop(step, done, total):
        if step == "learning from all":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrain(site_data.log(400, seed=4), out=out, progress=stop)
    assert Scorer.load(out).version == made[1].version
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_death_between_two_renames_is_mended_by_the_next_run(made, tmp_path):
    left = tmp_path / ".model.new-x"
    left.mkdir()
    shutil.copytree(made[0], left / "old")
    with pytest.raises(ClassifierError):
        retrain([], out=tmp_path / "model")
    assert Scorer.load(tmp_path / "model").version == made[1].version
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_careless_moderator_is_named_and_costs_little(tmp_path):
    chance = random.Random(3)
    rows = site_data.log(2000, actors=[f"m{at}" for at in range(20)], noise=0.02)
    rows = [
        replace(row, abuse=1 - row.abuse, reject=1 - row.reject)
        if row.actor == "m7" and chance.random() < 0.9
        else row
        for row in rows
    ]
    report = retrain(rows, out=tmp_path / "model")
    assert {one.actor for one in report.labellers if one.is_outlier} == {"m7"}
    assert auc(Scorer.load(tmp_path / "model"), site_data.log(300, seed=8, noise=0)) > 0.97


def test_of_many_rows_the_latest_folds_alone_calibrate(monkeypatch):
    rows = site_data.log(400)
    material = read(rows, Scorer.shipped())
    planned = plan(np.full(len(rows), np.nan), material.groups)
    everything = train(material, planned, "abuse")
    monkeypatch.setattr(training, "ENOUGH_ROWS", 100)
    latest = train(material, planned, "abuse")
    wanted = sorted(np.concatenate([fold.score for fold in planned.folds[-2:]]).tolist())
    assert sorted(latest.held_rows.tolist()) == wanted
    assert sorted(everything.held_rows.tolist()) == planned.develop.tolist()
    assert abs(latest.overall.offset - everything.overall.offset) < 1


def test_days_are_times_enough_but_one_day_for_most_rows_is_none():
    groups = [str(n) for n in range(600)]
    by_day = plan(np.arange(600) // 25 * 86_400.0, groups)
    assert by_day.is_by_time
    assert by_day.test.tolist() == list(range(480, 600))
    assert not plan(np.maximum(np.arange(600) - 150, 0) * 1.0, groups).is_by_time


def test_from_as_many_rows_as_are_chosen_on_fewer_ways_are_tried():
    tried = {labels: training._ways(labels) for labels in (9_999, 10_000, 100_000)}
    assert tried == {9_999: WAYS, 10_000: WAYS_OF_MANY, 100_000: WAYS_OF_MANY}


def test_a_model_that_learned_from_the_same_log_is_compared_on_what_came_later_alone(made, tmp_path, shipped):
    rows = site_data.log(700)
    report = retrain(rows, out=tmp_path / "model", active=made[0], active_saw=rows[619].at)
    whole, since = (
        next(one for one in report.slices if (one.output, one.kind, one.name) == ("abuse", kind, "all"))
        for kind in ("all", "since")
    )
    assert (whole.rows, since.rows) == (140, 80)
    assert "active" not in whole.measures  # the shipped model, which stands in, knows no Korean
    assert since.measures["active"]["auc"].value > 0.8
    assert report.active == made[1].version
    assert report.notes[0].code == "active_learned_from_these"


def test_a_much_worse_model_is_refused_on_what_came_later(made, tmp_path):
    rows = site_data.log(700)
    spoilt = [replace(row, abuse=1 - row.abuse, reject=1 - row.reject) for row in rows[:560]] + rows[560:]
    report = retrain(spoilt, out=tmp_path / "model", active=made[0], active_saw=rows[599].at)
    assert "slice_worse_auc" in {refusal.code for refusal in report.refusals if ", since" in refusal.where}


def test_a_plain_way_learns_nothing_of_the_prior(shipped):
    rows = site_data.log(200, site_data.ARABIC, language="ar")
    material = read(rows, shipped)
    beside, plain = fit(material, np.arange(200), "abuse", [Way(RARITY, 0.01), FLOOR], ["ar"])
    assert np.abs(beside.shared[1:]).max() > 0.5
    assert not plain.shared[1:].any()
    assert plain.weights.any()


def test_few_labels_in_a_language_that_the_prior_does_not_know_are_mixed_with_the_plain_way(tmp_path):
    unknown = retrain(site_data.log(200, share=0.1, noise=0), out=tmp_path / "unknown")
    assert str(FLOOR) in unknown.strengths["abuse"]
    few, many = np.array([0] * 175 + [1] * 25), np.array([0, 1] * 100)
    assert _part_of_floor(few, is_silent=np.ones(200, bool)) == 0.375
    assert _part_of_floor(many, is_silent=np.ones(200, bool)) == 0
    assert _part_of_floor(few, is_silent=np.zeros(200, bool)) == 0  # the prior knows it


def test_the_floor_is_as_loud_as_what_it_is_mixed_with():
    loud, quiet = np.array([-4.0, 4.0, 0.0]), np.array([0.1, -0.1, 0.0])
    one, floor = _floored([1.0, 0.0], [loud, quiet], np.ones(3), floor=1, part=0.25)
    assert one == 0.75
    assert np.std(floor * quiet) == pytest.approx(0.25 * np.std(loud))
