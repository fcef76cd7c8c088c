"""One message as it is recorded in the database: the history row, and with `text` the quarantine."""

from lazaret.model.envelope import Session
from lazaret.model.frozen import frozen
from lazaret.model.verdict import Category, ScoredHit, Unavailable


@frozen
class EntryRecipient:
    """One row of `msgrcpt`."""

    address: str
    local: bool
    category: Category
    action: str
    """The word of `Action`."""
    score: float
    reason: str
    """The sentence of the verdict."""
    response: str = ""
    """What was answered for this recipient, or what the next hop said."""
    stored: bool = False
    """This recipient's copy lies in the quarantine: it can be released to him."""
    allowed: bool = False
    blocked: bool = False
    """His lists of senders decided."""


@frozen
class Entry:
    """One message that went through the filter."""

    mail_id: str
    secret_id: str
    log_id: str
    """`msgs.am_id`: what the log line of this message begins with."""
    time: float
    """Seconds since 1970 at the reception."""
    session: Session
    sender: str
    recipients: tuple[EntryRecipient, ...]
    size: int
    """Octets as on the wire."""
    originating: bool
    category: Category
    score: float
    """The lowest of the recipients' scores, as in amavis."""
    hits: tuple[ScoredHit, ...]
    unavailable: tuple[Unavailable, ...]
    took_ms: float
    message_id: str
    from_header: str
    """Header From, decoded, unfolded."""
    reply_to: str
    subject: str
    to_header: str = ""
    """Header To and Cc, decoded: what a person remembers of a message."""
    digest: bytes = b""
    """SHA-256 of the message as it came in."""
    text: bytes | None = None
    """Prefix and message as on the wire, to be stored; None: a row of history alone."""
    prefix: int = 0
    """Length of the prefix in `text`, in octets on the wire."""
    body_text: str = ""
    """The visible text for the full-text index; only with `text`."""
    attachments: tuple[str, ...] = ()
    """File names, only with `text`."""
    alike: tuple[int, ...] = ()
    """Marks of the text, only with `text`: a near-duplicate has one of them too."""
    dsn_sent: str = "N"
    """N no, Y sent, q suppressed."""
    imported: bool = False
    """Taken over from another filter: nobody is told of it, now or later."""
