"""SMTP and LMTP, the server's side (RFC 5321, RFC 2033, RFC 2920): octets in, events out.

    server = SmtpServer(session, settings)
    server.greet()
    events = server.receive(octets)     # and write server.take_output()
    events = server.answer([reply])     # after a MessageReceived; it may bring further events

All commands are answered here, except a whole message. While one awaits its reply, pipelined
commands wait: replies go out in the order of the commands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen
from lazaret.wire.dot import BareLf, BareLfReceived, DotReader
from lazaret.wire.lines import EndlessLine, Lines
from lazaret.wire.paths import decode
from lazaret.wire.replies import encode
from lazaret.wire.smtp_parameters import parse_mail, parse_rcpt
from lazaret.wire.xforward import ATTRIBUTES, XforwardError, apply

MAX_COMMAND_LINE = 4096
"""Octets with CRLF. RFC 5321 says 512; SMTPUTF8 addresses with ORCPT need more (RFC 6531, section 3.4)."""
RECIPIENT_OVERSHOOT = 1000
"""So many recipients beyond the limit get their 452 in peace, as Postfix expects; more count as errors."""
CONGESTED = 65_536
"""Octets of pipelined input beyond which the reader should pause."""
ENDLESS_LINE = 65_536
"""Octets of a command without a line end after which nobody waits for one."""
SOFT_ERRORS = 5
"""Errors since the last message after which a peer should be heard more slowly."""
FREE_OF_CHARGE = 100
"""So many commands that bring no message nearer may stand between two messages; more count as errors."""
_RECIPIENT_COST = 300
"""Octets that a recipient takes in memory beside its address."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a listener offers and bounds."""

    name: str = "[127.0.0.1]"
    """In greeting and EHLO. An address literal: Postfix takes its own host name for a mail loop."""
    extensions: Extensions = field(default_factory=Extensions)
    """What the next hop offers; `size` is the limit of a message in octets, 0 = none."""
    starttls: bool = False
    tls_required: bool = False
    """MAIL is refused before STARTTLS."""
    xforward: bool = False
    """This peer may name the real client."""
    max_recipients: int = 1100
    max_errors: int = 20
    bare_lf: BareLf = BareLf.REJECT


