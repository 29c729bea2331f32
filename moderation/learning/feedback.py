"""What other systems say of a text becomes a label: kept once however often it is said, a later word replacing the earlier."""

from dataclasses import dataclass, field

from moderation.domain.clock import Clock
from moderation.domain.ids import CommentId
from moderation.domain.label import Label, LabelSource, Targets
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.storage.database import Database
from moderation.storage.labels import keep_labels


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said of one text. Statements with the same ``name`` are the same, whatever else they hold."""

    source: LabelSource
    name: tuple[str, ...] = field(repr=False)
    text: str = field(repr=False)
    targets: Targets
    weight: float = 1.0
    """How sure whoever said it was, above 0 and up to 1."""
    language: str | None = None
    comment_id: CommentId | None = None


class Feedback:
    """Keeps statements. Raises `DependencyUnavailableError`, with nothing kept, when PostgreSQL is away."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def keep(self, site: Site, said: Statement) -> None:
        """Keep one statement as a label of the site."""
        label = Label(
            site_id=site.id,
            key=self._vault.fingerprint("label", site.name, said.source.value, *said.name),
            source=said.source,
            text=said.text,
            targets=said.targets,
            labelled_at=self._clock(),
            language=said.language,
            comment_id=said.comment_id,
            weight=said.weight,
        )
        async with self._database.connection() as connection:
            await keep_labels(connection, [label])
