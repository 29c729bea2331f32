"""What a submission is charged to: the cells of its author, address, thread and site, or its site's ceiling alone."""

from functools import lru_cache

from moderation.domain.ids import new_uuid
from moderation.domain.rates import Limit, Limits
from moderation.domain.site import Site
from moderation.intake.candidates import Candidate
from moderation.intake.rates import RateRequest

CEILING = "site"
"""The rule that refuses whatever a dialect's clients would rather hear."""

_OFF = Limit(0, 1, 1)


def rate_request(entering: Candidate) -> RateRequest:
    """Charge a submission to all of its cells; one that its site asks about again not to its author's."""
    is_recheck = entering.submission.terms.is_recheck
    return RateRequest(
        site=entering.site.name,
        limits=entering.site.settings.limits,
        author=None if is_recheck else entering.identities.author,
        address=entering.identities.address,
        thread=entering.submission.thread.id,
        fingerprint=entering.charge_key,
        text_hash=entering.text_hash,
    )


def ceiling_request(entering: Candidate) -> RateRequest:
    """Charge a submission that other limits denied to its site's ceiling."""
    return RateRequest(
        site=entering.site.name,
        limits=_ceiling_of(entering.site.settings.limits),
        author=None,
        address=None,
        thread="",
        fingerprint=entering.charge_key,
        text_hash=entering.text_hash,
    )


def trial_request(site: Site) -> RateRequest:
    """Charge a question that leaves no trace, not even a sighting of its text, to its site's ceiling."""
    once = new_uuid().bytes
    return RateRequest(
        site=site.name,
        limits=_ceiling_of(site.settings.limits),
        author=None,
        address=None,
        thread="",
        fingerprint=once[:8],
        text_hash=once,
    )


@lru_cache(maxsize=1024)
def _ceiling_of(limits: Limits) -> Limits:
    return Limits(_OFF, _OFF, _OFF, limits.site)
