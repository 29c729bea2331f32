"""Artefacts that are sound and yet others than the shipped one, for tests of versions and switches."""

from pathlib import Path
from typing import Any

from classifiers import artifacts
from classifiers.runtime import PRETRAINED

_WRITTEN_BY_SAVE = {"format", "tables", "files", "digest"}


def write_variant(folder: Path, name: str, **changes: Any) -> str:
    """Write the shipped model under another name, with another manifest where ``changes`` say so; return its version."""
    shipped = artifacts.load(PRETRAINED)
    manifest = {key: value for key, value in shipped.manifest.items() if key not in _WRITTEN_BY_SAVE}
    card = (PRETRAINED / artifacts.CARD).read_text("utf-8")
    return artifacts.save(folder, {**manifest, "name": name, **changes}, shipped.arrays, card)
