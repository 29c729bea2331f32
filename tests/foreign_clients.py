"""Other people's clients, installed as they are into a folder that is thrown away, and run in a process of their own."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

INSTALL_TIMEOUT_S = 180


def install_from_npm(folder: Path, *packages: str) -> Path:
    """Install from npm; skips the test where that cannot be done. Returns what ``NODE_PATH`` must be."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not here")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier"]
    _install(["npm", "install", *options, "--prefix", str(folder), *packages], "npm's clients")
    return folder / "node_modules"


def install_from_pypi(folder: Path, *packages: str) -> Path:
    """Install from the package index; skips the test where that cannot be done. Returns what ``PYTHONPATH`` must be."""
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(folder)]
    _install([sys.executable, "-m", "pip", "install", *options, *packages], ", ".join(packages))
    return folder


def _install(command: list[str], name: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{name} could not be installed in time")
    if done.returncode != 0:
        pytest.skip(f"{name} cannot be installed here: {done.stderr.strip()[-200:]}")


async def run_program(*command: str, **environment: str) -> Any:
    """Run a program with these variables and few others; return the JSON that it prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command, env=kept | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    written, faults = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, faults.decode()
    return json.loads(written)
