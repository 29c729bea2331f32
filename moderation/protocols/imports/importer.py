"""Take an archive in, group by group: comments with what their site decided, and labels that belong to no comment.

Bad rows are told by line and keep no other from going in. What a comment can do without (a wrong e-mail address, a wrong
date) is left out and told too. Memory is bounded by two groups; a run that was interrupted is simply run again. While one
group is being stored the next one is read. Groups are durable when the caller's next ordinary transaction is.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from moderation.domain import messages
from moderation.domain.clock import Clock
from moderation.domain.comment import Submission
from moderation.domain.errors import FieldError, InvalidCommentError
from moderation.domain.identity import identify
from moderation.domain.ids import CommentId
from moderation.domain.label import Label, LabelSource, Targets
from moderation.domain.ports import Vault
from moderation.domain.site import MAX_TEXT_LENGTH, Site
from moderation.domain.verdict import Verdict
from moderation.intake.candidates import History
from moderation.intake.history import GROUP, ORIGIN, HistoryStore, Past, in_a_moment
from moderation.intake.validation import read_submission
from moderation.protocols.batch import read_history
from moderation.protocols.imports.rows import UNDECODABLE, Row
from moderation.storage.database import Connection, Database
from moderation.storage.labels import keep_labels

MOST_FAULTS = 1000
"""Bad rows that are told one by one; further ones are only counted."""
_NEEDED = ("", "/text", "/state", "/reason", "/external_id", "/thread/id")
_DEFAULT_THREAD = "import"
_AT_ONCE = 16
"""Rows read between two looks at what is being stored."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the row at ``line``; ``is_left_out`` tells that the whole row was, else only the field."""

    line: int
    reason: str
    is_left_out: bool = True


