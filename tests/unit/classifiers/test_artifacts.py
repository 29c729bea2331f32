"""A damaged or foreign artefact is refused, and the same training writes the same bytes."""

import json
import shutil

import numpy as np
import pytest

from classifiers import artifacts, card
from classifiers.errors import ArtifactIncompatibleError, ArtifactTamperedError, ClassifierError
from classifiers.runtime import PRETRAINED, Scorer
from classifiers.train import main


@pytest.fixture
def copy(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "copy")


def test_the_same_data_write_the_same_bytes(data, trained, tmp_path):
    assert main(["--data", str(data), "--out", str(tmp_path), "--name", "small", "--no-authored"]) == 0
    names = sorted(path.name for path in trained.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_the_card_can_be_written_again_from_the_manifest():
    manifest = json.loads((PRETRAINED / "manifest.json").read_bytes())
    assert card.write(manifest) == (PRETRAINED / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["weights_ar.npy", "codes_ar.npy", "MODEL_CARD.md", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "delete"])
def test_a_damaged_file_is_refused(copy, name, damage):
    path = copy / name
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "grow":
        content += b"0"
    path.write_bytes(content)
    if damage == "delete":
        path.unlink()
    with pytest.raises(ArtifactTamperedError):
        Scorer.load(copy)


def test_a_manifest_altered_by_hand_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_bytes())
    manifest["thresholds"]["ar"]["abuse"]["reject"] = 0.1
    (copy / "manifest.json").write_bytes(artifacts.canonical(manifest))
    with pytest.raises(ArtifactTamperedError):
        Scorer.load(copy)


@pytest.mark.parametrize(
    "change", [{"format": 99}, {"tables": "0" * 64}, {"calibrations": []}, {"calibrations": {"xx": {}}}, {"outputs": ["spam"]}, {"languages": None}]
)  # fmt: skip
def test_a_whole_artefact_of_another_kind_is_refused(copy, change):
    _rewrite(copy, change)
    with pytest.raises(ArtifactIncompatibleError):
        Scorer.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"thresholds": {"ar": {"abuse": {"doubt": "0.5", "reject": None}}}},
        {"thresholds": {"ar": {"abuse": [0.5, 0.9]}}},
        {"thresholds": {"ar": {"abuse": {"doubt": 7}}}},
        {"thresholds": {"ar": {"abuse": {"doubt": 10**400}}}},
        {"calibrations": {"ar": {"abuse": {"slope": "nan", "offset": 0.0}}}},
        {"calibrations": {"ar": {"abuse": {"slope": 10**400, "offset": 0.0}}}},
        {"languages": ["ar", {}]},
        {"names": [1]},
        {"kind": "site", "prior": "x", "names": {}},
        {"kind": "site", "prior": {"digest": 4}, "names": {}},
        {"aliases": []},
        {"name": "../outside"},
        {"name": "n" * 5_000},
        {"outputs": ["spam", []]},
        {"heads": {"ar": "spam"}},
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_refused_before_anything_is_built_of_it(copy, change):
    _rewrite(copy, change)
    with pytest.raises(ArtifactIncompatibleError, match="another form than this program reads"):
        Scorer.load(copy)


def test_a_manifest_nested_without_end_or_with_no_number_is_refused(copy):
    text = (copy / "manifest.json").read_text("utf-8")
    for odd in ("[" * 900 + "]" * 900, "[" * 50_000 + "]" * 50_000, "NaN", "Infinity", '"\\ud800"', "1e999"):
        (copy / "manifest.json").write_text(text.replace('"seed":0', f'"seed":{odd}'), "utf-8")
        with pytest.raises(ClassifierError):
            Scorer.load(copy)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 4), np.int16), np.zeros(3, np.float64), np.zeros(3, np.dtype("S4"))]
)
def test_weights_of_another_shape_or_type_are_refused(copy, array):
    content = artifacts._array_bytes(array)
    (copy / "weights_ar.npy").write_bytes(content)
    _rewrite(copy, {}, described={"weights_ar.npy": content})
    with pytest.raises(ArtifactIncompatibleError):
        Scorer.load(copy)


def test_an_array_of_objects_is_never_unpickled(copy):
    import io
    import pickle

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([print], dtype=object), allow_pickle=True)
    assert pickle.dumps(print)[1:] in buffer.getvalue() or b"print" in buffer.getvalue()
    (copy / "weights_ar.npy").write_bytes(buffer.getvalue())
    _rewrite(copy, {}, described={"weights_ar.npy": buffer.getvalue()})
    with pytest.raises(ArtifactTamperedError):
        Scorer.load(copy)


@pytest.mark.parametrize("shape", ["(10000000000000,)", "(1000000, 1000000)", "(-1,)", "(3, 2)"])
def test_a_header_that_asks_for_more_than_the_file_holds_takes_no_memory(copy, shape):
    content = artifacts._array_bytes(np.zeros(2, np.int16))
    header = f"{{'descr': '<i2', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = content[:8] + len(header).to_bytes(2, "little") + header.encode() + content[-4:]
    (copy / "weights_ar.npy").write_bytes(content)
    _rewrite(copy, {}, described={"weights_ar.npy": content})
    with pytest.raises(ArtifactTamperedError, match="number of values"):
        Scorer.load(copy)


def test_a_name_with_a_path_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_bytes())
    manifest["files"]["../weights_ar.npy"] = manifest["files"].pop("weights_ar.npy")
    _rewrite(copy, manifest)
    with pytest.raises(ClassifierError):
        Scorer.load(copy)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format": 2}'])
def test_something_else_in_place_of_the_manifest_is_refused(copy, content):
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(ClassifierError):
        Scorer.load(copy)


def test_an_absent_directory_is_refused(tmp_path):
    with pytest.raises(ArtifactTamperedError):
        Scorer.load(tmp_path / "nowhere")


def test_the_manifest_tells_how_the_model_was_made(trained):
    manifest = artifacts.load(trained).manifest
    assert set(manifest["libraries"]) == {"numpy", "scipy", "scikit-learn"}
    assert set(manifest["data"]) == {f"{source}.jsonl.gz" for source in manifest["sources"]}
    assert manifest["parameters"]["ar"]["abuse"]["C"] > 0
    assert manifest["left_out"]["en"]["abuse"]
    assert manifest["seed"] == 0


def test_the_shipped_model_is_small_and_lists_its_sources():
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 20_000_000
    card = (PRETRAINED / artifacts.CARD).read_text(encoding="utf-8")
    manifest = artifacts.load(PRETRAINED).manifest
    for source, found in manifest["sources"].items():
        assert f"| {source} | {found['rows']} | {found['licence']} |" in card
    assert "en_ucc_globe_and_mail" not in manifest["sources"]
    assert not {source for source in manifest["sources"] if source.startswith(("ko_", "pt_", "id_"))}


def _rewrite(directory, change, described=None):
    """Write the manifest again with changes and a right digest."""
    import hashlib

    manifest = json.loads((directory / "manifest.json").read_bytes()) | change
    for name, content in (described or {}).items():
        manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest.pop("digest", None)
    manifest["digest"] = hashlib.sha256(artifacts.canonical(manifest)).hexdigest()
    (directory / "manifest.json").write_bytes(artifacts.canonical(manifest))