@frozen
class MessageReceived:
    """A whole message; the server waits for `answer`."""

    session: Session
    envelope: Envelope
    octets: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Write the output, call `tls_started`, and start the TLS handshake in the same breath.

    Not after the handshake: its last packet often brings the first command along.
    """


@dataclass(frozen=True, slots=True)
class Closed:
    """Write the output and close; whatever still comes is ignored."""


Event = MessageReceived | StartTls | Closed


_GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")


class _State(Enum):
    COMMANDS = auto()
    DATA = auto()
    ANSWER = auto()
    """A message awaits its reply."""
    TLS = auto()
    CLOSED = auto()


class SmtpServer:
    """One connection. `session` holds the facts of the peer; SMTP or LMTP is what the peer greets with."""

    def __init__(self, session: Session, settings: ServerSettings) -> None:
        self.refuse_mail: Reply | None = None
        """Said to every MAIL while it is set: `452 4.3.1` when the disk is full."""
        self._settings = settings
        self._peer = session
        """The connection itself, without XFORWARD."""
        self._session = session
        self._lmtp = False
        self._greeted = False
        self._state = _State.COMMANDS
        self._lines = Lines(MAX_COMMAND_LINE, ENDLESS_LINE)
        self._output = bytearray()
        self._events: list[Event] = []
        self.errors = 0
        """Commands that were refused, in all."""
        self.steps = 0
        """Commands and messages that came in whole, in all: a peer that stands still makes none."""
        self._charge = 0
        """Errors since the last message."""
        self._free = 0
        """Commands since the last message that brought none nearer."""
        self._overshoot = 0
        self._recipients_cost = 0
        self._message_size = 0
        """Octets of the message that awaits its reply."""
        self._dropped: Reply | None = None
        """Why the message being received is thrown away."""
        self._envelope: Envelope | None = None
        self._recipients: list[Recipient] = []
        self._data: DotReader | None = None

    @property
    def session(self) -> Session:
        """The facts as they stand now, XFORWARD included."""
        return self._session

    @property
    def congested(self) -> bool:
        """More pipelined input waits than a peer needs: stop reading until the answer."""
        return self._state is _State.ANSWER and len(self._lines) > CONGESTED

    @property
    def tiresome(self) -> bool:
        """The peer makes work and brings no mail: it should be read from more slowly."""
        return self._dropped is not None or self._charge > SOFT_ERRORS

    @property
    def receiving(self) -> int:
        """Octets that are kept of the message being received; 0 when none is."""
        return self._data.kept if self._data is not None else 0

    @property
    def in_data(self) -> bool:
        """The peer is in the middle of a message."""
        return self._state is _State.DATA

    @property
    def held(self) -> int:
        """Octets of mail that this connection keeps in memory, the message under way included."""
        return self.receiving + self._message_size + self._recipients_cost + len(self._lines)

    def drop_message(self, reply: Reply) -> None:
        """Throws away what came of the message being received; its end is answered with `reply`."""
        if self._data is not None and self._dropped is None:
            self._dropped = reply
            self._data.drop()

    def greet(self) -> None:
        """Says 220."""
        self._say(Reply(220, "", f"{self._settings.name} ESMTP lazaret service ready"))

    def close(self, reply: Reply) -> None:
        """Says a last word (554 to a stranger, 421 at shutdown or timeout) and hears nothing more."""
        self._say(reply)
        self._state = _State.CLOSED
        self._lines.clear()
        self._forget_message()

    def take_output(self) -> bytes:
        """What is to be written now."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def receive(self, octets: bytes) -> list[Event]:
        """Takes what came in; events in their order."""
        if self._state in (_State.CLOSED, _State.TLS):
            # Before TLS: an attacker in between would slip commands into the secured session.
            return []
        self._lines.feed(octets)
        return self._advance()

    def answer(self, replies: Sequence[Reply]) -> list[Event]:
        """Answers the message: one reply; over LMTP one per recipient, or one for all of them.

        Takes up the pipelined input that waited. ValueError when the number is wrong.
        """
        count = len(self._recipients) if self._lmtp else 1
        if len(replies) not in (1, count):
            raise ValueError(f"{len(replies)} replies for {count}")
        if self._state is _State.CLOSED:
            return []
        self._end_message(replies)
        return self._advance()

    def tls_started(self) -> None:
        """From here on octets come under TLS: the peer begins anew, and nothing it said before holds."""
        self._state = _State.COMMANDS
        self._lines.clear()
        self._greeted = False
        self._peer = replace(self._peer, secure=True)
        self._reset()

    def _advance(self) -> list[Event]:
        try:
            while True:
                if self._state is _State.COMMANDS:
                    line = self._lines.pop()
                    if line is None:
                        break
                    self.steps += 1
                    self._command(line)
                elif self._data is not None and self._lines:
                    self._receive_data(self._data, self._lines.take_all())
                else:
                    break
        except EndlessLine:
            self._hang_up(Reply(421, "4.7.0", "Error: line without end"))
        events, self._events = self._events, []
        return events

    # Commands

    def _command(self, line: bytes) -> None:
        if not line.endswith(b"\r\n") and (not line or self._settings.bare_lf is BareLf.REJECT):
            what = "Error: line too long" if not line else "Error: command must end in <CR><LF>"
            self._refuse(Reply(500, "5.5.2", what))
            return
        verb, _, argument = line.rstrip(b"\r\n").partition(b" ")
        verb = verb.upper()
        if verb in _FREE and self._has_played_enough():
            return
        answer = _COMMANDS.get(verb, SmtpServer._unknown)
        reply = answer(self, argument.strip(b" \t"))
        if reply is None:
            return
        self._output += encode(reply)
        if reply.code >= 500:
            self._count_error()

    def _refuse(self, reply: Reply) -> None:
        """Says it and counts it; too many errors end the connection."""
        self._say(reply)
        self._count_error()

    def _count_error(self) -> bool:
        """Whether it was one too many, so that the connection ends."""
        self.errors += 1
        self._charge += 1
        if self._charge <= self._settings.max_errors:
            return False
        self._hang_up(Reply(421, "4.7.0", "Error: too many errors"))
        return True

    def _has_played_enough(self) -> bool:
        """A peer that says NOOP for ever takes the time of those who have mail."""
        self._free += 1
        return self._free > FREE_OF_CHARGE and self._count_error()

    def _hang_up(self, reply: Reply) -> None:
        self.close(reply)
        self._events.append(Closed())

    def _say(self, reply: Reply) -> None:
        self._output += encode(reply)

    def _helo(self, argument: bytes) -> Reply | None:
        return self._hello(argument, "SMTP", esmtp=False)

    def _ehlo(self, argument: bytes) -> Reply | None:
        return self._hello(argument, "ESMTPS" if self._peer.secure else "ESMTP")

    def _lhlo(self, argument: bytes) -> Reply | None:
        return self._hello(argument, "LMTPS" if self._peer.secure else "LMTP")

    def _hello(self, argument: bytes, protocol: str, *, esmtp: bool = True) -> Reply | None:
        name = "".join(c if c.isprintable() else "?" for c in argument.decode("utf-8", "replace"))
        if not name:
            return Reply(501, "5.5.4", "Error: the host name is missing")
        self._peer = replace(self._peer, helo=name, peer_helo=name, protocol=protocol)
        self._lmtp = protocol.startswith("LMTP")
        self._greeted = True
        self._reset()
        lines = [self._settings.name, *self._keywords()] if esmtp else [self._settings.name]
        return Reply(250, "", "\n".join(lines))

    def _keywords(self) -> list[str]:
        offered = self._settings.extensions
        optional = {
            "8BITMIME": offered.eightbit,
            "SMTPUTF8": offered.smtputf8,
            "DSN": offered.dsn,
            "STARTTLS": self._settings.starttls and not self._peer.secure,
            "XFORWARD " + " ".join(ATTRIBUTES): self._settings.xforward,
        }
        size = f"SIZE {offered.size}" if offered.size else "SIZE"
        always = ["VRFY", "PIPELINING", size, "ENHANCEDSTATUSCODES"]
        return always + [keyword for keyword, on in optional.items() if on]

    def _xforward(self, argument: bytes) -> Reply | None:
        if not self._settings.xforward:
            return Reply(550, "5.7.1", "Error: insufficient authorization")
        if self._envelope is not None:
            return Reply(503, "5.5.1", "Error: XFORWARD within a mail transaction")
        try:
            self._session = apply(self._session, decode(argument))
        except XforwardError as error:
            return Reply(501, "5.5.4", f"Error: XFORWARD: {error}")
        return Reply(250, "2.5.0", "Ok XFORWARD")

    def _mail(self, argument: bytes) -> Reply | None:
        if not self._greeted:
            return Reply(503, "5.5.1", "Error: send HELO, EHLO or LHLO first")
        if self._envelope is not None:
            return Reply(503, "5.5.1", "Error: nested MAIL command")
        if self._settings.tls_required and not self._peer.secure:
            return Reply(530, "5.7.0", "Must issue a STARTTLS command first")
        if self.refuse_mail is not None:
            return self.refuse_mail
        envelope = parse_mail(argument)
        if isinstance(envelope, Reply):
            return envelope
        limit = self._settings.extensions.size
        if limit and envelope.declared_size > limit:
            text = f"Declared message size ({envelope.declared_size} B) exceeds size limit"
            return Reply(552, "5.3.4", text)
        self._envelope = envelope
        return Reply(250, "2.1.0", f"Sender <{envelope.sender}> OK")

    def _rcpt(self, argument: bytes) -> Reply | None:
        if self._envelope is None:
            return Reply(503, "5.5.1", "Error: need MAIL command")
        recipient = parse_rcpt(argument)
        if isinstance(recipient, Reply):
            return recipient
        if len(self._recipients) >= self._settings.max_recipients:
            return self._one_too_many()
        self._recipients.append(recipient)
        self._recipients_cost += len(argument) + _RECIPIENT_COST
        return Reply(250, "2.1.5", f"Recipient <{recipient.address}> OK")

    def _one_too_many(self) -> Reply | None:
        reply = Reply(452, "4.5.3", "Error: too many recipients")
        self._overshoot += 1
        if self._overshoot <= RECIPIENT_OVERSHOOT:
            return reply
        self._refuse(reply)
        return None

    def _begin_data(self, argument: bytes) -> Reply | None:
        if argument:
            return Reply(501, "5.5.4", "Error: syntax: DATA")
        if self._envelope is None:
            return Reply(503, "5.5.1", "Error: need MAIL command")
        if not self._recipients:
            return Reply(503 if self._lmtp else 554, "5.1.1", "Error: no valid recipients")
        self._data = DotReader(self._settings.extensions.size, self._settings.bare_lf)
        self._state = _State.DATA
        return _GO_AHEAD

    def _rset(self, argument: bytes) -> Reply | None:
        if argument:
            return Reply(501, "5.5.4", "Error: syntax: RSET")
        self._reset()
        return Reply(250, "2.0.0", "Ok RSET")

    def _noop(self, argument: bytes) -> Reply | None:
        return Reply(250, "2.0.0", "Ok NOOP")

    def _vrfy(self, argument: bytes) -> Reply | None:
        return Reply(252, "2.0.0", "Argument not checked")

    def _help(self, argument: bytes) -> Reply | None:
        return Reply(
            214, "2.0.0", "lazaret, a content filter; the commands are those of RFC 5321 and RFC 2033"
        )

    def _starttls(self, argument: bytes) -> Reply | None:
        if not self._settings.starttls:
            return self._unimplemented(argument)
        if self._peer.secure:
            return Reply(554, "5.5.1", "Error: TLS already active")
        if argument:
            return Reply(501, "5.5.4", "Error: syntax: STARTTLS")
        self._say(Reply(220, "2.0.0", "Ready to start TLS"))
        self._state = _State.TLS
        self._lines.clear()
        self._events.append(StartTls())
        return None

    def _quit(self, argument: bytes) -> Reply | None:
        self._hang_up(Reply(221, "2.0.0", f"{self._settings.name} lazaret closing transmission channel"))
        return None

    def _no_mail(self, argument: bytes) -> Reply | None:
        """The end of the connection.

        A browser lured to our port would send a mail in the body of a POST, and BDAT, which we never offer,
        brings text where we expect commands.
        """
        self._hang_up(Reply(521, "5.5.1", "Error: this is a mail service"))
        return None

    def _unimplemented(self, argument: bytes) -> Reply | None:
        return Reply(502, "5.5.1", "Error: command not implemented")

    def _unknown(self, argument: bytes) -> Reply | None:
        return Reply(500, "5.5.2", "Error: bad syntax")

    # The message

    def _receive_data(self, data: DotReader, octets: bytes) -> None:
        try:
            rest = data.feed(octets)
        except BareLfReceived:
            self._hang_up(Reply(521, "5.5.2", f"{self._settings.name} Error: bare <LF> received"))
            return
        if rest is None:
            return
        self._lines.feed(rest)
        self._data = None
        self.steps += 1
        if self._dropped is not None:
            self._end_message([self._dropped])
            return
        if data.oversized:
            text = f"Message size ({data.size} B) exceeds size limit"
            self._end_message([Reply(552, "5.3.4", text)])
            return
        if self._envelope is None:
            return
        self._state = _State.ANSWER
        self._charge = self._free = 0
        envelope = self._envelope.to(tuple(self._recipients))
        message = data.message()
        self._message_size = len(message)
        self._events.append(MessageReceived(self._session, envelope, message))

    def _end_message(self, replies: Sequence[Reply]) -> None:
        """Over LMTP one reply stands for each recipient when it is the only one (RFC 2033, section 4.2)."""
        count = len(self._recipients) if self._lmtp else 1
        for reply in replies if len(replies) == count else list(replies) * count:
            self._say(reply)
        self._state = _State.COMMANDS
        self._reset()
        if any(reply.code == 421 for reply in replies):
            self._state = _State.CLOSED
            self._events.append(Closed())

    def _reset(self) -> None:
        """The end of a transaction; what XFORWARD told belonged to it."""
        self._forget_message()
        self._session = self._peer

    def _forget_message(self) -> None:
        self._envelope = None
        self._recipients = []
        self._recipients_cost = 0
        self._message_size = 0
        self._dropped = None
        self._overshoot = 0
        self._data = None


