"""What decides over secrets takes the same time whatever is sent: `hmac.compare_digest`, and nothing beside it."""

import ast
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import moderation
from moderation.domain.signatures import Verification, new_secret, signed_headers, verify
from moderation.protocols.coral_requests import is_signed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b'{"type": "comment.created"}'


def webhook(secret: str) -> bool:
    headers = signed_headers([secret], "m", NOW, BODY)
    return verify(headers, BODY, secrets=[OURS], now=NOW) is Verification.VALID


def coral(secret: str) -> bool:
    made = hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()
    return is_signed(f"sha256={made}", BODY, [OURS])


OURS = new_secret()
CHECKS: list[Callable[[str], bool]] = [webhook, coral]


@pytest.mark.parametrize("check", CHECKS)
def test_only_our_secret_signs(check: Callable[[str], bool]):
    assert check(OURS)
    assert not check(new_secret())


@pytest.mark.parametrize("verdict", [True, False])
@pytest.mark.parametrize("check", CHECKS)
def test_the_comparison_in_constant_time_decides(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[str], bool], verdict: bool
):
    asked = []

    def decide(ours: object, theirs: object) -> bool:
        asked.append((ours, theirs))
        return verdict

    monkeypatch.setattr(hmac, "compare_digest", decide)
    assert check(OURS) is verdict
    assert check(new_secret()) is verdict
    assert len(asked) == 2


def test_every_signature_is_compared_even_after_one_that_holds(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def decide(ours: object, theirs: object) -> bool:
        asked.append(theirs)
        return True

    monkeypatch.setattr(hmac, "compare_digest", decide)
    headers = signed_headers([OURS, new_secret(), new_secret()], "m", NOW, BODY)
    verify(headers, BODY, secrets=[OURS], now=NOW)
    assert len(asked) == 3


SECRET_NAMES = re.compile(r"(?:^|_)(?:signature|digest|mac|token|token_hash|password|password_hash)s?$")


def test_no_secret_is_compared_with_an_equals_sign():
    found = []
    for path in Path(moderation.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                names = [_name(side) for side in (node.left, *node.comparators)]
                if any(SECRET_NAMES.search(name) for name in names):
                    found.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    assert found == []


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
