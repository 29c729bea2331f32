"""What a site holds of an author, by any of the identities a comment gives."""

from collections.abc import Iterable, Mapping

from moderation.domain.identity import Identities
from moderation.domain.policy import AuthorRecord, Standing
from moderation.storage.database import Connection

Records = Mapping[bytes, AuthorRecord]

_NOBODY = AuthorRecord()


async def read_records(connection: Connection, wanted: Iterable[bytes]) -> Records:
    """Return the records there are, by identity."""
    identities = list(set(wanted))
    if not identities:
        return {}
    rows = await connection.fetch(
        "SELECT identity, standing, approved, rejected FROM authors WHERE identity = ANY($1)", identities
    )
    return {r["identity"]: AuthorRecord(Standing(r["standing"]), r["approved"], r["rejected"]) for r in rows}


def combine(identities: Identities, records: Records) -> AuthorRecord:
    """A block of any identity counts; trust and counts never of a name alone, which is easily borrowed."""
    if not records:
        return _NOBODY
    own = records.get(identities.email or identities.external_id or b"", _NOBODY)
    standings = {records[identity].standing for identity in identities.known() if identity in records}
    if Standing.BLOCKED in standings:
        return AuthorRecord(Standing.BLOCKED, own.approved, own.rejected)
    return own
