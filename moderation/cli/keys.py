"""`moderation keys`: changing the secret keys."""

import click

from moderation.cli.terminal import Terminal, with_terminal
from moderation.privacy.rotation import Outcome, Rotation
from moderation.privacy.rotation import rotate as rotate_keys


@click.group()
def keys() -> None:
    """Change the keys under which private data is encrypted."""


@keys.command("rotate")
@with_terminal
def rotate(terminal: Terminal) -> None:
    """Make a new key and encrypt everything anew with it; may run beside the service, and be stopped and run again.

    With keys from the environment it prints the value to set first; set it, restart the service, and run this again.
    """
    done = terminal.run(lambda desk: rotate_keys(desk.database, desk.vault, actor=desk.actor))
    if done.progress.unreadable:
        terminal.warn(
            f"{done.progress.unreadable} values could not be opened with any key and stay as they are"
        )
    result = {
        "outcome": done.outcome,
        "current": done.current,
        "older": done.kept,
        "resealed": done.progress.resealed,
        "unreadable": done.progress.unreadable,
        "environment": done.environment,
    }
    terminal.show(result, lambda: _words(done))


def _words(done: Rotation) -> str:
    if done.outcome is Outcome.SET_ENVIRONMENT:
        return f"Set this, restart the service, then run the command again:\nMODERATION_SECRET_KEYS={done.environment}"
    first = (
        "the rotation begun before is complete" if done.outcome is Outcome.FINISHED else "the key is changed"
    )
    lines = [
        f"{first}: the current one is {done.current}, {done.progress.resealed} values were encrypted anew"
    ]
    if done.environment is not None:
        lines += ["The older keys are not needed any more:", f"MODERATION_SECRET_KEYS={done.environment}"]
    return "\n".join(lines)
