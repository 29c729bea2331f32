"""What becomes of ``comments:suggestscore``: a label of the text; from Coral, the decision of one of our comments if it is one."""

from aiohttp import web

from moderation.domain.label import LabelSource
from moderation.domain.site import SiteCaller
from moderation.domain.verdict import Assessment
from moderation.learning.feedback import Feedback, Statement
from moderation.protocols.coral_feedback import CORAL_FEEDBACK, read_word
from moderation.protocols.perspective_attributes import outputs_of, targets_of
from moderation.protocols.perspective_errors import PerspectiveError
from moderation.protocols.perspective_requests import SuggestRequest

FEEDBACK = web.AppKey("feedback", Feedback)


async def keep_suggestion(
    request: web.Request, caller: SiteCaller, said: SuggestRequest, assessed: Assessment | None
) -> dict[str, object]:
    """Keep what was said; return what the log line should say of it. Raises `PerspectiveError` for attributes unknown."""
    language = None if assessed is None else assessed.language
    word = read_word(said)
    if word is not None:
        return {"coral": await request.app[CORAL_FEEDBACK].keep(caller, word, said.text, language)}
    if not any(map(outputs_of, said.values)):
        names = ", ".join(sorted(said.values))[:200]
        raise PerspectiveError(f"Unknown requested attribute: {names}")
    found = targets_of(said.values)
    if found is None:
        return {"label": "says nothing"}
    targets, weight = found
    statement = Statement(
        source=LabelSource.PERSPECTIVE,
        name=_name(said),
        text=said.text,
        targets=targets,
        weight=weight,
        language=language,
    )
    await request.app[FEEDBACK].keep(caller.site, statement)
    return {"label": "kept"}


def _name(said: SuggestRequest) -> tuple[str, ...]:
    """Name the statement by its token and its text: some clients send the same token with everything they send."""
    return (said.community or "", said.client_token or "", " ".join(said.text.split()))
