"""What may be granted over a quarantined message: the words of the configuration's matrix of rights."""

from enum import StrEnum


class Grant(StrEnum):
    """Something that one may do with a message of a kind."""

    PREVIEW = "preview"
    """Read its text."""
    DOWNLOAD = "download"
    """Take it, or an attachment, away."""
    RELEASE = "release"
    REQUEST = "request"
    """Ask an admin for the release."""
    DELETE = "delete"
    LEARN = "learn"
    """Say that it is spam, or wanted."""
    ALLOW = "allow"
    """Allow its sender."""
    BLOCK = "block"
    """Block its sender."""


EVERYTHING = tuple(grant for grant in Grant if grant is not Grant.REQUEST)
"""Who may release need not ask."""
REQUEST_ONLY = (Grant.REQUEST, Grant.DELETE, Grant.BLOCK)
