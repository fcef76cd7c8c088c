"""What is handed to the next hop, and what it answered for each recipient."""

from lazaret.model.envelope import Recipient, Session
from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen


@frozen
class Outgoing:
    """One transaction with the next hop. `octets` have CRLF line ends and are not dot-stuffed."""

    sender: str
    recipients: tuple[Recipient, ...]
    octets: bytes
    body: str = ""
    """BODY= as it came in."""
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    client: Session | None = None
    """Told to the next hop by XFORWARD, when it offers that."""


@frozen
class Answer:
    """The fate of one recipient's copy at the next hop."""

    recipient: str
    reply: Reply
    """As we pass it on: `250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as X`."""
    queued_as: str = ""
    """The queue id in the next hop's words; "" when it named none."""


@frozen
class Extensions:
    """What the next hops offer after EHLO or LHLO; our own EHLO offers no more."""

    eightbit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    size: int = 0
    """The largest message in octets; 0 = no limit stated."""
