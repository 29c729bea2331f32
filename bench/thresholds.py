"""What a threshold on ``TOXICITY`` does to labelled comments: `python -m bench.thresholds FILE…` (.jsonl or .jsonl.gz).

For moving a threshold that was set for Perspective: each line has a ``text`` and, where it is known, ``abuse`` (0 or 1).
Prints figures alone, by language.
"""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from classifiers.runtime import Scorer

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_BATCH = 500


def main() -> None:
    """Score the files' labelled comments and print one table a language."""
    scorer = Scorer.shipped()
    found: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for name in sys.argv[1:]:
        lines = [line for line in _read(Path(name)) if line[1] in (0, 1)]
        for start in range(0, len(lines), _BATCH):
            batch = lines[start : start + _BATCH]
            for (_, label, language), scores in zip(
                batch, scorer.score([t for t, _, _ in batch]), strict=True
            ):
                if scores.abuse is not None:
                    found[language].append((scores.abuse, label))
    print(f"model {scorer.version}")
    for language, scored in sorted(found.items()):
        _print(language, scored)


def _read(path: Path) -> Iterator[tuple[str, int, str]]:
    written = path.read_bytes()
    for line in (gzip.decompress(written) if path.suffix == ".gz" else written).splitlines():
        row = json.loads(line)
        language = row.get("lang") or row.get("language") or path.name.partition("_")[0]
        yield row["text"], row.get("abuse"), language


def _print(language: str, scored: Sequence[tuple[float, int]]) -> None:
    abusive = [value for value, label in scored if label == 1]
    clean = [value for value, label in scored if label == 0]
    print(f"\n{language}: {len(scored)} comments, {len(abusive)} abusive")
    print(
        "| threshold | pass, of all | pass, of the clean | stopped, of the abusive | of the stopped, abusive |"
    )
    print("| --- | --- | --- | --- | --- |")
    for threshold in THRESHOLDS:
        caught, wrongly = (sum(v > threshold for v in values) for values in (abusive, clean))
        stopped = caught + wrongly
        shares = (
            1 - stopped / len(scored),
            1 - wrongly / max(len(clean), 1),
            caught / max(len(abusive), 1),
            caught / max(stopped, 1),
        )
        print(f"| {threshold} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")


if __name__ == "__main__":
    main()
