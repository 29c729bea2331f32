"""PostgreSQL's own programs that write and read a dump, run beside the service."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from moderation.cli.failures import Failure
from moderation.engines import postgres_program

_PIPE_BYTES = 1024 * 1024


def dump(url: str, *, is_embedded: bool, write: Callable[[IO[bytes]], None]) -> None:
    """Run pg_dump and hand its output to ``write``, as of one moment. Raises `Failure`."""
    options = ("--format=custom", "--no-owner", "--no-privileges")
    with tempfile.TemporaryFile() as errors:
        process = _start(
            "pg_dump", url, *options, is_embedded=is_embedded, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            assert process.stdout is not None
            write(process.stdout)
        finally:
            _end(process)
        _refuse_failure("pg_dump", process, errors)


def restore(url: str, source: IO[bytes], *, is_embedded: bool) -> None:
    """Run pg_restore on ``source``, replacing what is there: all of it or nothing. Raises `Failure`."""
    options = (
        "--clean",
        "--if-exists",
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
    )
    with tempfile.TemporaryFile() as errors:
        process = _start(
            "pg_restore", url, *options, is_embedded=is_embedded, stdin=subprocess.PIPE, stderr=errors
        )
        try:
            assert process.stdin is not None
            with process.stdin:
                shutil.copyfileobj(source, process.stdin, _PIPE_BYTES)
        except BrokenPipeError:
            pass  # it ended early; its own words say why
        finally:
            _end(process)
        _refuse_failure("pg_restore", process, errors)


def _start(
    name: str,
    url: str,
    *options: str,
    is_embedded: bool,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    address, password = without_password(url)
    secret = {} if password is None else {"PGPASSWORD": password}
    return subprocess.Popen(  # noqa: S603 - a fixed program; the address is a setting
        [_program(name, is_embedded=is_embedded), *options, f"--dbname={address}"],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=os.environ | secret | {"LC_ALL": "C"},
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a program that has had all its input, or end one whose output nobody takes any more."""
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _refuse_failure(name: str, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    if process.returncode == 0:
        return
    errors.seek(0)
    lines = errors.read(8192).decode("utf-8", "replace").splitlines()
    # The first line names the object at fault; the ones after it may quote rows.
    raise Failure(f"{name} failed: {lines[0] if lines else f'exit code {process.returncode}'}")


def _program(name: str, *, is_embedded: bool) -> str:
    """Prefer the system's program for an outside server: the wheel's knows no TLS."""
    system = None if is_embedded else shutil.which(name)
    return system or str(Path(postgres_program(name)))


def without_password(url: str) -> tuple[str, str | None]:
    """Return the address without its password, which other accounts could read in a list of processes, and the password."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    password = next((value for key, value in query if key == "password"), None)
    credentials, at, host = parts.netloc.rpartition("@")
    user, colon, written = credentials.partition(":")
    rest = urlencode([(key, value) for key, value in query if key != "password"], safe="/")
    address = urlunsplit(parts._replace(netloc=f"{user}{at}{host}", query=rest))
    return address, unquote(written) if colon else password
