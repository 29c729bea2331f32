"""What a teacher thinks of the training rows: kept beside the code, so that training needs neither the teacher nor its encoders.

A teacher (`classifiers.teacher`) reads a text through pretrained encoders, which the served model cannot afford. Labels mixed with its
opinion teach the n-grams what it generalises from source to source. So that measures stay honest, no opinion on a row comes from
a teacher that learned from the row's fold of sources, and none that is used while a fold is left out from one that learned from that fold.
The file holds numbers alone: a fingerprint of each source's texts tells whether they are still those the opinions are about.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import OpinionsError
from classifiers.pipeline import deal
from classifiers.samples import Sample

DIRECTORY = Path(__file__).parent / "opinions_of_teacher"
SHARE = 0.3  # of an opinion in what is learned; the rest is the label
_STEPS = 255


@dataclass(frozen=True, slots=True)
class Opinions:
    """Opinions on the rows that one language labels for abuse.

    `values` has for each source an array of shape (n_rows, folds), uint8, the chance of abuse in 255 steps: by the teacher that saw
    neither the row's own fold nor the column's; in the column of the own fold by the one that saw all other folds. `about` is the
    manifest: the teacher, and of each source its `fold` and the `sha256` of its texts.
    """

    about: Mapping[str, Any]
    values: Mapping[str, NDArray[np.uint8]]

    def chances(self, sample: Sample, fold_of: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what to learn of each row while each fold is left out: ndarray of shape (n_rows, folds), in [0, 1].

        Rows of sources without opinions, the authored ones among them, are learned by their labels. Raises OpinionsError where the
        texts or the folds of a source are others than the opinions are about.
        """
        folds = self.about["folds"]
        found = np.repeat(sample.target.astype(np.float64)[:, None], folds, axis=1)
        sources = np.array(sample.sources)
        for source, values in self.values.items():
            at = np.flatnonzero(sources == source)
            told = self.about["sources"][source]
            if fingerprint([sample.texts[row] for row in at.tolist()]) != told["sha256"]:
                raise OpinionsError(
                    "{file}: the texts are others than the teacher's opinions are about; ask it again, or use no opinions",
                    file=source,
                )
            if (fold_of[at] != told["fold"]).any():
                raise OpinionsError(
                    "{file}: stands in another fold than when the teacher was asked; ask it again, or use no opinions",
                    file=source,
                )
            found[at] += SHARE * (values / _STEPS - found[at])
        return found


def fingerprint(texts: Sequence[str]) -> str:
    """Return the SHA-256 of texts, in hexadecimal digits."""
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return found.hexdigest()


def load(language: str, directory: Path = DIRECTORY) -> Opinions | None:
    """Return the opinions kept for a language, None where there are none."""
    path = directory / f"{language}.npz"
    if not path.is_file():
        return None
    about = json.loads((directory / f"{language}.json").read_text(encoding="utf-8"))
    with np.load(path, allow_pickle=False) as arrays:
        return Opinions(about, {source: arrays[source] for source in about["sources"]})


def save(
    directory: Path, language: str, sample: Sample, chances: NDArray[np.float64], about: Mapping[str, Any]
) -> None:
    """Write opinions of shape (n_rows, folds), in [0, 1], on rows of which none is authored: those labels are this project's own."""
    sources, fold_of = np.array(sample.sources), deal(sample.sources, chances.shape[1])
    values, told = {}, {}
    for source in sorted(set(sample.sources)):
        at = np.flatnonzero(sources == source)
        values[source] = np.rint(chances[at] * _STEPS).astype(np.uint8)
        texts = [sample.texts[row] for row in at.tolist()]
        told[source] = {"fold": int(fold_of[at[0]]), "sha256": fingerprint(texts)}
    directory.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(directory / f"{language}.npz", **values)  # type: ignore[arg-type]  # the stub asks for a bool
    told_of = {"folds": chances.shape[1], "sources": told, "teacher": dict(about)}
    text = json.dumps(told_of, indent=1, sort_keys=True) + "\n"
    (directory / f"{language}.json").write_text(text, encoding="utf-8")
