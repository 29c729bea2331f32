"""What a body that is no JSON is told: a wrong encoding needs another remedy than a misplaced comma."""

import pytest

from moderation.domain.errors import MalformedRequestError
from moderation.protocols.bodies import parse_json

TEXT = '{"text": "خبر جميل"}'
FAULTY = {
    "windows-1256": (TEXT.encode("cp1256"), "not in UTF-8 (byte 11)"),
    "utf-16": (TEXT.encode("utf-16"), "not in UTF-8 (byte 1)"),
    "a cut character": (TEXT.encode()[:-3], "not in UTF-8"),
    "a wrong encoding beside an escape": (b'{"text": "\\u0627", "url": "\xe9"}', "not in UTF-8"),
    "byte order mark": (TEXT.encode("utf-8-sig"), "byte order mark"),
    "a misplaced comma": ('{"text": "خبر",}'.encode(), "not valid JSON (line 1, column 15)"),
    "nothing": (b"", "not valid JSON (line 1, column 1)"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_body_that_cannot_be_read_is_told_why(name: str) -> None:
    body, why = FAULTY[name]
    with pytest.raises(MalformedRequestError) as refusal:
        parse_json(body)
    assert why in str(refusal.value.detail)
