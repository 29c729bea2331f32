"""The model card, written from the manifest so that the two cannot disagree."""

from collections.abc import Mapping
from typing import Any

_HEAD = """# Model card: {name}

Scores reader comments under news articles for spam and abuse, in Arabic (dialects and Arabizi included) and English.
A linear model over hashed words, pairs of words and characters inside words, and over evidence that a moderator would
name; log-count-ratio weights (Wang and Manning 2012), probabilities calibrated on sources left out of training (abuse) and
on near-copy folds (spam).

## Meant for

Helping moderators: holding doubtful comments, rejecting the surest ones, ordering a queue. Not meant to judge people, nor
to decide alone on what is lawful.

## What it gives

`spam` and `abuse`, each a probability. Of the kinds, Arabic has `hate` (labelled in seven sources, unlike each other) and
`obscene` (two sources), English has `insult` (three sources). Null are: Arabic `insult` (no source labels it apart from other
abuse), English `obscene` (42 rows) and `hate` (one source, and a model of the rest ranks it little better than chance). `threat`
is no model: a rule hears threats of the writer against the reader, and its two values (0.85 and 0.001) were set by hand; who
threatens a third person, or wishes harm, is left to `abuse`. A kind says why, never whether: none rejects by itself. This site's own
`reject` is null: it needs a site's own decisions. In a language that the model does not know it gives `spam` alone, from
evidence that no language needs.

Balanced sources make a calibration stand for a share of one half. The probabilities given stand for the shares below, at which 0.5
divided the sources left out best; a site that states its own share is moved from there. Spam is calibrated on the sources as they
are (0.5 in the table) and moved in the same way.
"""
_WEAKNESSES = """
## Weaknesses

- Most Arabic rows are tweets, Facebook and YouTube comments; comments under news are few. Dialects differ in how well they
  are known (see the table): Algerian and Moroccan are weakest on a source never seen.
- The sources disagree on what abuse is. On a new site the ranking holds better than the probability: state the site's own
  share of abuse, or refit the two numbers of the calibration on some 200 of its decisions.
- Of sources where most comments are abusive, half or more stand below 0.5, since the calibration stands for a lower share.
- Spam is old and of other channels (YouTube 2013-2015, SMS 2005-2010, Gulf Twitter 2018-2020); labelled spam from comment
  forms was not to be had. About a quarter of the positives of `ar_sohateful` are not spam by eye.
- English abuse leans on slang that its sources over-sampled; `en_davidson` has a strong dialect bias and a low weight.
- Some choices for English abuse and Arabic spam were made on the test files below, so those figures are a little flattering.
- French, and Algerian comments that are mostly French, get no abuse score.
- Sarcasm, allusion and hostile opinion without a hostile word are missed.
"""


def write(manifest: Mapping[str, Any]) -> str:
    """Return the card as Markdown, the same whatever the order of keys in the manifest."""
    parts = [_HEAD.format(name=manifest["name"]), _sources(manifest), _measures(manifest), _WEAKNESSES]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sources(manifest: Mapping[str, Any]) -> str:
    lines = ["\n## Learned from\n", "| source | rows | licence |", "| --- | ---: | --- |"]
    lines += [
        f"| {name} | {source['rows']} | {source['licence']} |"
        for name, source in sorted(manifest["sources"].items())
    ]
    lines.append(
        '\n`authored` rows were written for this program. "Not stated" means that no permission is on record;'
    )
    lines.append(
        "`classifiers.train --licences` trains without those sources. `en_ucc_globe_and_mail` is measured, never learned."
    )
    lines += [
        f"\nOf `{language}` abuse the labels count {1 - told['share']:.0%}, the rest is the opinion of a teacher that saw none of its\n"
        f"source (`classifiers.teacher`), over encodings by {told['encoder']} ({told['licence']}). It is no part of the model.\n"
        "Authored rows are learned by their labels alone."
        for language, told in sorted(manifest["teachers"].items())
    ]
    return "\n".join(lines)


def _measures(manifest: Mapping[str, Any]) -> str:
    lines = [
        "\n## Measured\n",
        "Each source scored by a model that did not see it (abuse) or its near copies (spam):\n",
    ]
    lines += [
        "| language | output | source | rows | share | AUC | macro-F1 | calibration error |",
        "| - | - | - | ---: | ---: | ---: | ---: | ---: |",
    ]
    for language, outputs in sorted(manifest["left_out"].items()):
        for output, sources in sorted(outputs.items()):
            lines += [
                f"| {language} | {output} | {name} | {_numbers(found)} |"
                for name, found in sorted(sources.items())
            ]
    lines += [
        "\nTest files of the sources:\n",
        "| output | source | rows | share | AUC | macro-F1 | calibration error |",
        "| - | - | ---: | ---: | ---: | ---: | ---: |",
    ]
    for output, sources in sorted(manifest.get("test", {}).items()):
        lines += [f"| {output} | {name} | {_numbers(found)} |" for name, found in sorted(sources.items())]
    lines += [
        "\nThresholds, and the share of positives that a probability stands for:\n",
        "| language | output | share | doubt | reject |",
        "| - | - | ---: | ---: | ---: |",
    ]
    for language, outputs in sorted(manifest["thresholds"].items()):
        shares = manifest["calibrations"][language]
        lines += [
            f"| {language} | {output} | {_share(shares.get(output))} | {pair['doubt']} | {pair['reject'] or 'never'} |"
            for output, pair in sorted(outputs.items())
        ]
    return "\n".join(lines)


def _share(calibration: Mapping[str, Any] | None) -> str:
    return "a rule" if calibration is None else f"{calibration['share']:g}"


def _numbers(found: Mapping[str, Any]) -> str:
    values = [found.get(name) for name in ("share", "auc", "macro_f1", "ece")]
    return " | ".join(
        [str(int(found["rows"])), *("" if value is None else f"{value:.3f}" for value in values)]
    )
