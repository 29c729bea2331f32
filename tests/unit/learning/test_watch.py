"""An alarm of drift is said once of a model, and is over when another model is in force."""

import math
from typing import Any

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.verdict import Verdict
from moderation.learning import watch
from moderation.learning.health import ALL, Health
from moderation.learning.watch import HealthWatch
from moderation.storage.estimates import Judged
from moderation.telemetry import AUTOMATIC_PRECISION, MODEL_DRIFT


class Log:
    """What was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def error(self, event: str, **fields: Any) -> None:
        """Keep it."""
        self.said.append(f"{event} {fields['model']} {fields['output']}")


def health(model: str, drift: dict[str, float]) -> Health:
    return Health("akhbar", model, {}, 0, drift, is_drifted=True, drift_against="training")


def test_each_model_is_alarmed_of_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    monkeypatch.setattr(watch, "log", log)
    job = HealthWatch(None, None, clock=utc_now)  # type: ignore[arg-type]  # neither is asked
    for model in ("one", "one", "two"):
        job._alarm(health(model, {"spam": 0.4}))
    job._alarm(health("two", {"spam": 0.1}))
    job._alarm(health("two", {"spam": 0.4}))
    assert log.said == ["scores_drifted one spam", "scores_drifted two spam", "scores_drifted two spam"]


def test_the_gauge_forgets_the_drift_of_a_model_that_was_replaced() -> None:
    series, shown = watch.Series(MODEL_DRIFT), MODEL_DRIFT.labels("insult")
    series.show({("insult",): 0.4})
    assert shown._value.get() == 0.4
    series.show({})
    assert math.isnan(shown._value.get())
    series.show({("insult",): 0.1})
    assert shown._value.get() == 0.1


def test_a_rate_that_no_audit_tells_any_more_does_not_stay_at_its_last_value() -> None:
    series = watch.Series(AUTOMATIC_PRECISION)
    said = {Verdict.APPROVE: 40, Verdict.REJECT: 10}
    audits = [Judged("ar", Verdict.APPROVE, one, 1.0, count) for one, count in said.items()]
    before = watch.rates_by_labels(audits, "precision")
    assert {labels[1] for labels in before} == {"ar", ALL}
    series.show(before)
    verdict, language, bound = next(iter(before))
    shown = AUTOMATIC_PRECISION.labels(verdict, language, bound)
    assert not math.isnan(shown._value.get())
    series.show(watch.rates_by_labels([], "precision"))
    assert math.isnan(shown._value.get())
