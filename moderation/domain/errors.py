"""Everything that may go wrong for a reason the caller can be told.

::

    ModerationError
    ├── InvalidCommentError          one or more faulty fields, each named
    ├── InvalidConfigurationError    one or more faulty keys of a policy or of limits, each named
    ├── MalformedRequestError        the body could not be read at all
    ├── NotAuthenticatedError        no credentials, or wrong ones
    ├── NotPermittedError            known, but may not do this
    ├── NotFoundError
    │   ├── UnknownSiteError
    │   ├── UnknownCommentError
    │   └── UnknownClaimError
    ├── GoneError                    withdrawn or erased
    ├── ConflictError
    │   ├── StaleRevisionError       the decision names a revision that is not the current one
    │   ├── ClaimLostError           somebody else holds the task
    │   └── IdempotencyMismatchError same key, other content
    ├── PreconditionFailedError      If-Match names another revision
    ├── RateLimitedError             come back later
    ├── TooLargeError                body above its bound
    ├── UnsupportedMediaTypeError    a kind of body, or an encoding, that is not read here
    └── DependencyUnavailableError   PostgreSQL away, or a queue is full: try again later
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One faulty field: where (JSON pointer), what (stable code of `messages`), and values for its message."""

    pointer: str
    code: str
    values: dict[str, Any] = field(default_factory=dict)


class ModerationError(Exception):
    """The root: has a stable ``code`` that the edge turns into a problem type."""

    code = "internal"

    def __init__(self, detail: str = "", **context: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.context = context
        """Members that may be shown to the caller, such as who holds a claim."""


class InvalidCommentError(ModerationError):
    code = "invalid-comment"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("")
        self.errors = errors


class InvalidConfigurationError(ModerationError):
    """A policy or a site's limits are wrong; ``errors`` name every faulty key, and so does the message."""

    code = "invalid-configuration"

    def __init__(self, errors: list[FieldError]) -> None:
        faults = (
            f"{e.pointer or '/'}: {e.code}" + "".join(f" ({v})" for v in e.values.values()) for e in errors
        )
        super().__init__("; ".join(faults))
        self.errors = errors


class MalformedRequestError(ModerationError):
    code = "malformed-request"


class NotAuthenticatedError(ModerationError):
    code = "not-authenticated"


class NotPermittedError(ModerationError):
    code = "not-permitted"


class NotFoundError(ModerationError):
    code = "not-found"


class UnknownSiteError(NotFoundError):
    code = "unknown-site"


class UnknownCommentError(NotFoundError):
    code = "unknown-comment"


class UnknownClaimError(NotFoundError):
    code = "unknown-claim"


class GoneError(ModerationError):
    """The comment was withdrawn or its text is gone; to its site the context has its ``id`` and ``state``."""

    code = "gone"


class ConflictError(ModerationError):
    code = "conflict"


class StaleRevisionError(ConflictError):
    code = "stale-revision"


class ClaimLostError(ConflictError):
    code = "claim-lost"


class IdempotencyMismatchError(ConflictError):
    code = "idempotency-mismatch"


class PreconditionFailedError(ModerationError):
    code = "precondition-failed"


class TooLargeError(ModerationError):
    code = "too-large"


class UnsupportedMediaTypeError(ModerationError):
    code = "unsupported-media-type"


class RateLimitedError(ModerationError):
    """A limit denied the submission.

    ``retry_after_s`` is a whole number of seconds, at least 1; ``rule`` names the cell: author, address, thread or site.
    """

    code = "rate-limited"

    def __init__(self, rule: str, retry_after_s: int) -> None:
        super().__init__("", rule=rule)
        self.rule = rule
        self.retry_after_s = retry_after_s


class DependencyUnavailableError(ModerationError):
    """Something we need is away or full; nothing was accepted; the same request may be sent again."""

    code = "unavailable"

    def __init__(self, name: str, retry_after_s: int = 2) -> None:
        super().__init__("", dependency=name)
        self.name = name
        self.retry_after_s = retry_after_s