_FREE = frozenset((b"HELO", b"EHLO", b"LHLO", b"XFORWARD", b"RSET", b"NOOP", b"VRFY", b"HELP"))
"""What may be said again and again without an error and without a message; XFORWARD comes once or twice
before each."""

_COMMANDS: dict[bytes, Callable[[SmtpServer, bytes], Reply | None]] = {
    b"HELO": SmtpServer._helo,
    b"EHLO": SmtpServer._ehlo,
    b"LHLO": SmtpServer._lhlo,
    b"XFORWARD": SmtpServer._xforward,
    b"MAIL": SmtpServer._mail,
    b"RCPT": SmtpServer._rcpt,
    b"DATA": SmtpServer._begin_data,
    b"RSET": SmtpServer._rset,
    b"NOOP": SmtpServer._noop,
    b"VRFY": SmtpServer._vrfy,
    b"HELP": SmtpServer._help,
    b"QUIT": SmtpServer._quit,
    b"STARTTLS": SmtpServer._starttls,
    b"EXPN": SmtpServer._unimplemented,
    b"TURN": SmtpServer._unimplemented,
    b"ETRN": SmtpServer._unimplemented,
    b"SEND": SmtpServer._unimplemented,
    b"SOML": SmtpServer._unimplemented,
    b"SAML": SmtpServer._unimplemented,
    b"AUTH": SmtpServer._unimplemented,
    b"GET": SmtpServer._no_mail,
    b"POST": SmtpServer._no_mail,
    b"PUT": SmtpServer._no_mail,
    b"HEAD": SmtpServer._no_mail,
    b"OPTIONS": SmtpServer._no_mail,
    b"CONNECT": SmtpServer._no_mail,
    b"BDAT": SmtpServer._no_mail,
}
