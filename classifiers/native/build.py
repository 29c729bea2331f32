"""Compile the kernel, where a C compiler and Python's headers are there: `python -m classifiers.native`.

The standard library alone, for the package builder runs this before anything is installed. The file is named by what it was compiled
from, so that a stale one is never loaded, and put in its place at once, so that several builders and readers do not meet half a file.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = ("module.c", "core.h")
FLAGS = (
    "-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2",
    "-ffp-contract=off",  # one rounding for two operations gives other bits
)  # fmt: skip
_LONGEST = 120  # seconds


class NotBuiltError(RuntimeError):
    """The kernel cannot be compiled here; says why in a few words."""


def digest() -> str:
    """Return what names the source: the same for the same files and flags. Raises OSError where a file is missing."""
    found = hashlib.sha256(" ".join(FLAGS).encode())
    for name in SOURCES:
        found.update((FOLDER / name).read_bytes())
    return found.hexdigest()[:16]


def path() -> Path:
    """Return where the compiled file of this source for this kind of machine lies, whether it is there or not."""
    return FOLDER / f"_kernel.{digest()}.{_machine()}.abi3.so"


def is_possible() -> bool:
    """Return whether this Python can load such a file: the stable interface is that of CPython with its lock."""
    return sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")


def build(out: Path | None = None, more_flags: tuple[str, ...] = ()) -> Path:
    """Compile into ``out``, by default the place that is loaded from, and return it. Raises NotBuiltError."""
    if not is_possible():
        raise NotBuiltError("this kind of Python does not load it")
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", ""), "cc", "gcc", "clang"))), None)
    if compiler is None:
        raise NotBuiltError("no C compiler")
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").is_file():
        raise NotBuiltError("no Python.h beside this Python (on Debian: python3-dev)")
    place = out or path()
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    command = [
        compiler, *FLAGS, *more_flags, f"-DSOURCE_DIGEST={digest()}", f"-I{include}", str(FOLDER / SOURCES[0]),
        "-o", str(fresh), "-lm",
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, timeout=_LONGEST, capture_output=True)  # noqa: S603 - nothing comes from outside
        fresh.replace(place)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotBuiltError(f"{Path(compiler).name} failed ({type(error).__name__})") from error
    finally:
        fresh.unlink(missing_ok=True)
    return place


def _machine() -> str:
    return f"{sys.platform}-{platform.machine() or 'any'}"


def _remove_stale(kept: Path) -> None:
    for stale in FOLDER.glob(f"_kernel.*.{_machine()}.abi3.so"):
        if stale != kept:
            stale.unlink(missing_ok=True)


def main() -> int:
    """Build what is missing and say in one line where it cannot be; never fails, for NumPy does the same work."""
    try:
        place = path() if path().is_file() else build()
        _remove_stale(place)
    except (NotBuiltError, OSError) as error:
        sys.stderr.write(
            f"comments will be scored without compiled loops, slower, with the same scores: {error}\n"
        )
    return 0
