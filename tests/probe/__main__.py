"""``python -m tests.probe``: how many comments of the probe a model lets wait, by language, label and topic."""

import argparse
from collections import defaultdict
from pathlib import Path

from classifiers.runtime import Scorer
from tests.probe import CIVIL, OUTPUTS, Count, ask, comments


def main() -> None:
    """Ask a model; with `--wrong`, show what it should not have held or let through."""
    parser = argparse.ArgumentParser(prog="python -m tests.probe", description=main.__doc__)
    parser.add_argument("--model", type=Path, help="directory of an artefact (the shipped one)")
    parser.add_argument(
        "--wrong",
        action="store_true",
        help="show the comments of part a that went wrong; those of part b stay unread",
    )
    options = parser.parse_args()
    scorer = Scorer.load(options.model) if options.model else Scorer.shipped()
    counts: dict[tuple[str, ...], Count] = defaultdict(Count)
    for row, scores, is_held in ask(scorer, comments()):
        for key in (
            (row.language, row.label, f"part {row.part}"),
            (row.language, row.label, row.topic),
            (row.language, row.label, "all"),
        ):
            so_far = counts[key]
            counts[key] = Count(so_far.comments + 1, so_far.held + is_held)
        if options.wrong and row.part == "a" and is_held == (row.label == CIVIL):
            values = "  ".join(f"{output} {getattr(scores, output) or 0:.2f}" for output in OUTPUTS)
            print(f"{row.language} {row.label:5} {row.topic:10} {values}  {row.text}")
    for (language, label, topic), count in sorted(counts.items()):
        print(f"{language} {label:5} {topic:10} held {count.held:3} of {count.comments:3}")


if __name__ == "__main__":
    main()
