"""The history as a what-if sees it: how many copies had which score, and what became of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Past:
    """So many copies that are alike."""

    score: float
    action: str
    """The word of `Action`: what became of them."""
    judged: bool
    """By their score: not by a list, a virus, the next hop, and not mail of our own users."""
    exempt: bool
    """Their recipient is in `policy.always_deliver`: marked at most."""
    said: str
    """"ham": released or taught as ham since; "spam": taught as spam; "": nobody said anything."""
    copies: int


@dataclass(frozen=True, slots=True)
class Border:
    """One copy whose score is near to a level."""

    mail_id: str
    time: float
    """Seconds since 1970."""
    score: float
    recipient: str
    from_header: str
    subject: str
    action: str
    said: str
