"""The history as a what-if sees it: how many copies had which score, and what became of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Own:
    """What a recipient has in the place of the site's levels; None: nothing."""

    mark: float | None = None
    quarantine: float | None = None
    kill: float | None = None
    lover: bool = False
    """He wants all of it, marked."""
    unjudged: bool = False
    """His mail is not judged by its score."""


NOTHING = Own()


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
    recipient: str = ""
    """As in `maddr.email`, where it was asked for."""
    own: Own = NOTHING
    """What the recipient has now."""


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
