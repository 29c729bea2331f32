"""`moderation comments`: what is stored, for the operator."""

import json
from typing import Any
from uuid import UUID

import click

from moderation.cli.failures import Failure
from moderation.cli.history import import_comments
from moderation.cli.output import plain, printable, record, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.comment import StoredComment
from moderation.domain.decision import Decision
from moderation.domain.errors import UnknownCommentError
from moderation.domain.ids import CommentId
from moderation.domain.verdict import State
from moderation.review.records import Records
from moderation.storage.administration import comments as stored
from moderation.storage.administration.comments import CommentFilter, ShownComment


@click.group()
def comments() -> None:
    """List, show and import comments. Shows what readers wrote."""


comments.add_command(import_comments)


@comments.command("list")
@click.argument("site")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only in this state.")
@click.option("--thread", help="Only under this article, by the site's id of it.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many.")
@click.option("--before", type=click.UUID, help="Only older than this comment: the last of the page before.")
@with_terminal
def list_comments(
    terminal: Terminal, site: str, *, state: str | None, thread: str | None, limit: int, before: UUID | None
) -> None:
    """List a site's comments, newest first."""
    wanted = CommentFilter(State(state) if state else None, thread, before, limit)
    found = terminal.run(lambda desk: stored.list_comments(desk.database, site, wanted))
    rows = [_line(comment) for comment in found]
    columns = ("id", "received_at", "state", "reasons", "thread", "author", "text")
    terminal.show(
        [_comment(comment) for comment in found],
        lambda: table(rows, columns, empty="There is no such comment."),
    )


@comments.command("show")
@click.argument("comment_id", metavar="ID", type=click.UUID)
@click.option(
    "--with-email", is_flag=True, help="Show the author's e-mail address too; the audit tells who looked."
)
@with_terminal
def show(terminal: Terminal, comment_id: UUID, with_email: bool) -> None:
    """Show one comment, whole, with every decision on it."""
    found = terminal.run(
        lambda desk: stored.show_comment(
            desk.database, desk.vault, CommentId(comment_id), with_email=with_email, actor=desk.actor
        )
    )
    email = {"email": found.email} if with_email else {}
    result = _comment(found.comment) | email | {"history": [_decision(entry) for entry in found.history]}
    terminal.show(result, lambda: _words(found, email))


@comments.command("records")
@click.argument("comment_id", metavar="ID", type=click.UUID)
@with_terminal
def records(terminal: Terminal, comment_id: UUID) -> None:
    """Show the records of the decisions on one comment, with statements of reasons; no personal data.

    Also of a comment that was withdrawn or erased, or whose text is gone.
    """
    try:
        _, found = terminal.run(
            lambda desk: Records(desk.database, desk.vault).of(CommentId(comment_id), None)
        )
    except UnknownCommentError:
        raise Failure(f"There is no comment {comment_id}") from None
    terminal.show(found, lambda: json.dumps(found, ensure_ascii=False, indent=2))


def _line(comment: StoredComment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "received_at": comment.received_at,
        "state": comment.state.value,
        "reasons": [reason.code.value for reason in comment.reasons],
        "thread": comment.thread.id,
        "author": comment.author_name,
        "text": comment.text,
    }


def _comment(comment: StoredComment) -> dict[str, Any]:
    found: dict[str, Any] = plain(comment)
    del found["site_id"]
    return found | {"scores": comment.scores.as_wire() if comment.scores else None}


def _decision(entry: Decision) -> dict[str, Any]:
    found: dict[str, Any] = plain(entry)
    return found | {"scores": entry.scores.as_wire() if entry.scores else None}


def _words(found: ShownComment, email: dict[str, str | None]) -> str:
    comment = found.comment
    head = {
        "id": comment.id,
        "external id": comment.external_id,
        "site": comment.site,
        "thread": comment.thread.id,
        "author": comment.author_name,
        "website": comment.author_url,
        **email,
        "language": comment.language,
        "revision": comment.revision,
        "state": comment.state.value,
        "received": comment.received_at,
        "scores": {k: v for k, v in comment.scores.as_wire().items() if v is not None}
        if comment.scores
        else None,
    }
    rows = [
        {
            "no": entry.sequence,
            "when": entry.decided_at,
            "state": entry.state.value,
            "by": entry.decided_by.value,
            "reasons": [reason.code.value for reason in entry.reasons],
        }
        for entry in found.history
    ]
    decisions = table(rows, ("no", "when", "state", "by", "reasons"), empty="")
    return f"{record(head)}\n\n{decisions}\n\n{printable(comment.text)}"
