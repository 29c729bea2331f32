"""`make bench` runs, in its short form: every part measures something real; the figures are not judged here."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import ON_REQUEST, PARTS
from tests.unit.classifiers.site_data import log

DEADLINE_S = 240
DRIVEN = {"intake", "workers", "latency"}
"""The parts that send comments, and so print what was answered, by status."""
SAID = {
    "intake": "intake / bare handler = ",
    "workers": "intake / bare handler = ",
    "latency": "intake 100/s",
    "limits": "limits library",
    "queue": "decide",
    "memory": "resident: idle",
    "parts": "validate",
    "scoring": "batches of 64",
}


def test_every_part_of_make_bench_is_tried_here() -> None:
    assert set(SAID) == set(PARTS) - ON_REQUEST


@pytest.mark.slow
@pytest.mark.timeout(DEADLINE_S + 30)
@pytest.mark.parametrize("part", SAID)
async def test_a_part_runs_in_its_short_form(part: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench", "--short", part, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        out, errors = await asyncio.wait_for(process.communicate(), timeout=DEADLINE_S)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    said = out.decode()
    assert process.returncode == 0, errors.decode()[-2000:]
    assert SAID[part] in said
    answered = set(re.findall(r'"(\d{3})": \d+', said))
    assert answered - {"503"} == ({"201"} if part in DRIVEN else set()), (
        said
    )  # 503 where others leave it too little of the machine


@pytest.mark.timeout(DEADLINE_S)
@pytest.mark.parametrize("given", [[], ["--log", "--letters", "--positives", "0.2"]])
def test_a_site_s_model_is_compared_through_the_two_commands(tmp_path: Path, given: list[str]) -> None:
    train, test = (tmp_path / name for name in ("train.jsonl", "test.jsonl"))
    for path, rows in ((train, log(200)), (test, log(100, seed=2))):
        path.write_text("".join(json.dumps({"text": row.text, "abuse": row.abuse}) + "\n" for row in rows))
    command = [
        sys.executable,
        "-m",
        "bench.retraining",
        str(train),
        str(test),
        "--labels",
        "120",
        "--draws",
        "1",
    ]
    done = subprocess.run([*command, *given], capture_output=True, text=True, check=True)
    labels, positive, auc, auc_site, *_, code = (
        cell.strip() for cell in done.stdout.splitlines()[-1].strip("| ").split("|")
    )
    assert (labels, code in {"0", "3"}) == ("120", True)
    assert 0 < int(positive) < 60
    assert min(float(auc), float(auc_site)) > 0.7