@dataclass(slots=True)
class ImportReport:
    """What an import did. ``labelled`` counts approvals, spam and other rejections among what was stored."""

    rows: int = 0
    stored: int = 0
    known: int = 0
    labels: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    faulty: int = 0
    mended: int = 0
    labelled: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    broken: str | None = None
    """Why the file could not be read to its end."""

    def tell(self, fault: Fault) -> None:
        """Note a fault."""
        self.faulty += fault.is_left_out
        self.mended += not fault.is_left_out
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row that can go in; ``past`` where it says what became of the comment, else it has labels alone."""

    past: Past | None
    row: Row
    submission: Submission


class Importer:
    """Takes archives of one site in."""

    def __init__(self, database: Database, vault: Vault, site: Site, *, clock: Clock) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._site = replace(
            site,
            settings=replace(site.settings, required=("text",), max_text_length=MAX_TEXT_LENGTH),
        )
        self._store = HistoryStore(database, vault, self._site, clock=clock)
        self.report = ImportReport()
        self._group: list[_Entry] = []
        self._storing: asyncio.Task[None] | None = None

    async def take(self, rows: Iterable[Row]) -> None:
        """Take ``rows`` in; raises what reading them raises, after the whole groups before.

        Raises what storing a group raises, too, and stores none after it.
        """
        try:
            for row in rows:
                self._enter(row)
                if len(self._group) >= GROUP:
                    await self._flush()
                elif self.report.rows % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # what is being stored goes on between rows
        finally:
            await self._flush()
            await self._stored()

    def _enter(self, row: Row) -> None:
        self.report.rows += 1
        if row.skipped is not None:
            self.report.skipped[row.skipped] += 1
        elif row.fault is not None:
            self.report.tell(Fault(row.line, row.fault))
        elif _is_undecodable(row.raw):
            self.report.tell(Fault(row.line, "is not of the file's encoding (say which it is: --encoding)"))
        else:
            self._read(row)

    def _read(self, row: Row) -> None:
        raw = {"thread": {"id": _DEFAULT_THREAD}, **row.raw}
        try:
            submission = self._submission(raw, row.line)
            past = None
            if "state" in raw:
                decided = raw.get("decided_at") or raw.get("created_at")
                past = Past(self.report.rows, submission, read_history({**raw, "decided_at": decided}))
        except InvalidCommentError as error:
            self.report.tell(Fault(row.line, "; ".join(_words(fault) for fault in error.errors)))
            return
        self._group.append(_Entry(past, row, submission))

    def _submission(self, raw: dict[str, Any], line: int) -> Submission:
        """Read a row, without the fields that are wrong and not needed. Raises `InvalidCommentError` for one that is."""
        try:
            return read_submission(raw, self._site.settings, now=self._clock(), origin=ORIGIN)
        except InvalidCommentError as error:
            if any(fault.pointer in _NEEDED for fault in error.errors):
                raise
            for fault in error.errors:
                self.report.tell(Fault(line, f"{_words(fault)}; left out", is_left_out=False))
                _remove(raw, fault.pointer)
            return read_submission(raw, self._site.settings, now=self._clock(), origin=ORIGIN)

    async def _flush(self) -> None:
        """Begin to store the group, once the one before is stored: a reply finds what it replies to."""
        await self._stored()
        group, self._group = self._group, []
        if group:
            self._storing = asyncio.create_task(self._keep(group))

    async def _stored(self) -> None:
        """Wait for the group that is being stored; raises what storing it raises. Whoever is broken off here leaves it whole."""
        storing = self._storing
        if storing is None:
            return
        await asyncio.wait({storing})
        self._storing = None
        try:
            storing.result()
        except BaseException:
            self._group = []  # its replies would not find what they reply to, and the next run would know them so
            raise

    async def _keep(self, group: Sequence[_Entry]) -> None:
        pasts = [entry.past for entry in group if entry.past is not None]
        labelled = [entry for entry in group if entry.row.labels]

        async def beside(connection: Connection, stored: Mapping[int, CommentId]) -> None:
            await keep_labels(connection, self._labels(labelled, stored))

        kept = await self._store.keep(pasts, beside)
        self.report.stored += len(kept.stored)
        self.report.known += kept.known
        lines = {entry.past.row: entry.row.line for entry in group if entry.past is not None}
        for row in kept.unstorable:
            self.report.tell(Fault(lines[row], "holds text that the database cannot store"))
        for past in pasts:
            if past.row in kept.stored:
                self.report.labelled[_kind(past.history)] += 1
        await self._keep_bare([entry for entry in labelled if entry.past is None])
        self.report.labels += sum(
            entry.past is not None and entry.past.row in kept.stored for entry in labelled
        )

    def _labels(self, labelled: Sequence["_Entry"], stored: Mapping[int, CommentId]) -> list[Label]:
        """Return what rows say of single outputs of comments that are stored just now."""
        return [
            self._label(entry, stored[entry.past.row])
            for entry in labelled
            if entry.past is not None and entry.past.row in stored
        ]

    async def _keep_bare(self, entries: Sequence["_Entry"]) -> None:
        """Keep labels of texts that are no comment."""
        if entries:
            async with self._database.transaction() as connection:
                await in_a_moment(connection)
                await keep_labels(connection, [self._label(entry, None) for entry in entries])
        self.report.labels += len(entries)

    def _label(self, entry: "_Entry", comment_id: CommentId | None) -> Label:
        submission = entry.submission
        identities = identify(self._vault, self._site.name, submission.author)
        said = submission.external_id or submission.text
        return Label(
            site_id=self._site.id,
            key=self._vault.fingerprint("label", self._site.name, ORIGIN, said),
            source=LabelSource.IMPORT,
            text=submission.text,
            targets=Targets(**entry.row.labels),
            labelled_at=submission.created_at or self._clock(),
            language=submission.language,
            comment_id=comment_id,
            identity=identities.author,
            email_hash=identities.email,
        )


def _is_undecodable(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_undecodable(item) for item in value.values())
    return isinstance(value, str) and UNDECODABLE in value


def _remove(raw: dict[str, Any], pointer: str) -> None:
    outer, _, inner = pointer.strip("/").partition("/")
    if inner and isinstance(raw.get(outer), dict):
        raw[outer] = {key: value for key, value in raw[outer].items() if key != inner}
    else:
        raw.pop(outer, None)


def _words(fault: FieldError) -> str:
    where = fault.pointer.strip("/").replace("/", ".") or "the row"
    known = fault.code in messages.codes()
    return f"{where}: {messages.message(fault.code, 'en', fault.values) if known else fault.code}"


def _kind(history: History) -> str:
    verdict = history.ruling.verdict
    if verdict is Verdict.APPROVE:
        return "approved"
    if verdict is Verdict.HOLD:
        return "pending"
    return "spam" if any(reason.code == "spam" for reason in history.ruling.reasons) else "rejected"
