"""Who reviews: a moderator, or a site's own server on behalf of somebody it knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from moderation.domain.clock import wire_time
from moderation.domain.decision import Decider, Decision
from moderation.domain.details import detail
from moderation.domain.errors import ClaimLostError, GoneError, NotPermittedError, UnknownCommentError
from moderation.domain.ids import SiteId
from moderation.domain.site import Person, Role, SiteCaller
from moderation.domain.task import Claim, Task
from moderation.domain.verdict import State
from moderation.storage.decisions import LockedComment


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who acts, and what they may do where; ``actor`` is a moderator's id, or the site's own login for one of its people."""

    decider: Decider
    actor: str
    roles: Mapping[SiteId, Role]

    @classmethod
    def person(cls, person: Person) -> Self:
        """Act as a signed-in moderator."""
        return cls(Decider.MODERATOR, str(person.id), person.roles)

    @classmethod
    def site(cls, caller: SiteCaller, login: str) -> Self:
        """Act for a site, which may do anything with its own comments."""
        return cls(Decider.SITE, login, {caller.site.id: Role.ADMIN})

    def made(self, decision: Decision) -> bool:
        """Tell whether ``decision`` is this reviewer's own."""
        return decision.decided_by is self.decider and decision.actor == self.actor

    def holds(self, claim: Claim) -> bool:
        """Tell whether ``claim`` is this reviewer's; only people claim."""
        return self.decider is Decider.MODERATOR and self.actor == str(claim.by)

    def role_on(self, site_id: SiteId) -> Role:
        """Return the role there. Raises `UnknownCommentError` without one: nobody learns what is on another's site."""
        role = self.roles.get(site_id)
        if role is None:
            raise UnknownCommentError
        return role

    def require(self, site_id: SiteId, role: Role) -> None:
        """Raise `NotPermittedError` for less than ``role``."""
        if not self.role_on(site_id).includes(role):
            raise NotPermittedError(detail("takes_role", role=role.value), required_role=role.value)


def require_reachable(reviewer: Reviewer, comment: LockedComment) -> None:
    """Raise `UnknownCommentError` for another's comment, `GoneError` for one withdrawn or whose text is gone."""
    reviewer.role_on(comment.site_id)
    if comment.state is State.DELETED or comment.is_emptied:
        raise GoneError


def require_claimable(reviewer: Reviewer, site_id: SiteId, task: Task | None, *, now: datetime) -> None:
    """Raise `NotPermittedError` if the open task is for leads, `ClaimLostError` if another holds a live claim on it."""
    if task is None:
        return
    reviewer.require(site_id, task.kind.required_role)
    claim = task.claim
    if claim is not None and claim.is_live(now) and not reviewer.holds(claim):
        raise ClaimLostError(claimed_by=str(claim.by), expires_at=wire_time(claim.expires_at))
