"""`moderation backup` and `restore`: what is written comes back whole, or is refused before anything is touched."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from moderation.engines import EngineAddresses
from tests.engines_fixture import are_gone
from tests.program import PROGRAM
from tests.terminal import DONE, SITE, Operator, desk, owned, site

__all__ = ["desk", "owned", "site"]

_HOLD = """
import asyncio, sys, asyncpg
async def hold():
    connection = await asyncpg.connect(sys.argv[1])
    print("held", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await connection.close()
asyncio.run(hold())
"""


@pytest.fixture(scope="module")
def files(
    desk: Operator, site: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A backup without keys and one with them, made beside running engines."""
    folder = tmp_path_factory.mktemp("backups")
    plain, whole = folder / "plain.backup", folder / "whole.backup"
    done = desk.run("backup", str(plain))
    assert done.returncode == DONE
    assert "the backup holds no secret keys" in done.stderr
    made = desk.get("backup", str(whole), "--with-keys")
    assert (made["with_keys"], made["bytes"]) == (True, whole.stat().st_size)
    return plain, whole


def names_in(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_it_is_closed_to_others_and_holds_keys_only_when_asked(files: tuple[Path, Path]) -> None:
    plain, whole = files
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600", "0o600"]
    assert "secrets.json" not in names_in(plain)
    assert "secrets.json" in names_in(whole)
    assert sorted(file.name for file in plain.parent.iterdir()) == ["plain.backup", "whole.backup"]


def test_an_existing_file_is_not_overwritten(desk: Operator, files: tuple[Path, Path]) -> None:
    assert "exists already" in desk.fail("backup", str(files[0]))


def test_it_comes_back_elsewhere_with_its_keys(
    desk: Operator, files: tuple[Path, Path], engine_data: Path
) -> None:
    plain, whole = files
    elsewhere = Operator(engine_data)
    assert "the backup holds no secret keys" in elsewhere.fail("restore", str(plain))
    elsewhere.get("restore", str(whole))
    assert elsewhere.get("site", "list") == desk.get("site", "list")
    assert (engine_data / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert "not empty" in elsewhere.fail("restore", str(plain))
    elsewhere.get("site", "add", "later", *SITE)
    elsewhere.get("restore", str(plain), "--force")
    assert "later" not in [line["name"] for line in elsewhere.get("site", "list")]
    assert are_gone(engine_data)


def test_a_database_in_use_is_left_alone(
    files: tuple[Path, Path], owned: tuple[Path, EngineAddresses]
) -> None:
    operator = Operator(owned[0])
    held = subprocess.Popen(
        [*PROGRAM[:1], "-c", _HOLD, owned[1].database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert held.stdout is not None
        held.stdout.readline()
        assert "stop the service first" in operator.fail("restore", str(files[1]), "--force")
    finally:
        held.communicate(b"\n", timeout=20)


def test_a_damaged_one_is_refused_before_anything_is_touched(
    files: tuple[Path, Path], engine_data: Path, tmp_path: Path
) -> None:
    whole = files[1].read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-200])
    (tmp_path / "flipped").write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    (tmp_path / "foreign").write_bytes(b"something else")
    for name in ("cut", "flipped", "foreign"):
        assert re.search("damaged|not a backup", Operator(engine_data).fail("restore", str(tmp_path / name)))
    assert not (engine_data / "secrets.json").exists()


def test_other_keys_are_not_thrown_away_unasked(files: tuple[Path, Path], engine_data: Path) -> None:
    elsewhere = Operator(engine_data)
    elsewhere.get("site", "add", "other", *SITE)
    before = (engine_data / "secrets.json").read_text()
    assert "other keys than the backup" in elsewhere.fail("restore", str(files[1]))
    elsewhere.get("restore", str(files[1]), "--force")
    kept = [file.read_text() for file in engine_data.glob("secrets.json.*")]
    assert kept == [before]
