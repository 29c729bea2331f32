"""A site (tenant), and who may call on its behalf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from moderation.domain.configuration import JsonReader
from moderation.domain.errors import InvalidConfigurationError, NotPermittedError
from moderation.domain.ids import ModeratorId, SiteId
from moderation.domain.policy import Policy
from moderation.domain.rates import Limits
from moderation.domain.retention import read_chosen

FIELDS = ("author.name", "author.email", "author.url", "text")
"""The fields a site may require."""

MAX_TEXT_LENGTH = 40_000
"""Code points; even written as ``\\u0631`` each they stay below the bound on a request's body (256 KiB)."""


class CoralClean(StrEnum):
    """What Coral is told of a comment with nothing against it."""

    LEAVE = "leave"
    """Nothing: Coral's own rules go on."""
    NONE = "none"
    """Published, and waiting among the unmoderated."""
    APPROVE = "approve"
    """Published as if a moderator had approved it, past Coral's own pre-moderation."""


class AkismetDoubt(StrEnum):
    """What a doubtful comment is to an Akismet client that cannot be told later."""

    SPAM = "spam"
    HAM = "ham"


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
    share_spam: float | None = None
    share_abuse: float | None = None
    """The site's own word on what part of its comments is spam and abuse, until decisions tell."""
    retention: Mapping[str, int] = field(default_factory=dict)
    """Days by clock (`domain.retention.CLOCKS`) where the site chose others than the instance."""
    form_stamp_required: bool = False
    """Whether a form without a stamp is held: then a page needs our script, or must fetch one itself."""
    form_min_s: int = 3
    """Seconds that a person needs at least to fill the form in; 0 switches the check off."""
    coral_clean: CoralClean = CoralClean.LEAVE
    coral_deadline_ms: int = 150
    """After this long Coral has an answer, whatever is slow; must be less than the time limit of Coral's phase."""
    akismet_doubt: AkismetDoubt = AkismetDoubt.SPAM
    akismet_discard: bool = False
    """Whether Akismet clients are told to drop what is surely rejected, unseen by the site's own moderators."""
    akismet_nonce: bool = False
    """Whether a failed nonce of the plugin's form holds a comment; pages from a cache carry old ones."""

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read settings as an admin gives them; keys left out keep their defaults.

        Raises `InvalidConfigurationError` naming every fault.
        """
        reader, defaults = JsonReader(value), cls()
        settings = cls(
            required=_read_required(reader, defaults.required),
            max_text_length=reader.whole(
                "max_text_length", defaults.max_text_length, low=1, high=MAX_TEXT_LENGTH
            ),
            check_dns=reader.flag("check_dns", default=defaults.check_dns),
            refuse_disposable=reader.flag("refuse_disposable", default=defaults.refuse_disposable),
            limits=_read_limits(reader, defaults.limits),
            allow_private_endpoint=reader.flag(
                "allow_private_endpoint", default=defaults.allow_private_endpoint
            ),
            share_spam=_read_share(reader, "share_spam"),
            share_abuse=_read_share(reader, "share_abuse"),
            retention=read_chosen(reader, "retention"),
            form_stamp_required=reader.flag("form_stamp_required", default=defaults.form_stamp_required),
            form_min_s=reader.whole("form_min_s", defaults.form_min_s, low=0, high=600),
            coral_clean=reader.choice("coral_clean", defaults.coral_clean),
            coral_deadline_ms=reader.whole(
                "coral_deadline_ms", defaults.coral_deadline_ms, low=50, high=9_500
            ),
            akismet_doubt=reader.choice("akismet_doubt", defaults.akismet_doubt),
            akismet_discard=reader.flag("akismet_discard", default=defaults.akismet_discard),
            akismet_nonce=reader.flag("akismet_nonce", default=defaults.akismet_nonce),
        )
        reader.refuse_unknown()
        reader.finish()
        return settings


def _read_share(reader: JsonReader, key: str) -> float | None:
    if reader.value(key) is None:
        return None
    share = reader.fraction(key, 0.5)
    if not 0 < share < 1:
        reader.fault(key, "invalid_value", allowed="above 0 and below 1")
    return share


def _read_required(reader: JsonReader, default: tuple[str, ...]) -> tuple[str, ...]:
    if not reader.has("required"):
        return default
    fields = reader.items("required", most=len(FIELDS))
    if any(name not in FIELDS for name in fields):
        reader.fault("required", "invalid_value", allowed=", ".join(FIELDS))
    return tuple(fields)


def _read_limits(reader: JsonReader, default: Limits) -> Limits:
    if not reader.has("limits"):
        return default
    try:
        return Limits.from_json(reader.value("limits"))
    except InvalidConfigurationError as error:
        reader.gather("limits", error)
        return default


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
    roles: Mapping[SiteId, Role]

    def require(self, site_id: SiteId, role: Role = Role.MODERATOR) -> None:
        """Raise `NotPermittedError` unless this person has at least ``role`` on the site."""
        held = self.roles.get(site_id)
        if held is None or not held.includes(role):
            raise NotPermittedError("", required_role=role.value)


Caller = SiteCaller | Person

JsonObject = dict[str, Any]
