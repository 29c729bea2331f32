"""The compiled kernel is built at once and never stale, is left alone when that is said, and keeps to its memory."""

import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from classifiers import native
from classifiers.native import build

ROOT = Path(__file__).parents[3]
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-U_FORTIFY_SOURCE", "-O1", "-g")


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def status(**environment):
    found = run("-c", "from classifiers import kernel; print(kernel.status())", **environment)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.fixture(autouse=True)
def switched_on(monkeypatch):
    """These tests are of the kernel, whether or not the others run without it."""
    monkeypatch.delenv(native.SWITCH, raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the source, where nothing is built yet."""
    for name in (*build.SOURCES, "build.py"):
        (tmp_path / name).write_bytes((build.FOLDER / name).read_bytes())
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def compiler(folder):
    try:
        build.build(folder / "probe.so")
    except build.NotBuiltError as error:
        pytest.skip(str(error))
    (folder / "probe.so").unlink()


def test_a_fresh_folder_has_none_and_says_so(folder):
    assert native.load() == native.Loaded(None, "not built")


@pytest.mark.usefixtures("compiler")
def test_what_is_built_is_loaded_until_the_source_changes(folder):
    assert build.main() == 0
    assert build.digest() == native.load().module.SOURCE
    stale = build.path()
    (folder / "core.h").write_text((folder / "core.h").read_text() + "\n/* another */\n")
    assert native.load() == native.Loaded(None, "not built")
    build.path().write_bytes(stale.read_bytes())  # as if somebody had copied it to the new name
    assert native.load() == native.Loaded(None, "made from another source")
    build.path().unlink()
    assert build.main() == 0
    assert build.digest().encode() in build.path().read_bytes()  # a process loads a file of one name once
    assert not stale.exists()


@pytest.mark.usefixtures("compiler")
def test_half_a_file_is_not_loaded(folder):
    build.main()
    whole = build.path().read_bytes()
    build.path().unlink()
    build.path().write_bytes(whole[:64])
    assert native.load().reason.startswith("not loadable")


@pytest.mark.usefixtures("compiler")
def test_builders_at_once_leave_one_whole_file(folder):
    with ThreadPoolExecutor(4) as several:
        ends = list(several.map(lambda _: build_in_a_process(folder), range(4)))
    assert ends == [0] * 4
    assert [path.name for path in folder.glob("*.so*")] == [build.path().name]
    assert native.load().module is not None


def build_in_a_process(folder):
    code = "import sys; sys.path.insert(0, sys.argv[1]); import build; sys.exit(build.main())"
    return run("-c", code, str(folder)).returncode


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [("CC", "false", "failed"), ("PATH", "", "no C compiler")],
    ids=["a compiler that fails", "no compiler"],
)
def test_where_it_cannot_be_built_one_line_says_so_and_all_goes_on(
    folder, monkeypatch, capsys, setting, value, said
):
    monkeypatch.setenv(setting, value)
    assert build.main() == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(folder.glob("*.so*"))
    assert native.load().module is None


def test_it_can_be_switched_off():
    assert status(CLASSIFIERS_KERNEL="numpy") == "{'kernel': 'numpy', 'reason': 'switched off'}"


def test_it_is_switched_on_by_default():
    expected = native.load()
    found = status(CLASSIFIERS_KERNEL="")
    assert found == "{'kernel': 'native'}" if expected.module else expected.reason in found


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("compiler")
def test_a_wheel_brings_it_for_the_machine_it_was_made_on(tmp_path):
    assert run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)).returncode == 0
    (wheel,) = tmp_path.glob("*.whl")
    assert "-cp311-abi3-linux_" in wheel.name
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    code = "import classifiers; from classifiers import kernel; print(classifiers.__file__, kernel.status()['kernel'])"
    found = run("-c", code, PYTHONPATH=str(tmp_path / "installed"), PYTHONSAFEPATH="1")
    assert found.stdout.split() == [str(tmp_path / "installed" / "classifiers" / "__init__.py"), "native"], (
        found.stderr
    )


@pytest.mark.timeout(180)
def test_a_wheel_made_without_a_compiler_is_for_every_machine(tmp_path):
    found = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), CC="false")
    assert found.returncode == 0
    assert "without the compiled kernel" in found.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("compiler")
def test_hostile_texts_and_calls_never_leave_its_memory(tmp_path):
    library = subprocess.run(
        ["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip("the compiler has no address sanitizer")
    file = build.build(tmp_path / "sanitized.so", SANITIZERS)
    found = run(
        "-m", "tests.unit.classifiers.kernel_driver", str(file), "12", "1",
        LD_PRELOAD=library, PYTHONMALLOC="malloc", ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1", UBSAN_OPTIONS="print_stacktrace=1",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-4000:]
    assert found.stdout.splitlines()[-1].startswith("ok ")
