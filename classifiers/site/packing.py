"""An artefact's folder as bytes, small enough for a row of a database, and back; the same folder gives the same bytes."""

import io
import zipfile
import zlib
from pathlib import Path

from classifiers import artifacts
from classifiers.errors import ArtifactTamperedError
from classifiers.site import artefact
from classifiers.site.scorer import PRIOR_FOLDER

MAX_BYTES = 256 << 20  # unpacked
_MAX_FILES = 64
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def pack(directory: Path) -> bytes:
    """Return an artefact, a site's with its prior, as one compressed archive; reports stay out. It is audited before."""
    artifacts.load(directory)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _names(directory):
            archive.writestr(
                zipfile.ZipInfo(name, _LONG_AGO), (directory / name).read_bytes(), zipfile.ZIP_DEFLATED, 6
            )
    return buffer.getvalue()


def unpack(packed: bytes, directory: Path) -> None:
    """Write what `pack` returned into a new folder, at once or not at all; the audit is `Scorer.load`'s.

    Raises ArtifactTamperedError for anything but an archive of plainly named files of bounded size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive, artefact.publishing(directory) as folder:
            _check(archive.infolist())
            (folder / PRIOR_FOLDER).mkdir()
            for entry in archive.infolist():
                (folder / entry.filename).write_bytes(archive.read(entry))
            if not any((folder / PRIOR_FOLDER).iterdir()):
                (folder / PRIOR_FOLDER).rmdir()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise ArtifactTamperedError("the packed model is damaged") from error


def _names(directory: Path) -> list[str]:
    names = [artifacts.MANIFEST, *artifacts.load(directory).manifest["files"]]
    if (directory / PRIOR_FOLDER / artifacts.MANIFEST).is_file():
        names += [f"{PRIOR_FOLDER}/{name}" for name in _names(directory / PRIOR_FOLDER)]
    return sorted(names)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        name = entry.filename.removeprefix(f"{PRIOR_FOLDER}/")
        if Path(name).name != name or name.startswith(".") or not name.endswith((".npy", ".json", ".md")):
            raise ArtifactTamperedError("the packed model holds a file that no model has")
    if len(entries) > _MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise ArtifactTamperedError("the packed model is larger than any model is")
