"""A trained model on disk: arrays without pickle, one manifest that names and hashes every file, a card to read.

`manifest.json` is canonical JSON (sorted keys, no spaces, UTF-8) and carries the digest of its own content, so that the
same training writes the same bytes and a damaged artefact is refused before anything of it is used. Its version is a name
with the first eight digits of that digest.
"""

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.lib import format as npy
from numpy.typing import NDArray

from classifiers import evidence, latin, letters
from classifiers.analysis import CODES, analyse, keys
from classifiers.errors import ArtifactIncompatibleError, ArtifactTamperedError
from classifiers.lexicon import word_classes

FORMAT = 2
MANIFEST = "manifest.json"
CARD = "MODEL_CARD.md"
_PROBE = "probe مجس 42"
_MAX_MANIFEST_BYTES = 4 << 20
_MAX_FILE_BYTES = 64 << 20
_NPY_VERSION = (1, 0)
_ALLOWED_TYPES = frozenset({"<i2", "<i4", "<i8"})


_Probability = Annotated[float, Meta(ge=0, le=1)]
_Number = Annotated[float, Meta(ge=-1e9, le=1e9)]


class _Limits(Struct):
    doubt: _Probability | None = None
    reject: _Probability | None = None


class _Calibration(Struct):
    slope: _Number
    offset: _Number
    own: _Number = 1.0
    intercept: _Number = 0.0
    prior: dict[str, _Number] = {}


class _Prior(Struct):
    digest: str


class _Manifest(Struct):
    """What is read of a manifest, by whomever; the rest tells people where the model comes from."""

    name: Annotated[str, Meta(pattern=r"^[^\x00-\x1f/\\]{1,100}$")]
    outputs: list[str]
    languages: list[str]
    files: dict[str, Any]
    thresholds: dict[str, dict[str, _Limits]]
    calibrations: dict[str, dict[str, _Calibration]]
    heads: dict[str, list[str]] = {}
    kind: str | None = None
    prior: _Prior | None = None
    names: dict[str, str] = {}
    aliases: dict[str, str] = {}
    foreign: list[str] = []
    fallback: str | None = None
    counts_repeats: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    """An audited artefact: its manifest, its arrays by name and its version."""

    manifest: Mapping[str, Any]
    arrays: Mapping[str, NDArray[np.integer]]
    version: str


def canonical(value: Any) -> bytes:
    """Return a value as canonical JSON with a final newline."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode()


@cache
def tables_fingerprint() -> str:
    """Return the digest of everything that turns a text into features; other tables would give other scores.

    The folding tables, the rules and the listed words are hashed themselves, the n-grams by what a probe becomes.
    """
    rules = {rule.name: rule.value for rule in evidence.Rule}
    found_keys, _ = keys(analyse([_PROBE]))
    digest = hashlib.sha256(letters.fingerprint().encode())
    digest.update(canonical({"rules": rules, "words": word_classes(), "codes": CODES}))
    digest.update(found_keys.tobytes() + latin.table().tobytes())
    return digest.hexdigest()


def save(
    directory: Path, manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[np.integer]], card: str
) -> str:
    """Write an artefact and return its version; the manifest is written last, so that a broken write is noticed.

    `format`, `tables`, `files` and `digest` are added to the manifest here.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents = {f"{name}.npy": _array_bytes(array) for name, array in arrays.items()} | {CARD: card.encode()}
    described = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    }
    complete = {**manifest, "format": FORMAT, "tables": tables_fingerprint(), "files": described}
    complete["digest"] = hashlib.sha256(canonical(complete)).hexdigest()
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    (directory / MANIFEST).write_bytes(canonical(complete))
    return _version(complete)


def load(directory: Path) -> Artifact:
    """Audit an artefact and read it.

    Raises ArtifactTamperedError where a file is missing, damaged or not named by the manifest, and
    ArtifactIncompatibleError where a whole artefact was made for another format or other feature tables.
    """
    manifest = _read_manifest(directory)
    arrays = {
        name.removesuffix(".npy"): _read_array(directory, name, described)
        for name, described in sorted(manifest["files"].items())
        if name.endswith(".npy")
    }
    _read_checked(directory, CARD, manifest["files"].get(CARD))
    return Artifact(manifest, arrays, _version(manifest))


def _version(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['name']}-{manifest['digest'][:8]}"


def _array_bytes(array: NDArray[np.integer]) -> bytes:
    buffer = io.BytesIO()
    npy.write_array(buffer, np.ascontiguousarray(array), version=_NPY_VERSION, allow_pickle=False)
    return buffer.getvalue()


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise ArtifactTamperedError(f"{MANIFEST} is too large")
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise ArtifactTamperedError(f"{MANIFEST} cannot be read: {type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise ArtifactTamperedError(f"{MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ArtifactIncompatibleError(f"{MANIFEST} is not a manifest of this program")
    _check_manifest(manifest)
    return manifest


def _check_manifest(manifest: dict[str, Any]) -> None:
    if manifest["format"] != FORMAT:
        raise ArtifactIncompatibleError(f"format {manifest['format']!r}; this program reads format {FORMAT}")
    content = {key: value for key, value in manifest.items() if key != "digest"}
    try:
        digest = hashlib.sha256(canonical(content)).hexdigest()
    except (ValueError, RecursionError) as error:
        raise ArtifactTamperedError(f"{MANIFEST} holds a value that JSON does not know") from error
    if manifest.get("digest") != digest:
        raise ArtifactTamperedError(f"{MANIFEST} was changed after it was written")
    if manifest.get("tables") != tables_fingerprint():
        raise ArtifactIncompatibleError("made with other feature tables; train it again with this version")
    try:
        msgspec.convert(manifest, _Manifest)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ArtifactIncompatibleError(
            f"{MANIFEST} has another form than this program reads: {error}"
        ) from error


def _read_checked(directory: Path, name: str, described: Any) -> bytes:
    """Return a file's bytes after comparing size and hash; names with a path are refused."""
    if not isinstance(described, dict) or Path(name).name != name:
        raise ArtifactTamperedError(f"{name} is not described by the manifest")
    try:
        path = directory / name
        if path.stat().st_size != described.get("bytes") or path.stat().st_size > _MAX_FILE_BYTES:
            raise ArtifactTamperedError(f"{name} has another size than its manifest says")
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactTamperedError(f"{name} cannot be read: {type(error).__name__}") from error
    if hashlib.sha256(content).hexdigest() != described.get("sha256"):
        raise ArtifactTamperedError(f"{name} does not match its hash")
    return content


def _read_array(directory: Path, name: str, described: Any) -> NDArray[np.integer]:
    content = _read_checked(directory, name, described)
    _check_header(name, content)
    try:
        return npy.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ArtifactTamperedError(f"{name} is not an array file") from error


def _check_header(name: str, content: bytes) -> None:
    """Refuse an array that is not what its file holds: numpy would first take the memory that the header asks for."""
    stream = io.BytesIO(content)
    try:
        if npy.read_magic(stream) != _NPY_VERSION:
            raise ArtifactTamperedError(f"{name} is not an array file of this program")
        shape, _, kind = npy.read_array_header_1_0(stream)
    except (ValueError, EOFError) as error:
        raise ArtifactTamperedError(f"{name} is not an array file") from error
    if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise ArtifactTamperedError(f"{name} holds another number of values than its header says")
    if kind.str not in _ALLOWED_TYPES:
        raise ArtifactIncompatibleError(f"{name} holds {kind.str}, which is not allowed")
