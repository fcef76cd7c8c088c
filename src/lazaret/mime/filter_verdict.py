"""What did another filter find, as far as the header fields say that it left in the message?

Read are X-Spam-Status of SpamAssassin and amavisd, and X-Spamd-Result, X-Rspamd-Action and X-Spam of
Rspamd. Only the newest field of each name counts; anybody may have written the others, and these.
"""

import re
from dataclasses import dataclass

from lazaret.mime.message import Message

_NUMBER = rb"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_STATUS = re.compile(rb"\s*+(Yes|No)\b", re.IGNORECASE)
_SCORE = re.compile(rb"\b(?:score|hits)=" + _NUMBER)
_LEVEL = re.compile(rb"\b(?:required|tag2)=" + _NUMBER)
_RSPAMD = re.compile(rb"\s*+[^:\s]{1,64}:\s*+(True|False)\s*+\[" + _NUMBER + rb"\s*+/\s*+" + _NUMBER)
_RSPAMD_SPAM = (b"add header", b"rewrite subject", b"reject", b"quarantine", b"discard")
_LOOKED_AT = 2000
"""Octets of a field."""


@dataclass(frozen=True, slots=True)
class FilterVerdict:
    """What one filter said."""

    filter: str
    """amavis, spamassassin or rspamd"""
    spam: bool
    score: float | None
    """Its points; None where it does not tell."""
    level: float | None
    """From how many points on it takes a message for spam."""

    def __str__(self) -> str:
        points = "" if self.score is None else f" {self.score:g}"
        level = "" if self.level is None else f" of {self.level:g}"
        return f"{self.filter}{points}{level}"


def of(message: Message) -> list[FilterVerdict]:
    """The verdicts that the header section holds, at most one of each kind."""
    return [found for found in (_status(message), _rspamd(message)) if found is not None]


def _newest(message: Message, name: str) -> bytes:
    return next(iter(message.header.values(name)), b"")[:_LOOKED_AT]


def _status(message: Message) -> FilterVerdict | None:
    value = _newest(message, "X-Spam-Status")
    spam = _STATUS.match(value)
    if spam is None:
        return None
    score, level = _SCORE.search(value), _LEVEL.search(value)
    name = "amavis" if b"tagged_above=" in value or b"tag2=" in value else "spamassassin"
    return FilterVerdict(
        name,
        spam[1].lower() == b"yes",
        float(score[1]) if score else None,
        float(level[1]) if level else None,
    )


def _rspamd(message: Message) -> FilterVerdict | None:
    result = _RSPAMD.match(_newest(message, "X-Spamd-Result"))
    action = _newest(message, "X-Rspamd-Action").strip().lower()
    if result is None and not action:
        return None
    flagged = _newest(message, "X-Spam").strip().lower() == b"yes"
    spam = action in _RSPAMD_SPAM or flagged or (not action and result is not None and result[1] == b"True")
    return FilterVerdict(
        "rspamd", spam, float(result[2]) if result else None, float(result[3]) if result else None
    )
