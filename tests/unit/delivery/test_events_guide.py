"""The guide for site developers: its code does what it says, and its tables are complete."""

import base64
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moderation.delivery.endpoint import Outcome
from moderation.delivery.retries import SCHEDULE_S
from moderation.domain.signatures import new_secret, sign, signed_headers

GUIDE = (Path(__file__).parents[3] / "docs" / "events.md").read_text("utf-8")
BODY = '{"type": "comment.decided", "data": {"reasons": [{"message": "إهانة"}]}}'.encode()

PROGRAMS = {"python": [sys.executable, "-c"], "javascript": ["node", "-e"], "php": ["php", "-r"]}
HARNESS = {
    "python": """
import json, sys
print(json.dumps([is_genuine(c["headers"], base64.b64decode(c["body"]), c["secret"]) for c in json.load(sys.stdin)]))
""",
    "javascript": """
const cases = JSON.parse(require('node:fs').readFileSync(0));
console.log(JSON.stringify(cases.map((c) => isGenuine(c.headers, Buffer.from(c.body, 'base64'), c.secret))));
""",
    "php": """
$cases = json_decode(stream_get_contents(STDIN), true);
echo json_encode(array_map(fn($c) => is_genuine($c['headers'], base64_decode($c['body']), $c['secret']), $cases));
""",
}


def code(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)
    return found.removeprefix("<?php\n")


def cases() -> list[tuple[dict[str, object], bool]]:
    from datetime import UTC, datetime

    secret, other = new_secret(), new_secret()
    now = datetime.now(UTC)
    genuine = signed_headers([secret], "evt_1", now, BODY)
    old = int(time.time()) - 400
    both = signed_headers([other, secret], "evt_1", now, BODY)

    def case(headers: dict[str, str], body: bytes = BODY) -> dict[str, object]:
        return {"headers": headers, "body": base64.b64encode(body).decode(), "secret": secret}

    return [
        (case(genuine), True),
        (case(both), True),
        (case(genuine, BODY + b" "), False),
        (case(signed_headers([other], "evt_1", now, BODY)), False),
        (case({**genuine, "webhook-id": "evt_2"}), False),
        (case({**genuine, "webhook-timestamp": str(old)}), False),
        (
            case(
                {
                    "webhook-id": "evt_1",
                    "webhook-timestamp": str(old),
                    "webhook-signature": sign(secret, "evt_1", old, BODY),
                }
            ),
            False,
        ),
        (case({**genuine, "webhook-timestamp": "now"}), False),
        (case({**genuine, "webhook-signature": ""}), False),
        (case({**genuine, "webhook-signature": "v1, إهانة"}), False),
        (case({}), False),
    ]


@pytest.mark.parametrize("language", ["python", pytest.param("javascript", marks=pytest.mark.node), "php"])
def test_the_guides_code_tells_genuine_requests_from_others(language: str):
    command = PROGRAMS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    done = subprocess.run(
        [*command, code(language) + HARNESS[language]],
        input=json.dumps([case for case, _ in cases()]),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout) == [expected for _, expected in cases()]


def test_the_guide_names_every_outcome():
    assert {outcome for outcome in Outcome if f"`{outcome}`" not in GUIDE} == set()


def test_the_guide_gives_the_schedule_as_it_is():
    units = {"s": 1, "min": 60, "h": 3600}
    text = re.search(r"tried again after (.*?), each", GUIDE, flags=re.DOTALL)
    assert text is not None
    named = re.findall(r"(\d+) (s|min|h)\b", text.group(1))
    assert [int(number) * units[unit] for number, unit in named] == list(SCHEDULE_S)
