"""A stored message as people see it, and the states it moves through."""

from dataclasses import dataclass, field
from enum import StrEnum

from lazaret.model.verdict import ScoredHit


class State(StrEnum):
    """The state of one recipient's copy. `msgrcpt.rs` holds the letter, where old tools look for it."""

    QUARANTINED = "quarantined"
    VIEWED = "viewed"
    PENDING = "pending"
    """Its release was asked of an admin (Modoboa's `p`)."""
    RELEASED = "released"
    DELETED = "deleted"
    UNCERTAIN = "uncertain"
    """A release was under way when its process ended: it may or may not have been sent."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    DEFERRED = "deferred"

    @property
    def releasable(self) -> bool:
        """Whether a release sends it without asking twice."""
        return self in (State.QUARANTINED, State.VIEWED, State.PENDING)

    @property
    def kept(self) -> bool:
        """Whether the copy was kept from its reader, whatever became of it since."""
        return self not in (State.DELIVERED, State.REFUSED, State.DEFERRED)


RS_LETTERS = {
    " ": State.QUARANTINED,
    "": State.QUARANTINED,
    "V": State.VIEWED,
    "v": State.VIEWED,
    "p": State.PENDING,
    "R": State.RELEASED,
    "D": State.DELETED,
    "S": State.VIEWED,
    "H": State.VIEWED,
}
"""`msgrcpt.rs` of amavis, MailZu and Modoboa; S and H (learned as spam, as ham) are Modoboa's."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One recipient's copy of a message."""

    address: str
    state: State
    category: str
    """The letter of `msgrcpt.content`."""
    action: str
    """The word of `Action`, as far as it is known; from `msgrcpt.ds` for rows of amavis."""
    score: float
    response: str = ""
    """`msgrcpt.smtp_resp`: what was answered for this recipient; after a release, what the MTA said."""


@dataclass(frozen=True, slots=True)
class Item:
    """One message of the database: a row of a list. Times are seconds since 1970, UTC."""

    mail_id: str
    partition_tag: int
    time: float
    sender: str
    copies: tuple[Copy, ...]
    subject: str
    from_header: str
    message_id: str
    score: float
    category: str
    size: int
    """Octets as on the wire, CRLF counted."""
    client_ip: str
    queue_id: str = ""
    stored: bool = False
    """Its text lies in the quarantine."""
    symbols: tuple[str, ...] = ()
    imported: bool = False
    """Taken over from another filter: no report or digest tells of it."""
    campaign: str = ""
    """Sixteen hexadecimal digits that it shares with all that are alike; empty: nobody has looked."""

    @property
    def cursor(self) -> str:
        """Where the next page begins: opaque to people and programs."""
        return f"{int(self.time)}-{self.partition_tag}-{self.mail_id}"

    @property
    def state(self) -> State:
        """One word for the whole message: the state that most wants attention comes first."""
        order = (
            State.UNCERTAIN,
            State.PENDING,
            State.QUARANTINED,
            State.VIEWED,
            State.RELEASED,
            State.DELETED,
            State.REFUSED,
            State.DEFERRED,
            State.DELIVERED,
        )
        states = {c.state for c in self.copies}
        return next((s for s in order if s in states), State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: one message, or the newest of several that are alike."""

    item: Item
    members: int = 1
    """How many there are, of those that the query finds and the reader may see."""
    more: bool = False
    """There are still more: counting has ended."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of a list."""

    lines: tuple[Line, ...]
    next: str
    """The cursor of the next page; empty when there is none."""
    since: float = 0.0
    """Since when was searched; 0: all there is."""
    count: int | None = None
    """How many messages there are in all; None: it was not asked for, or took too long."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """What lies in the quarantine: `octets` as on the wire (CRLF), `prefix` of them ours."""

    octets: bytes
    prefix: int
    """Length of the header fields that were put before the message; it begins right after them."""

    @property
    def message(self) -> bytes:
        """The message as it came in, octet by octet."""
        return self.octets[self.prefix :]


@dataclass(frozen=True, slots=True)
class Detail:
    """One message with all that is known of it."""

    item: Item
    hits: tuple[ScoredHit, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    """Recipient -> the sentence of its verdict."""
    unavailable: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    releases: tuple["ReleaseRecord", ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """One line of the journal of releases."""

    mail_id: str
    recipient: str
    time: float
    who: str
    state: str
    """claimed | sent | deferred | refused"""
    response: str = ""
    resent_message_id: str = ""
