"""Examples that several dialects share. A test holds each against its schema."""

from moderation.protocols.openapi.parts import Json

COMMENT_ID = "01950000-0000-7000-8000-000000000001"
CLAIM_ID = "01950000-0000-7000-8000-000000000002"
PERSON_ID = "01950000-0000-7000-8000-000000000003"

NEW_COMMENT_EXAMPLE: Json = {
    "external_id": "1001",
    "thread": {"id": "12", "url": "https://news.example/12", "title": "افتتاح خط الترام الجديد"},
    "author": {"name": "ليلى", "email": "layla@example.com", "ip": "203.0.113.7"},
    "text": "خبر جميل، متى يصل الخط إلى حيّنا؟",
}
_REASONS = [
    {"code": "premoderation", "message": "كل تعليق في هذا الموقع ينتظر موافقة المشرف.", "evidence": []}
]
SCORES_EXAMPLE: Json = {
    "spam": 0.0112, "abuse": 0.0203, "insult": None, "obscene": None, "threat": 0.001, "hate": None, "reject": None,
}  # fmt: skip
_LINKS = {"self": f"/v1/comments/{COMMENT_ID}", "history": f"/v1/comments/{COMMENT_ID}/history"}
ACCEPTED_EXAMPLE: Json = {
    "id": COMMENT_ID,
    "external_id": "1001",
    "revision": 1,
    "state": "held",
    "verdict": "hold",
    "reasons": _REASONS,
    "scores": SCORES_EXAMPLE,
    "model": "shipped-0123456789ab",
    "policy": 1,
    "links": _LINKS,
}
COMMENT_EXAMPLE: Json = {
    "id": COMMENT_ID,
    "external_id": "1001",
    "site": "demo",
    "thread": NEW_COMMENT_EXAMPLE["thread"],
    "parent_id": None,
    "author": {"name": "ليلى", "url": None},
    "text": NEW_COMMENT_EXAMPLE["text"],
    "language": "ar",
    "revision": 1,
    "sequence": 1,
    "state": "held",
    "verdict": "hold",
    "reasons": _REASONS,
    "scores": SCORES_EXAMPLE,
    "model": "shipped-0123456789ab",
    "policy": 1,
    "created_at": "2026-03-01T12:00:00.000Z",
    "received_at": "2026-03-01T12:00:00.000Z",
    "decided_by": "service",
    "decided_at": "2026-03-01T12:00:00.000Z",
    "links": _LINKS,
}
