"""A site (tenant), and who may call on its behalf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from moderation.domain.errors import NotPermittedError
from moderation.domain.ids import ModeratorId, SiteId
from moderation.domain.policy import Policy
from moderation.domain.rates import Limits

FIELDS = ("author.name", "author.email", "author.url", "text")
"""The fields a site may require."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What a site may choose besides its policy; each has a key of `moderation site set`."""

    required: tuple[str, ...] = ("author.name", "author.email", "text")
    max_text_length: int = 10_000
    """Code points."""
    check_dns: bool = False
    refuse_disposable: bool = False
    limits: Limits = field(default_factory=Limits)
    allow_private_endpoint: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """One tenant with its policy in force; secrets are sealed and opened only where used."""

    id: SiteId
    name: str
    title: str
    url: str
    language: str
    webhook_url: str | None
    webhook_secrets: tuple[bytes, ...] = field(repr=False)
    inbound_secrets: tuple[bytes, ...] = field(repr=False)
    settings: SiteSettings
    policy: Policy


class Role(StrEnum):
    """What a person may do on one site; each includes the ones before it."""

    MODERATOR = "moderator"
    LEAD = "lead"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Tell whether this role may do what ``other`` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class SiteCaller:
    """A site's own server, known by one of its keys."""

    site: Site
    key_id: str
    dialect: str = "native"


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in moderator; ``roles`` by site."""

    id: ModeratorId
    email: str = field(repr=False)
    roles: Mapping[SiteId, Role]

    def require(self, site_id: SiteId, role: Role = Role.MODERATOR) -> None:
        """Raise `NotPermittedError` unless this person has at least ``role`` on the site."""
        held = self.roles.get(site_id)
        if held is None or not held.includes(role):
            raise NotPermittedError("", required_role=role.value)


Caller = SiteCaller | Person

JsonObject = dict[str, Any]
