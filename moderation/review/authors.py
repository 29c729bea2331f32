"""Who wrote a comment, as far as a moderator may know: what else they wrote on this site, and what was said of them.

An author is named by one of their comments: nobody can list authors, and no e-mail address, network or hash leaves here.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from moderation.domain.comment import Author, StoredComment
from moderation.domain.errors import FieldError, InvalidCommentError
from moderation.domain.identity import identify
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.policy import Standing
from moderation.domain.ports import SealedValueError, Vault
from moderation.domain.site import Person, Role
from moderation.domain.verdict import State
from moderation.review.archive import reachable
from moderation.storage.administration.authors import TRUSTED_BY, action_of, write_standing
from moderation.storage.administration.changes import audit
from moderation.storage.database import Connection, Database
from moderation.storage.search import Wanted, count_states, find_comments, open_audits

LATEST = 20
MAX_COUNTED = 1_000
"""Of an author's comments, the latest ones."""

_GIVEN = """
SELECT email_hash, author_name, author_external_id, address_sealed, identity FROM comments WHERE id = $1
"""
_KNOWN = "SELECT identity, standing, approved, rejected FROM authors WHERE identity = ANY($1::bytea[])"


@dataclass(frozen=True, slots=True)
class AuthorView:
    """An author on one site. ``standings`` has what the comment gave, strongest first, each with what is said of it."""

    site_id: SiteId
    name: str | None
    standings: Mapping[str, Standing]
    approved: int
    rejected: int
    """By people, of the strongest identity."""
    states: Mapping[State, int]
    """Of the latest `MAX_COUNTED` comments, those of open audits left out."""
    audited: frozenset[CommentId]
    """Those of ``comments`` to be shown without what the service said of them."""
    comments: tuple[StoredComment, ...]
    """The latest `LATEST`, the one asked about perhaps among them; a comment of the last seconds may be missing."""


@dataclass(frozen=True, slots=True)
class Say:
    """What a person says of an author; ``by`` None means the strongest that the comment gave."""

    standing: Standing
    by: str | None = None
    note: str | None = None


class Authors:
    """Looks authors up by their comments, and says who is blocked and trusted."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def of(self, comment_id: CommentId, sites: Container[SiteId]) -> AuthorView:
        """Return who wrote the comment. Raises `UnknownCommentError`, and `GoneError` for a withdrawn one."""
        async with self._database.connection() as connection:
            comment = await reachable(connection, comment_id, sites)
            given, identity = await self._given(connection, comment)
            known = {row["identity"]: row for row in await connection.fetch(_KNOWN, list(given.values()))}
            own = known.get(identity) if identity is not None else None
            states: Mapping[State, int] = {}
            comments: list[StoredComment] = []
            if identity is not None:
                states = await count_states(connection, comment.site_id, identity, MAX_COUNTED)
                wanted = Wanted(comment.site_id, identity=identity)
                comments, _ = await find_comments(connection, wanted, LATEST)
            audited = await open_audits(connection, [one.id for one in comments])
        return AuthorView(
            site_id=comment.site_id,
            name=comment.author_name,
            standings={by: _standing(known.get(hashed)) for by, hashed in given.items()},
            approved=0 if own is None else own["approved"],
            rejected=0 if own is None else own["rejected"],
            states=states,
            audited=audited,
            comments=tuple(comments),
        )

    async def say(self, person: Person, comment_id: CommentId, said: Say) -> tuple[StoredComment, str]:
        """Block, trust or clear the author of a comment; return the comment and by what they are known.

        Takes the role lead. The audit has who, on which comment, by which kind and the note, which goes with the comment's
        text. Raises `NotPermittedError`, `UnknownCommentError`, `GoneError`, and `InvalidCommentError` for a ``by`` that the comment
        does not give, or that is no ground for trust.
        """
        async with self._database.transaction() as connection:
            comment = await reachable(connection, comment_id, person.roles)
            person.require(comment.site_id, Role.LEAD)
            given, _ = await self._given(connection, comment)
            usable = [by for by in given if said.standing is not Standing.TRUSTED or by in TRUSTED_BY]
            by = said.by or next(iter(usable), "")
            if by not in usable:
                allowed = {"allowed": ", ".join(usable)}
                raise InvalidCommentError([FieldError("/by", "invalid_value", allowed)])
            await write_standing(connection, comment.site_id, given[by], said.standing)
            note = {} if said.note is None else {"note": said.note}
            await audit(
                connection,
                action_of(said.standing),
                actor=str(person.id),
                site_id=comment.site_id,
                subject=str(comment.id),
                by=by,
                **note,
            )
        return comment, by

    async def _given(
        self, connection: Connection, comment: StoredComment
    ) -> tuple[dict[str, bytes], bytes | None]:
        """Return the keyed hashes of what the comment gave, the strongest first, and the one that says who."""
        row: Any = await connection.fetchrow(_GIVEN, comment.id)
        author = Author(
            name=row["author_name"], external_id=row["author_external_id"], address=self._address(row)
        )
        hashed = identify(self._vault, comment.site, author)
        found = {
            "email": row["email_hash"],
            "external_id": hashed.external_id,
            "name": hashed.name,
            "address": hashed.address,
        }
        return {by: value for by, value in found.items() if value is not None}, row["identity"]

    def _address(self, row: Any) -> str | None:
        try:
            return (
                None if row["address_sealed"] is None else self._vault.open(row["address_sealed"], "address")
            )
        except SealedValueError:  # its key is gone: then nothing is said of it
            return None


def _standing(row: Any) -> Standing:
    return Standing.NONE if row is None else Standing(row["standing"])
