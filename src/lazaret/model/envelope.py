"""Who sent a message, through whom, and to whom: facts of the connection and of the SMTP envelope."""

from dataclasses import field
from enum import StrEnum

from lazaret.model.frozen import frozen


class Role(StrEnum):
    """What a listener is for; it decides whether the client at its other end is the sender itself."""

    AFTER_QUEUE = "after-queue"
    """An MTA that has taken the mail already: a refusal would make it send a bounce."""
    BEFORE_QUEUE = "before-queue"
    """A proxy that hands our reply on to the sender (Postfix smtpd_proxy_filter): a refusal is a refusal."""
    ORIGINATING = "originating"
    """The submission service: mail of our own users."""


@frozen
class Session:
    """One client, as the wire and XFORWARD tell of it; all values "" where nothing is known."""

    client_ip: str = ""
    """The client of the MTA: XFORWARD ADDR where given, otherwise the peer of the connection."""
    client_port: int = 0
    client_name: str = ""
    """Reverse name of the client as the MTA verified it; "" when unknown."""
    helo: str = ""
    """What the client called itself: XFORWARD HELO where given."""
    peer_helo: str = ""
    """What the peer of the connection called itself, for our Received field."""
    protocol: str = "ESMTP"
    """SMTP, ESMTP, ESMTPS, LMTP …: the word for the `with` clause of Received (RFC 3848)."""
    client_protocol: str = ""
    """XFORWARD PROTO: what the client spoke with the MTA; "" when unknown."""
    role: Role = Role.AFTER_QUEUE
    peer_ip: str = ""
    """The peer of the connection: the MTA, except on a listener that faces the world."""
    listen_port: int = 0
    """Port of our listener; 0 for a Unix socket."""
    forwarded: bool = False
    """XFORWARD named the client, so that `client_ip` is more than the peer."""
    source: str = ""
    """XFORWARD SOURCE: LOCAL or REMOTE."""
    queue_id: str = ""
    """XFORWARD IDENT: the queue id of the MTA."""
    secure: bool = False
    """The connection to us is under TLS."""


@frozen
class Recipient:
    """One RCPT TO with its DSN parameters (RFC 3461, section 4), kept in xtext as they came."""

    address: str
    notify: str = ""
    orcpt: str = ""


@frozen
class Envelope:
    """MAIL FROM and RCPT TO with the parameters that travel on with the message."""

    sender: str
    recipients: tuple[Recipient, ...] = field(default=())
    declared_size: int = 0
    """SIZE= of MAIL FROM in octets (RFC 1870); 0 when not given."""
    body: str = ""
    """BODY=: "7BIT", "8BITMIME" or "" (RFC 6152)."""
    smtputf8: bool = False
    """SMTPUTF8 (RFC 6531)."""
    ret: str = ""
    """RET=: "FULL", "HDRS" or "" (RFC 3461, section 4.3)."""
    envid: str = ""
    """ENVID= in xtext (RFC 3461, section 4.4)."""

    def to(self, recipients: tuple[Recipient, ...]) -> "Envelope":
        """The same for these recipients."""
        return Envelope(
            self.sender, recipients, self.declared_size, self.body, self.smtputf8, self.ret, self.envid
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The recipients' addresses, in the order of RCPT TO."""
        return tuple(r.address for r in self.recipients)
