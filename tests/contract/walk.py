"""A client that holds every answer against the document, and remembers which routes it has seen answer what."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.contract.openapi import Operation, check, described, match
from tests.service import RunningService, decoded


@dataclass
class Walker:
    """Sends requests; ``seen`` has the statuses of each operation, ``problems`` the types of all problems."""

    service: RunningService
    tokens: dict[str, str]
    seen: defaultdict[Operation, set[int]] = field(default_factory=lambda: defaultdict(set))
    problems: set[str] = field(default_factory=set)

    async def __call__(self, method: str, path: str, by: str | None = "site", **options: Any) -> Any:
        """Send one request, check its answer, and return the status with what it holds."""
        headers = dict(options.pop("headers", {}))
        if by is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens.get(by, by)}")
        async with self.service.client.request(method, path, headers=headers, **options) as response:
            operation = match(method, response.url.path)
            assert operation is not None, f"{method} {path} is not described"
            await check(operation, response)
            self.seen[operation].add(response.status)
            body = await decoded(response) if "ndjson" not in response.content_type else await response.text()
            if isinstance(body, dict) and str(body.get("type", "")).startswith("/problems/"):
                self.problems.add(body["type"].removeprefix("/problems/"))
            return response.status, body

    def missing(self) -> list[str]:
        """Return each good answer that the document promises and the walk has not seen."""
        return sorted(
            f"{method} {path} → {status}"
            for (method, path), operation in described().items()
            for status in operation["responses"]
            if status[0] == "2" and int(status) not in self.seen[method, path]
        )
