"""One set-up as a test sees it: a Postfix with a Lazaret, and what both rely on."""

from dataclasses import dataclass

from .directory import Directory
from .mailbox import Mailboxes
from .postfix import Postfix
from .service import Lazaret


@dataclass(frozen=True, slots=True)
class Place:
    """Where a test sends mail, and where it looks for what became of it."""

    postfix: Postfix
    lazaret: Lazaret
    mailboxes: Mailboxes
    users: Directory

    @property
    def port(self) -> int:
        """Where the world hands mail over."""
        return self.postfix.ports.smtp

    @property
    def submission(self) -> int:
        """Where our users hand mail over."""
        return self.postfix.ports.submission
