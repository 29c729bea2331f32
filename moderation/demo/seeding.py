"""What the demonstration puts into an empty database, and what it brings up to date at every later start."""

from dataclasses import dataclass, field
from secrets import token_urlsafe

from moderation.domain.errors import ConflictError, ModerationError
from moderation.domain.site import Role
from moderation.privacy.passwords import Passwords
from moderation.privacy.vault import KeyedVault
from moderation.settings import Settings
from moderation.storage.administration.moderators import add_moderator, add_token, list_moderators
from moderation.storage.administration.passwords import set_password
from moderation.storage.administration.sites import (
    SECRET_PURPOSES,
    NewSite,
    SiteCredentials,
    add_site,
    list_sites,
    set_site,
    show_site,
)
from moderation.storage.database import Database
from moderation.storage.directory import Directory

SITE = "demo"
TITLE = "يوميات النورس"
MODERATOR = "editor@example.org"
MODERATOR_NAME = "هدى"
_PASSWORD_BYTES = 12
ACTOR = "demonstration"


class DemonstrationError(ModerationError):
    """The demonstration cannot run here; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class FirstKeys:
    """What can be shown once only; empty at later starts."""

    site: SiteCredentials | None = field(default=None, repr=False)
    moderator_token: str | None = field(default=None, repr=False)
    moderator_password: str | None = field(default=None, repr=False)
    """For the console."""


def refuse_outside_database(settings: Settings) -> None:
    """Raise `DemonstrationError` if an outside database is set: it may be anybody's. Ask before the engines start."""
    if settings.database_url is not None:
        raise DemonstrationError(
            "--demo works on the embedded database only, and MODERATION_DATABASE_URL is set: unset it, or start without --demo"
        )


async def seed(database: Database, vault: KeyedVault, *, url: str, webhook_url: str) -> FirstKeys:
    """Make sure that there is the site, at its present addresses, and somebody to moderate it; return what was made.

    Raises `DemonstrationError`, with nothing changed, for a database that was filled by others.
    """
    names = [site.name for site in await list_sites(database)]
    credentials = None
    if SITE in names:
        await _move(database, url=url, webhook_url=webhook_url)
    elif names:
        raise DemonstrationError(
            f"--demo fills only an empty database, and this one holds {len(names)} site(s): choose another --data-dir, or "
            "start without --demo"
        )
    else:
        credentials = await _add(database, vault, url=url, webhook_url=webhook_url)
    if await list_moderators(database, vault, SITE):
        return FirstKeys(credentials)
    await add_moderator(
        database, vault, MODERATOR, site=SITE, role=Role.LEAD, actor=ACTOR, name=MODERATOR_NAME
    )
    password = token_urlsafe(_PASSWORD_BYTES)
    await set_password(database, vault, MODERATOR, await Passwords().hash(password), actor=ACTOR)
    token = await add_token(database, vault, MODERATOR, actor=ACTOR)
    return FirstKeys(credentials, token, password)


async def open_secrets(database: Database, vault: KeyedVault) -> list[str]:
    """Return the secrets that the site's events are signed with now, as its own server would know them."""
    site = await Directory(database).site(SITE)
    return [vault.open(sealed, SECRET_PURPOSES["webhook"]) for sealed in site.webhook_secrets]


async def _add(database: Database, vault: KeyedVault, *, url: str, webhook_url: str) -> SiteCredentials:
    new = NewSite(
        SITE,
        url=url,
        title=TITLE,
        language="ar",
        mode="pre",
        webhook_url=webhook_url,
        settings={"allow_private_endpoint": True},
    )
    try:
        return await add_site(database, vault, new, actor=ACTOR)
    except ConflictError as error:  # the site was removed, and names are not used again
        raise DemonstrationError(
            f"{error.detail} Choose another --data-dir for the demonstration."
        ) from error


async def _move(database: Database, *, url: str, webhook_url: str) -> None:
    """Write the present addresses down; another start may have found another port free."""
    known = await show_site(database, SITE)
    if not known.settings.allow_private_endpoint:
        raise DemonstrationError(
            f"the site {SITE!r} in this data directory is not the demonstration's: start without --demo"
        )
    if (known.url, known.webhook_url) != (url, webhook_url):
        await set_site(database, SITE, {"url": url, "webhook_url": webhook_url}, actor=ACTOR)
