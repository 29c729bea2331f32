"""E-mail addresses as admins type them, in the canonical form under which intake knows them."""

from email_validator import EmailNotValidError, validate_email

from moderation.domain.errors import FieldError, InvalidConfigurationError


def canonical_email(written: str) -> str:
    """Return the address with its domain in small Unicode letters. Raises `InvalidConfigurationError` for what is none.

    No mail is sent there, and a newsroom's own network may have names that the Internet has not.
    """
    try:
        found = validate_email(written.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise InvalidConfigurationError([FieldError("/email", "invalid_email")]) from error
    return found.normalized
