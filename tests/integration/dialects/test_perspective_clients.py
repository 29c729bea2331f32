"""Perspective's real clients, unmodified, against the service."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from moderation.storage.administration import site_keys
from tests.service import RunningService

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

TEXT = "اربح 5000 دولار يوميا من المنزل، راسلني واتساب +201001234567 http://win.example"
JS_CLIENT = "@conversationai/perspectiveapi-js-client@1.0.1"
JS_CLIENT_2 = "perspective-api-client@3.1.0"
PYTHON_CLIENT = "google-api-python-client==2.202.0"
INSTALL_TIMEOUT_S = 180

# Both npm clients have Google's host in their code. What points them here without touching it is a preload that dials
# our address for that host, in the clear, as a proxy or a line in the resolver would with a certificate of its own.
REPOINT = """
const https = require('node:https');
const http = require('node:http');
https.request = (options, answered) => {
  if (options.hostname !== 'commentanalyzer.googleapis.com') throw new Error('unexpected host ' + options.hostname);
  const { agent, agents, nativeProtocols, beforeRedirect, protocol, ...rest } = options;
  return http.request({ ...rest, hostname: '127.0.0.1', port: process.env.OUR_PORT, protocol: 'http:' }, answered);
};
"""
JS_PROGRAM = """
const { Client } = require('@conversationai/perspectiveapi-js-client');
(async () => {
  const client = new Client(process.env.KEY);
  const scores = await client.getScores(process.env.TEXT);
  let refusal = null;
  try { await client.getScores(process.env.TEXT, { attributes: ['NICE'] }); } catch (error) { refusal = String(error); }
  console.log(JSON.stringify({ scores, refusal }));
})();
"""
JS_PROGRAM_2 = """
const Perspective = require('perspective-api-client');
(async () => {
  const client = new Perspective({ apiKey: process.env.KEY });
  const found = await client.analyze(process.env.TEXT, { attributes: ['toxicity', 'SPAM'], doNotStore: true });
  let refusal = null;
  try { await client.analyze(process.env.TEXT, { attributes: ['NICE'] }); } catch (error) {
    refusal = [error.name, error.message, error.response && error.response.status];
  }
  let wrong = null;
  try { await new Perspective({ apiKey: 'wrong' }).analyze('a'); } catch (error) { wrong = error.message; }
  console.log(JSON.stringify({ found, refusal, wrong }));
})();
"""
PYTHON_PROGRAM = """
import json, os
from googleapiclient import discovery, errors

client = discovery.build(
    "commentanalyzer", "v1alpha1", developerKey=os.environ["KEY"],
    discoveryServiceUrl=os.environ["URL"] + "/$discovery/rest?version=v1alpha1", static_discovery=False,
)
body = {"comment": {"text": os.environ["TEXT"]}, "requestedAttributes": {"TOXICITY": {}, "SPAM": {}}, "languages": ["en"],
        "spanAnnotations": True}
found = client.comments().analyze(body=body).execute()
kept = client.comments().suggestscore(body={
    "comment": {"text": os.environ["TEXT"]}, "clientToken": "t-1",
    "attributeScores": {"SPAM": {"summaryScore": {"value": 1}}}}).execute()
try:
    client.comments().analyze(body=body | {"requestedAttributes": {"NICE": {}}}).execute()
    refusal = None
except errors.HttpError as error:
    refusal = [error.resp.status, error.reason]
print(json.dumps({"found": found, "kept": kept, "refusal": refusal}))
"""


def _installed(command: list[str], name: str) -> None:
    """Run an installer; a machine without a registry skips the test, and says so."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{name} could not be installed in time")
    if done.returncode != 0:
        pytest.skip(f"{name} cannot be installed here: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def npm_clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not here")
    folder = tmp_path_factory.mktemp("npm")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier"]
    _installed(["npm", "install", *options, "--prefix", str(folder), JS_CLIENT, JS_CLIENT_2], "npm's clients")
    (folder / "repoint.js").write_text(REPOINT)
    return folder


@pytest.fixture(scope="module")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pip")
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(folder)]
    _installed([sys.executable, "-m", "pip", "install", *options, PYTHON_CLIENT], PYTHON_CLIENT)
    return folder


async def run(command: list[str], service: RunningService, **more: str) -> Any:
    key = await site_keys.add_key(service.database, service.site.name, actor="test", dialect="perspective")
    own = {"KEY": key.key, "TEXT": TEXT, "OUR_PORT": str(service.client.port), **more}
    own["URL"] = str(service.client.make_url("/")).rstrip("/")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command, env=kept | own, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    written, faults = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, faults.decode()
    return json.loads(written)


async def native_scores(service: RunningService) -> dict[str, float]:
    _, native = await service.submit(TEXT)
    return dict(native["scores"])


async def test_npm_perspectiveapi_js_client(npm_clients: Path, service: RunningService) -> None:
    command = ["node", "-r", str(npm_clients / "repoint.js"), "-e", JS_PROGRAM]
    answer = await run(command, service, NODE_PATH=str(npm_clients / "node_modules"))
    native = await native_scores(service)
    assert answer["scores"]["SPAM"] == pytest.approx(native["spam"], abs=1e-4)
    assert answer["scores"]["TOXICITY"] == pytest.approx(native["abuse"], abs=1e-4)
    assert "status code 400" in answer["refusal"]


async def test_npm_perspective_api_client(npm_clients: Path, service: RunningService) -> None:
    command = ["node", "-r", str(npm_clients / "repoint.js"), "-e", JS_PROGRAM_2]
    answer = await run(command, service, NODE_PATH=str(npm_clients / "node_modules"))
    native = await native_scores(service)
    scores = answer["found"]["attributeScores"]
    assert scores["TOXICITY"]["summaryScore"]["value"] == pytest.approx(native["abuse"], abs=1e-4)
    assert answer["found"]["detectedLanguages"] == ["ar"]
    assert "Unknown requested attribute: NICE" in answer["refusal"][1]
    assert "API key not valid" in answer["wrong"]


async def test_google_api_python_client(python_client: Path, service: RunningService) -> None:
    answer = await run([sys.executable, "-c", PYTHON_PROGRAM], service, PYTHONPATH=str(python_client))
    native = await native_scores(service)
    spam = answer["found"]["attributeScores"]["SPAM"]
    assert spam["summaryScore"]["value"] == pytest.approx(native["spam"], abs=1e-4)
    assert spam["spanScores"]
    assert answer["kept"]["clientToken"] == "t-1"
    assert answer["refusal"] == [400, "Unknown requested attribute: NICE"]
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT spam FROM labels") == 1
