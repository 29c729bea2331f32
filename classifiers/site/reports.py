"""What came of a retraining, as a value; ids only, never a text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from string import Formatter
from typing import Any

from classifiers.page_words import SENTENCES, Say, speaker
from classifiers.site.curves import Curves
from classifiers.site.gates import Refusal
from classifiers.site.judgement import Changes, Slice
from classifiers.site.outliers import Labeller


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody should know who expected more: a stable code, and a sentence with named places for `fields`."""

    code: str
    sentence: str
    fields: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Any) -> "Note":
        """Read a note of a kept report; older ones are pairs of a code and a sentence.

        Only sentences that this program knows are filled in: one of somebody else's could ask for more than a word.
        """
        if not isinstance(kept, Mapping):
            return cls._said(*kept)
        fields = kept.get("fields") or {}
        if kept["sentence"] in SENTENCES and _places(kept["sentence"]) <= fields.keys():
            return cls(kept["code"], kept["sentence"], fields)
        return cls._said(kept["code"], kept.get("words") or kept["sentence"])

    @classmethod
    def _said(cls, code: str, words: str) -> "Note":
        return cls(code, "{words}", {"words": words})

    def words(self, say: Say = speaker("en")) -> str:  # noqa: B008 - it says what it is given
        """Return the sentence."""
        given = {name: say(one) if isinstance(one, str) else one for name, one in self.fields.items()}
        return say(self.sentence).format(**given)


@dataclass(frozen=True, slots=True)
class RetrainReport:
    """What came of a retraining. `as_json` is what `report.json` holds.

    `refusals` is empty just where `is_promotable`. `counts` are rows by what was done with them and labels by output;
    `snapshot` names the set of labelled rows, whatever their order. `curves` are what the page draws, by output and
    model.
    `strengths` are the ways in which the site's own n-grams were learned and mixed, with the factors of their margins, by output: scaled by
    "ratio" or "rarity", with the inverse of their penalty; "prior" is the prior alone.
    """

    version: str
    is_promotable: bool
    refusals: Sequence[Refusal]
    slices: Sequence[Slice]
    changes: Changes
    outputs: Sequence[str]
    strengths: Mapping[str, Mapping[str, float]]
    languages: Sequence[str]
    labellers: Sequence[Labeller]
    notes: Sequence[Note]
    counts: Mapping[str, int]
    snapshot: str
    active: str
    is_by_time: bool
    curves: Mapping[str, Mapping[str, Curves]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None."""
        plain: dict[str, Any] = _plain(asdict(self))
        for note, kept in zip(self.notes, plain["notes"], strict=True):
            kept["words"] = note.words()
        return plain


def _places(sentence: str) -> set[str]:
    """Return the names of a sentence's places."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
