"""From which probability an output counts: per site, language and output, over the model's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moderation.domain.configuration import JsonReader
from moderation.domain.verdict import OUTPUTS


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability an output is doubt (hold) and from which it is sure (reject); None is never."""

    doubt: float | None = None
    reject: float | None = None


ThresholdTable = Mapping[str, Mapping[str, Thresholds]]
"""By language (or ``*`` for every one), then by output."""

LAST_RESORT = Thresholds(doubt=0.5)
"""For an output that neither the site nor the model has thresholds for: more likely than not is doubt, nothing is sure."""

_LANGUAGE = re.compile(r"\*|[a-z]{2,3}")


def in_force(language: str | None, *tables: ThresholdTable) -> Mapping[str, Thresholds]:
    """Return the thresholds of each output: a later table goes before an earlier one, the language before ``*``."""
    named = ("*",) if language is None else ("*", language)
    parts = [part for table in tables for name in named if (part := table.get(name))]
    if len(parts) == 1:
        return parts[0]
    found: dict[str, Thresholds] = {}
    for part in parts:
        found |= part
    return found


def out_of_reach(before: ThresholdTable | None, after: ThresholdTable | None) -> dict[str, list[str]]:
    """Return, by output whose thresholds for ``*`` are changed, the languages that keep thresholds of their own before them."""
    old, new = before or {}, after or {}
    of_all, changed = old.get("*", {}), new.get("*", {})
    found = {
        output: sorted(
            language
            for language, own in new.items()
            if language != "*" and output in own and own[output] == old.get(language, {}).get(output)
        )
        for output, thresholds in changed.items()
        if thresholds != of_all.get(output)
    }
    return {output: languages for output, languages in found.items() if languages}


def read_thresholds(reader: JsonReader, key: str) -> ThresholdTable | None:
    """Read the table at ``key``, None if left out; faults are noted in ``reader``."""
    if reader.value(key) is None:
        return None
    languages = reader.nested(key)
    table: dict[str, dict[str, Thresholds]] = {}
    for language in languages:
        if _LANGUAGE.fullmatch(language) is None:
            languages.fault(
                language, "invalid_value", allowed="a language code of two or three letters, or *"
            )
        outputs = languages.nested(language)
        table[language] = {
            name: _read_pair(outputs.nested(name), name) for name in OUTPUTS if outputs.has(name)
        }
        outputs.refuse_unknown()
    return table


def _read_pair(reader: JsonReader, output: str) -> Thresholds:
    """Read ``{"doubt": …, "reject": …}``: both must be said, for null is never and not the default."""
    values: dict[str, float | None] = {}
    for key in ("doubt", "reject"):
        if not reader.has(key):
            reader.fault(key, "missing")
        elif reader.value(key) is not None:
            values[key] = reader.fraction(key, 1.0)
    reader.refuse_unknown()
    doubt, reject = values.get("doubt"), values.get("reject")
    if doubt is not None and reject is not None and doubt > reject:
        reader.fault("reject", "invalid_value", allowed="not below doubt")
    if output == "reject" and reject is not None:
        reader.fault("reject", "invalid_value", allowed="null: a likely rejection is for a person to decide")
    return Thresholds(doubt, reject)


def thresholds_as_json(table: ThresholdTable) -> dict[str, Any]:
    """Write what `read_thresholds` reads."""
    return {
        language: {name: {"doubt": t.doubt, "reject": t.reject} for name, t in outputs.items()}
        for language, outputs in table.items()
    }
