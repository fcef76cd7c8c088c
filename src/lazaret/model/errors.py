"""Replies to the peer, and errors that carry two texts: the peer's and the operator's."""

import re

from lazaret.model.frozen import frozen

_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


@frozen
class Reply:
    """An SMTP reply (RFC 5321, section 4.2); `enhanced` is the status code of RFC 3463, "" for none."""

    code: int
    enhanced: str
    text: str

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}" if self.enhanced else f"{self.code} {self.text}"

    @classmethod
    def parse(cls, text: str) -> "Reply":
        """The reply that `str` gave; ValueError for a text that begins with no code."""
        code, _, rest = text.partition(" ")
        enhanced, _, words = rest.partition(" ")
        if not _ENHANCED.fullmatch(enhanced):
            enhanced, words = "", rest
        return cls(int(code), enhanced, words)


class LazaretError(Exception):
    """An error with a text for the operator. Its subclasses say who else hears of it, and how."""


class MailError(LazaretError):
    """A message cannot go on: `reply` is for the peer (vague, polite), the text for the log (exact)."""

    def __init__(self, reply: Reply, detail: str) -> None:
        super().__init__(detail)
        self.reply = reply
        self.detail = detail


class StoreUnavailable(LazaretError):
    """The database cannot be reached, is full or read-only; the mail stays with the MTA (451)."""


class NoSuchMessage(LazaretError):
    """No message has this id."""

    def __init__(self, mail_id: str) -> None:
        super().__init__(f"no message {mail_id}")
        self.mail_id = mail_id


class UserError(LazaretError):
    """What a person asked for cannot be done as it was put; `exit_code` is for the shell (sysexits.h)."""

    def __init__(self, text: str, exit_code: int = 64) -> None:
        super().__init__(text)
        self.exit_code = exit_code
