"""A walk through the dialects of other systems' clients."""

from moderation.storage.administration import site_keys
from tests.contract.walk import Walker

TEXT = "خبر جميل، متى يصل الخط إلى حيّنا؟"


async def walk_perspective(walk: Walker) -> None:
    site = walk.service.site.name
    made = await site_keys.add_key(walk.service.database, site, actor="test", dialect="perspective")
    asked = {"comment": {"text": TEXT}, "requestedAttributes": {"TOXICITY": {}, "SPAM": {}}}
    said = {"comment": {"text": TEXT}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    analyze, suggest = (f"/v1alpha1/comments:{name}" for name in ("analyze", "suggestscore"))
    for more in ({}, {"spanAnnotations": True, "clientToken": "t", "languages": ["en"]}):
        await walk("POST", f"{analyze}?key={made.key}", None, json=asked | more)
    await walk("POST", f"{suggest}?key={made.key}", None, json=said | {"clientToken": "t"})
    for path in (analyze, suggest):
        await walk("POST", path, None, json=asked)
        await walk("POST", f"{path}?key=nonsense", None, json=asked)
        await walk("POST", f"{path}?key={made.key}", None, data=b"{")
    await walk("GET", "/$discovery/rest?version=v1alpha1", None)
    await walk("GET", "/$discovery/rest?version=v2", None)
