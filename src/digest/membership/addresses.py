"""Mail addresses: kept as they were typed, compared in one form."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from digest.errors import UsageError


def email_key(email: str) -> str:
    """An address in the form in which two are compared: local part case-folded, domain in ASCII (RFC 5890).

    Raises UsageError with the reason, never naming the address, if it is none that mail can be sent to.
    """
    try:
        valid = validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise UsageError(f"email is no address: {reason[:1].lower()}{reason[1:]}") from error
    return f"{unicodedata.normalize('NFC', valid.local_part.lower())}@{valid.ascii_domain.lower()}"
