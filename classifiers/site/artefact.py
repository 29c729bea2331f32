"""A site's model on disk: its own weights and heads, its prior whole beside them, a report; written at once or not at all.

DIR/manifest.json  MODEL_CARD.md  buckets.npy  weights.npy  rules.npy  prior/…  report.html  report.json
"""

import os
import shutil
import tempfile
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import artifacts, evidence
from classifiers.analysis import BUCKETS
from classifiers.calibration import STEPS
from classifiers.errors import OutputBusyError, OutputRefusedError
from classifiers.runtime import Scorer
from classifiers.site.inputs import EITHER, FEATURES, SPOKEN_OF_ALL
from classifiers.site.scorer import ANY, KIND, PRIOR_FOLDER
from classifiers.site.training import Trained

_MAX_STEPS = 32_767
_MIN_STEPS = 4  # a thousandth of log-odds at most on a comment's margin: not worth its bytes
_OLD = "old"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a site's artefact is made of besides its prior."""

    manifest: Mapping[str, Any]
    arrays: Mapping[str, NDArray[np.integer]]
    card: str


def base_of(folder: Path) -> Path:
    """Return the prior that lies in a site's artefact; another artefact is one itself."""
    return folder / PRIOR_FOLDER if (folder / PRIOR_FOLDER / artifacts.MANIFEST).is_file() else folder


def arrays(trained: Mapping[str, Trained], columns: NDArray[np.int64]) -> dict[str, NDArray[np.integer]]:
    """Return the kept buckets and their weights in whole steps, and the weights of the rules; `columns` are the material's."""
    dense = np.zeros((BUCKETS + evidence.COUNT, len(trained)), np.int64)
    for at, one in enumerate(trained.values()):
        steps = np.clip(np.rint(one.fitted.weights * STEPS), -_MAX_STEPS, _MAX_STEPS)
        dense[columns[: steps.size], at] = steps
    kept = np.flatnonzero((np.abs(dense[:BUCKETS]) >= _MIN_STEPS).any(axis=1))
    kept = kept[kept > 0]
    return {
        "buckets": kept.astype(np.int32),
        "weights": dense[kept].astype(np.int16),
        "rules": dense[BUCKETS:].astype(np.int32),
    }


def heads(trained: Mapping[str, Trained], heard: Container[str]) -> dict[str, dict[str, Any]]:
    """Return the heads by language and output; elsewhere a likely rejection is what the prior calls spam or abuse.

    In languages not `heard` the prior was silent in training and stays so, also where it takes a text for one it knows.
    """
    found: dict[str, dict[str, Any]] = {ANY: {}}
    if "reject" in trained:
        found[ANY]["reject"] = {
            "own": 0.0,
            "intercept": 0.0,
            "prior": {EITHER: 1.0},
            "slope": 1.0,
            "offset": 0.0,
        }
    for output, one in trained.items():
        for language in one.languages:
            intercept, *coefficients = one.fitted.coefficients(language).tolist()
            calibration = one.calibration(language)
            found.setdefault(language, {})[output] = {
                "own": 1.0,
                "intercept": intercept,
                "prior": {
                    name: value if language in heard or name in SPOKEN_OF_ALL else 0.0
                    for name, value in zip(FEATURES, coefficients, strict=True)
                },
                "slope": calibration.slope,
                "offset": calibration.offset,
            }
    return found


def own_heads(scorer: Scorer) -> set[tuple[str, str]]:
    """Return what a model learned of a site, as (language, output); nothing for one that is no site's."""
    if scorer.manifest.get("kind") != KIND:
        return set()
    calibrations = scorer.manifest["calibrations"]
    return {
        (language, output) for language, given in calibrations.items() if language != ANY for output in given
    }


@contextmanager
def publishing(out: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of ``out`` when the block ends well, and goes when it does not.

    Whoever asks for the same ``out`` meanwhile gets OutputBusyError; a folder that holds something else than a model gets
    OutputRefusedError. A killed process leaves at most hidden folders beside ``out``, which the next one clears up; ``out``
    itself is always whole.
    """
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with _locked(out):
        _clear(out)
        if (
            out.exists()
            and not (out / artifacts.MANIFEST).is_file()
            and (out.is_file() or any(out.iterdir()))
        ):
            raise OutputRefusedError(
                f"{out.name} holds something else than a model; name a new or empty folder"
            )
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.new-", dir=out.parent))
        try:
            yield fresh
            fresh.chmod(0o755)
            _swap(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    path = out.parent / f".{out.name}.lock"
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _take(descriptor, out.name)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                break  # else the one before us removed it in between
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(descriptor: int, name: str) -> None:
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError as error:
        raise OutputBusyError(f"{name}: another retraining writes there; wait for it to end") from error


def _clear(out: Path) -> None:
    """Remove what a killed process left; where it died between the two renames of `_swap`, put the model back."""
    for left in sorted(out.parent.glob(f".{out.name}.new-*")):
        if not out.exists() and (left / _OLD).exists():
            (left / _OLD).rename(out)
        shutil.rmtree(left, ignore_errors=True)


def _swap(fresh: Path, out: Path) -> None:
    """Put a folder in the place of another; between the two renames there is none, never half of one."""
    if not out.exists():
        fresh.rename(out)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.new-", dir=out.parent))
    out.rename(aside / _OLD)
    try:
        fresh.rename(out)
    except OSError:
        (aside / _OLD).rename(out)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write(directory: Path, parts: Parts, prior: Path) -> Scorer:
    """Write an artefact with a copy of its prior, and load it back as it will serve."""
    folder = directory / PRIOR_FOLDER
    folder.mkdir()
    described = artifacts.load(prior)
    for name in (artifacts.MANIFEST, *described.manifest["files"]):
        shutil.copyfile(prior / name, folder / name)
    manifest = {
        **parts.manifest,
        "kind": KIND,
        "prior": {"version": described.version, "digest": described.manifest["digest"]},
    }
    artifacts.save(directory, manifest, parts.arrays, parts.card)
    return Scorer.load(directory)
