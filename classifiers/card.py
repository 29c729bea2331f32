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

`spam` and `abuse`, each a probability. The kinds `insult`, `obscene`, `threat`, `hate` and this site's own `reject` are null:
the sources label the kinds too differently, and `reject` needs a site's own decisions. In a language that it does not know
it gives `spam` alone, from evidence that no language needs.
"""
_WEAKNESSES = """
## Weaknesses

- Most Arabic rows are tweets, Facebook and YouTube comments; comments under news are few. Dialects differ in how well they
  are known (see the table): Algerian and Moroccan are weakest on a source never seen.
- The sources disagree on what abuse is. On a new site the ranking holds better than the probability: state the site's own
  share of abuse, or refit the two numbers of the calibration on some 200 of its decisions.
- Spam is old and of other channels (YouTube 2013-2015, SMS 2005-2010, Gulf Twitter 2018-2020); labelled spam from comment
  forms was not to be had. About a quarter of the positives of `ar_sohateful` are not spam by eye.
- English abuse leans on slang that its sources over-sampled; `en_davidson` has a strong dialect bias and a low weight.
- The spam threshold for rejection is proven over all sources together, not on each: on `ar_sohateful` alone its labelled
  precision is lower (see the table of thresholds in `docs/classifiers.md`, and what reading its false alarms showed).
- Some choices for English abuse and Arabic spam were made on the test files below, so those figures are a little flattering.
- Literal uses of words that are mostly insults (dog, donkey, monkey, stupid) and plain mentions of gay people are scored too high.
- Sarcasm, allusion and hostile opinion without a hostile word are missed.
"""


def write(manifest: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    parts = [_HEAD.format(name=manifest["name"]), _sources(manifest), _measures(manifest), _WEAKNESSES]
    return "\n".join(part.strip() for part in parts) + "\n"


def _sources(manifest: Mapping[str, Any]) -> str:
    lines = ["\n## Learned from\n", "| source | rows | licence |", "| --- | ---: | --- |"]
    lines += [
        f"| {name} | {source['rows']} | {source['licence']} |" for name, source in manifest["sources"].items()
    ]
    lines.append(
        '\n`authored` rows were written for this program. "Not stated" means that no permission is on record;'
    )
    lines.append(
        "`classifiers.train --licences` trains without those sources. `en_ucc_globe_and_mail` is measured, never learned."
    )
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
    for language, outputs in manifest["left_out"].items():
        for output, sources in outputs.items():
            lines += [
                f"| {language} | {output} | {name} | {_numbers(found)} |" for name, found in sources.items()
            ]
    lines += [
        "\nTest files of the sources:\n",
        "| output | source | rows | share | AUC | macro-F1 | calibration error |",
        "| - | - | ---: | ---: | ---: | ---: | ---: |",
    ]
    for output, sources in manifest.get("test", {}).items():
        lines += [f"| {output} | {name} | {_numbers(found)} |" for name, found in sources.items()]
    lines += ["\nThresholds:\n", "| language | output | doubt | reject |", "| - | - | ---: | ---: |"]
    for language, outputs in manifest["thresholds"].items():
        lines += [
            f"| {language} | {output} | {pair['doubt']} | {pair['reject'] or 'never'} |"
            for output, pair in outputs.items()
        ]
    return "\n".join(lines)


def _numbers(found: Mapping[str, Any]) -> str:
    values = [found.get(name) for name in ("share", "auc", "macro_f1", "ece")]
    return " | ".join(
        [str(int(found["rows"])), *("" if value is None else f"{value:.3f}" for value in values)]
    )
