"""What `serve --demo` prints: where everything is, the keys at the first start, and the first commands to try."""

import json
import shlex
from pathlib import Path

from moderation.demo.seeding import MODERATOR, SITE, FirstKeys

THREAD = "tram"
_COMMENT = {
    "thread": {"id": THREAD},
    "author": {"name": "ليلى", "email": "layla@example.com"},
    "text": "خبر يسرّ القلب، ونتمنى أن يصل الخط الثاني إلى الجامعة قريبًا.",
}


def announcement(url: str, receiver: str, keys: FirstKeys, data_dir: Path) -> str:
    """Return the text; without a key at hand the commands name a variable instead."""
    sections = [
        _addresses(url, receiver),
        _credentials(keys, data_dir),
        _commands(
            url,
            site_key=keys.site.key if keys.site else "$KEY",
            token=keys.moderator_token or "$TOKEN",
        ),
    ]
    return "\n" + "\n\n".join(sections) + "\n"


def _addresses(url: str, receiver: str) -> str:
    return "\n".join(
        [
            "The demonstration is running. Stop it with Ctrl+C.",
            "",
            f"  a page to try it          {url}/try          (English: {url}/try?lang=en)",
            f"  the moderators' console   {url}/console/",
            f"  every call, described     {url}/docs",
            f"  what the site has heard   {receiver}",
        ]
    )


def _credentials(keys: FirstKeys, data_dir: Path) -> str:
    shown = []
    where = "" if data_dir == Path("var") else f" --data-dir {shlex.quote(str(data_dir))}"
    if keys.site is not None:
        shown += [
            f"  site key                  {keys.site.key}",
            f"  webhook secret            {keys.site.webhook_secret}   (signs what we send)",
            f"  inbound secret            {keys.site.inbound_secret}   (signs what the site sends)",
        ]
    if keys.moderator_token is not None:
        shown.append(f"  moderator token           {keys.moderator_token}   ({MODERATOR}, lead)")
    if keys.moderator_password is not None:
        shown.append(f"  moderator password        {keys.moderator_password}   (for the console)")
    if shown:
        return "\n".join([f"Site `{SITE}` was made. Its keys are shown this once:", "", *shown])
    return "\n".join(
        [
            f"Site `{SITE}` was made at an earlier start, and its keys were shown then. New ones:",
            "",
            f"  .venv/bin/moderation site key add {SITE}{where}",
            f"  .venv/bin/moderation moderator token {MODERATOR}{where}",
            f"  .venv/bin/moderation moderator invite {MODERATOR}{where}",
        ]
    )


def _commands(url: str, *, site_key: str, token: str) -> str:
    body = json.dumps(_COMMENT, ensure_ascii=False)
    as_site, as_moderator = (f'-H "Authorization: Bearer {secret}"' for secret in (site_key, token))
    first_id = "import json, sys; print(json.load(sys.stdin)['items'][0]['comment']['id'])"
    return "\n".join(
        [
            "# Send a comment; the answer holds the verdict:",
            f"curl -sS '{url}/v1/comments' {as_site} -H 'Content-Type: application/json' \\",
            f"  -d '{body}'; echo",
            "",
            "# List what waits for a moderator:",
            f"curl -sS '{url}/v1/queue?site={SITE}' {as_moderator}; echo",
            "",
            "# Approve the oldest of it:",
            f"ID=$(curl -sS '{url}/v1/queue?site={SITE}' {as_moderator} \\",
            f'  | python3 -c "{first_id}")',
            f"curl -sS \"{url}/v1/comments/$ID/decision\" {as_moderator} -H 'Content-Type: application/json' \\",
            """  -d '{"verdict": "approve", "revision": 1}'; echo""",
        ]
    )
