"""Schemathesis makes requests out of the document, right ones and wrong ones, and judges what the running service answers."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.contract.test_responses import add_demonstration
from tests.service import RunningService, seed_moderator

HERE = Path(__file__).parent
SEED = os.environ.get("SCHEMATHESIS_SEED", "2026")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "10")
LIMIT_S = os.environ.get("SCHEMATHESIS_SECONDS", "30")
NOT_JSON = "createComments"
"""Takes lines, which no generator of JSON makes; the fuzzer sends them."""

OTHER_DIALECTS = r"^/(\{version\}|v1alpha1|coral|\$discovery|console)"
"""Pages for browsers send whoever is not signed in to sign in, whatever was wrong. Other people's protocols answer wrong requests as those do, often with a 200: the fuzzer and their own tests try them."""


async def run(url: str, token: str, folder: Path, *excluded: str) -> str:
    """Run the program; return what it says, and fail if it found anything."""
    options = ["--max-examples", EXAMPLES, "--max-time", LIMIT_S, "--seed", SEED, "--workers", "1"]
    for check in excluded:
        options += ["--exclude-checks", check]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "run", url],
        *["--phases", "examples,coverage,fuzzing,stateful", "--no-color", "--continue-on-failure", *options],
        *["--header", f"Authorization: Bearer {token}", "--exclude-operation-id", NOT_JSON],
        *["--exclude-path-regex", OTHER_DIALECTS],
        *["--generation-database", "none", "--warnings", "off"],
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("caller", ["site", "lead"])
async def test_no_request_that_the_document_suggests_gets_an_answer_that_it_does_not(
    service: RunningService, tmp_path: Path, caller: str
):
    await add_demonstration(service)
    await service.submit(external_id="1001")
    token = (
        service.site.key
        if caller == "site"
        else await seed_moderator(service.database, {service.site.id: "lead"})
    )
    # A site's key needs `moderator` in a decision, a person's token does not: one schema cannot say both.
    excluded = ["positive_data_acceptance"] if caller == "site" else []
    said = await run(str(service.client.make_url("/openapi.json")), token, tmp_path, *excluded)
    tested = re.search(r"Tested: (\d+)", said)
    assert tested is not None, said
    assert int(tested[1]) >= 20, said
