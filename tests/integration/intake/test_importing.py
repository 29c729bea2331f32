"""An import that is interrupted, and run again."""

from typing import Any

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.imports import importer
from moderation.protocols.imports.importer import Importer
from moderation.protocols.imports.rows import Row
from tests.service import RunningService

ROW = Row(
    line=1,
    raw={
        "external_id": "7",
        "text": "قرض فوري بدون كفيل",
        "state": "rejected",
        "reason": "spam",
        "decided_at": "2026-11-01T10:00:00Z",
        "labels": {"spam": 1},
    },
)


async def test_a_comment_is_never_stored_without_its_labels(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> None:
        raise ConnectionResetError

    site = await service.client.server.app[DIRECTORY].site(service.site.name)  # type: ignore[union-attr]

    def taking() -> Importer:
        return Importer(service.database, service.vault, site, clock=utc_now)

    with monkeypatch.context() as broken:
        broken.setattr(importer, "keep_labels", breaks)
        with pytest.raises(DependencyUnavailableError):
            await taking().take([ROW])
    again = taking()
    await again.take([ROW])
    assert (again.report.stored, again.report.known, again.report.labels) == (1, 0, 1)
    async with service.database.connection() as connection:
        found = await connection.fetch("SELECT l.spam FROM labels l JOIN comments c ON c.id = l.comment_id")
    assert [row["spam"] for row in found] == [1]
