"""One error tree. Every message is a sentence for a user: what is wrong, where, and what to do."""


class DigestError(Exception):
    """The work could not be done (exit status 1)."""


class UsageError(DigestError):
    """The command was asked for something that cannot be meant (exit status 2)."""


class ConfigError(DigestError):
    """A setting is missing, unknown or impossible."""


class CaptureError(DigestError):
    """The bytes of a source could not be fetched or believed; nothing of them was stored."""


class StorageError(DigestError):
    """The database or a file could not be read or written."""


class DeliveryError(DigestError):
    """Mail could not be sent, for a reason that concerns more than one reader."""
