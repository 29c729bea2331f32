"""The examples of `docs/without-sdk.md`, taken from the page and run against the service."""

import asyncio
import base64
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moderation.domain.signatures import new_secret, signed_headers
from tests.service import RunningService, comment

GUIDE = (Path(__file__).parents[3] / "docs" / "without-sdk.md").read_text("utf-8")
TEXT = 'خبر "جميل"، متى يصل الخط؟\n$HOME `id`'
EVENT = b'{"type": "comment.decided", "data": {"state": "approved", "reasons": []}}\n'

# What a test adds under each example: submit twice, submit wrongly, verify what stands in CASES, decide.
HARNESS = {
    "python": """
first, again = (submit("1001", os.environ["TEXT"], "ليلى", "layla@example.com") for _ in range(2))
wrong = submit("1002", "", "ليلى", "layla@")
verified = [verify(c["headers"], base64.b64decode(c["body"])) for c in json.loads(os.environ["CASES"])]
decided = decide(first[1]["id"], first[1]["revision"], "approve", "desk")
print(json.dumps([first, again, wrong, verified, decided]))
""",
    "php": """
$first = submit('1001', getenv('TEXT'), 'ليلى', 'layla@example.com');
$again = submit('1001', getenv('TEXT'), 'ليلى', 'layla@example.com');
$wrong = submit('1002', '', 'ليلى', 'layla@');
$verified = array_map(fn($c) => verify($c['headers'], base64_decode($c['body'])), json_decode(getenv('CASES'), true));
$decided = decide($first[1]['id'], $first[1]['revision'], 'approve', 'desk');
echo json_encode([$first, $again, $wrong, $verified, $decided]);
""",
    "javascript": """
(async () => {
  const first = await submit('1001', process.env.TEXT, 'ليلى', 'layla@example.com');
  const again = await submit('1001', process.env.TEXT, 'ليلى', 'layla@example.com');
  const wrong = await submit('1002', '', 'ليلى', 'layla@');
  const verified = JSON.parse(process.env.CASES).map((c) => verify(c.headers, Buffer.from(c.body, 'base64')));
  const decided = await decide(first[1].id, first[1].revision, 'approve', 'desk');
  console.log(JSON.stringify([first, again, wrong, verified, decided]));
})();
""",
    "bash": """
part() { python3 -c 'import json, sys
c = json.loads(sys.argv[1])[int(sys.argv[2])]
import base64
open(sys.argv[3], "wb").write(base64.b64decode(c["body"]))
h = c["headers"]
print("\\x1f".join(h.get("webhook-" + n, "") for n in ("id", "timestamp", "signature")))' "$CASES" "$1" "$BODY"; }
first=$(submit 1001 "$TEXT" ليلى layla@example.com)
again=$(submit 1001 "$TEXT" ليلى layla@example.com)
wrong=$(submit 1002 "" ليلى layla@)
verified=
for number in $(seq 0 $((COUNT - 1))); do
  IFS=$'\\x1f' read -r id timestamp signatures < <(part "$number")
  if verify "$id" "$timestamp" "$signatures" "$BODY" 2>/dev/null; then verified+=true,; else verified+=false,; fi
done
id=$(printf %s "$first" | sed 's/.*"id":"\\([^"]*\\)","external_id.*/\\1/')
decided=$(decide "$id" 1 approve desk)
printf '[[201,%s],[200,%s],[422,%s],[%s],[200,%s]]' "$first" "$again" "$wrong" "${verified%,}" "$decided"
""",
}
PROGRAMS = {
    "python": [sys.executable, "-c"],
    "php": ["php", "-d", "display_errors=stderr", "-r"],
    "javascript": ["node", "-e"],
    "bash": ["bash", "-c"],
}
TOOLS = {"bash": ("curl", "openssl", "python3"), "php": ("php",), "javascript": ("node",), "python": ()}


@dataclass(frozen=True)
class Case:
    headers: dict[str, str]
    is_genuine: bool
    body: bytes = EVENT

    def as_json(self) -> dict[str, Any]:
        return {"headers": self.headers, "body": base64.b64encode(self.body).decode()}


def cases(secret: str) -> list[Case]:
    now, other = datetime.now(UTC), new_secret()
    genuine = signed_headers([secret], "evt_1", now, EVENT)
    return [
        Case(genuine, is_genuine=True),
        Case(signed_headers([other, secret], "evt_1", now, EVENT), is_genuine=True),
        Case(signed_headers([other], "evt_1", now, EVENT), is_genuine=False),
        Case(genuine, is_genuine=False, body=EVENT.strip()),
        Case(genuine | {"webhook-id": "evt_2"}, is_genuine=False),
        Case(signed_headers([secret], "evt_1", now - timedelta(minutes=6), EVENT), is_genuine=False),
        Case(genuine | {"webhook-timestamp": "now"}, is_genuine=False),
        Case(genuine | {"webhook-signature": "v1,"}, is_genuine=False),
        Case({}, is_genuine=False),
    ]


def code(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)
    return found.removeprefix("<?php\n")


@pytest.mark.parametrize(
    "language", ["bash", "python", "php", pytest.param("javascript", marks=pytest.mark.node)]
)
async def test_the_example_submits_verifies_and_decides(
    language: str, service: RunningService, tmp_path: Path
) -> None:
    for tool in TOOLS[language]:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")
    asked = cases(service.site.webhook_secret)
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "MODERATION": str(service.client.make_url("/")).rstrip("/"),
        "KEY": service.site.key,
        "WEBHOOK_SECRET": service.site.webhook_secret,
        "TEXT": TEXT,
        "CASES": json.dumps([case.as_json() for case in asked]),
        "COUNT": str(len(asked)),
        "BODY": str(tmp_path / "body"),
    }
    process = await asyncio.create_subprocess_exec(
        *PROGRAMS[language],
        code(language) + HARNESS[language],
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    written, faults = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 0, faults.decode()
    first, again, wrong, verified, decided = json.loads(written)
    assert (first[0], first[1]["state"], first[1]["external_id"]) == (201, "held", "1001")
    assert (again[0], again[1]["id"]) == (200, first[1]["id"])
    assert wrong[0] == 422
    assert {error["pointer"] for error in wrong[1]["errors"]} == {"/author/email", "/text"}
    assert verified == [case.is_genuine for case in asked]
    assert (decided[0], decided[1]["state"], decided[1]["decided_by"]) == (200, "approved", "site")
    async with service.database.connection() as connection:
        assert [row["text"] for row in await connection.fetch("SELECT text FROM comments")] == [TEXT]


async def test_the_shell_sends_a_signed_webhook(service: RunningService) -> None:
    for tool in TOOLS["bash"]:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")
    body = json.dumps(
        {"type": "comment.created", "data": comment(TEXT, external_id="1001")}, ensure_ascii=False
    )
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "MODERATION": str(service.client.make_url("/")).rstrip("/"),
        "SITE": service.site.name,
        "INBOUND_SECRET": service.site.inbound_secret,
        "BODY": body,
    }
    [example] = re.findall(r"```shell\n(.*?)```", GUIDE, flags=re.DOTALL)
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        example + 'send_signed m1 "$BODY"; echo; send_signed m1 "$BODY"; echo; send_signed m1 "$BODY "',
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    written, faults = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 0, faults.decode()
    first, again, spaced = (json.loads(line) for line in written.splitlines())
    assert (first["state"], first["external_id"]) == ("held", "1001")
    assert first["id"] == again["id"] == spaced["id"]
