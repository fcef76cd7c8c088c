"""SMTP and LMTP, the client's side (RFC 5321, RFC 2033, RFC 2920): hands a message to the next hop.

    client = SmtpClient(name="filter.example", lmtp=False)
    client.receive(octets)      # Ready after the greeting and EHLO
    client.send(outgoing)       # then take_output, receive ... until Finished

Only what the peer offers is used. After a message the connection is ready for the next one, unless
`closing` says otherwise.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from lazaret.model.delivery import Extensions, Outgoing
from lazaret.model.envelope import Recipient
from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen
from lazaret.wire import dot, xforward
from lazaret.wire.addressing import Addressing
from lazaret.wire.paths import encode
from lazaret.wire.replies import ReplyError, ReplyReader


class Stage(StrEnum):
    """What the next reply belongs to, in the words of amavis' reply texts."""

    GREETING = "fwd-connect"
    HELLO = "fwd-helo"
    STARTTLS = "fwd-starttls"
    IDLE = "idle"
    RSET = "fwd-rset"
    XFORWARD = "fwd-xforward"
    MAIL = "fwd-mail-from"
    RCPT = "fwd-rcpt-to"
    DATA = "fwd-data"
    END = "fwd-data-end"
    QUIT = "fwd-quit"


@frozen
class Ready:
    """Greeted: `send` may be called."""

    extensions: Extensions


@frozen
class Refused:
    """The peer serves nobody now (its greeting or its answer to EHLO is 4xx or 5xx)."""

    reply: Reply


@frozen
class StartTls:
    """Wrap the connection in TLS, then call `tls_started`."""


@frozen
class Finished:
    """The transaction is over."""

    replies: tuple[Reply, ...]
    """One per recipient of the Outgoing, in their order."""
    postponed: tuple[int, ...] = ()
    """Indices of recipients beyond what the peer takes at once: to be sent in another transaction."""
    sent: bool = False
    """The message itself went out, up to its end."""


@frozen
class Broken:
    """The peer does not speak SMTP; the connection is useless."""

    text: str


Event = Ready | Refused | StartTls | Finished | Broken

_LONE_DOT = b".\r\n"


class SmtpClient:
    """One connection to a next hop."""

    def __init__(self, *, name: str, lmtp: bool, starttls: bool = False, tls_required: bool = False) -> None:
        """`starttls`: where it is offered; `tls_required`: a peer without it is of no use."""
        self.closing = False
        """Nothing more can be sent over this connection."""
        self.extensions = Extensions()
        self._name = name
        self._lmtp = lmtp
        self._wants_tls = starttls or tls_required
        self._needs_tls = tls_required
        self._replies = ReplyReader()
        self._output = bytearray()
        self._events: list[Event] = []
        self._expected: deque[Stage] = deque((Stage.GREETING,))
        self._unsent: deque[tuple[Stage, bytes]] = deque()
        """Commands that wait for the reply before them, where the peer offers no PIPELINING."""
        self._keywords: dict[str, str] = {}
        self._forwarded: tuple[str, ...] = ()
        """What the peer wants to know by XFORWARD."""
        self._tried_helo = False
        self._open = False
        """A transaction of ours may still be open at the peer: RSET goes before the next one."""
        self._transaction: _Transaction | None = None

    @property
    def stage(self) -> Stage:
        """What we wait for; IDLE when nothing."""
        return self._expected[0] if self._expected else Stage.IDLE

    @property
    def dot_sent(self) -> bool:
        """The end of the message was given out: without its reply nobody knows what became of it."""
        return self._transaction is not None and self._transaction.dot_sent

    def take_output(self) -> bytes:
        """What is to be written now."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def receive(self, octets: bytes) -> list[Event]:
        """Takes what came in; events in their order."""
        try:
            for reply in self._replies.receive(octets):
                if self.closing:
                    break
                self._take(reply)
        except ReplyError as error:
            self._break(f"no SMTP reply: {error}")
        events, self._events = self._events, []
        return events

    def send(self, outgoing: Outgoing) -> list[Event]:
        """Begins a transaction; only after Ready or Finished. Finished at once when no address can travel."""
        addressing = Addressing.plan(outgoing, smtputf8=self.extensions.smtputf8)
        transaction = self._transaction = _Transaction(outgoing, addressing)
        if transaction.pending:
            self._queue(self._commands(transaction))
        else:
            self._finish(transaction)
        events, self._events = self._events, []
        return events

    def give_up(self, reply: Reply) -> Finished | None:
        """Ends the transaction from our side: who has no reply yet gets this one. None without transaction.

        Nothing that could end the message is given out any more.
        """
        transaction, self._transaction = self._transaction, None
        self.closing = True
        self._output.clear()
        self._unsent.clear()
        return transaction.finished(reply) if transaction is not None else None

    def quit(self) -> None:
        """Says goodbye."""
        self.closing = True
        self._output += b"QUIT\r\n"
        self._expected.append(Stage.QUIT)

    def tls_started(self) -> None:
        """The connection is under TLS; what was offered before is forgotten (RFC 3207, section 4.2)."""
        self._wants_tls = self._needs_tls = False
        self._replies.clear()
        self._greet()

    # Replies

    def _take(self, reply: Reply) -> None:
        if not self._expected:
            # Unasked: a 421 before the peer closes an idle connection.
            self._break(f"unasked reply: {reply}")
            return
        stage, code = self._expected.popleft(), reply.code
        # 354 after the message would be taken for success.
        if code < 400 and (code != 354 if stage is Stage.DATA else not 200 <= code < 300):
            self._break(f"{reply} at {stage}")
            return
        if code == 421:
            self.closing = True
        transaction = self._transaction
        if transaction is None:
            _ANSWERED[stage](self, reply)
        elif self.closing:
            # No further reply will come, to whatever was sent already.
            transaction.refuse_rest(reply)
            self._finish(transaction)
        else:
            _ANSWERED_WITHIN[stage](self, transaction, reply)

    def _break(self, text: str) -> None:
        self.closing = True
        self._events.append(Broken(text))

    def _greeted(self, reply: Reply) -> None:
        if not reply.positive:
            self._refused(reply)
            return
        self._greet()

    def _greet(self) -> None:
        self._command(Stage.HELLO, f"{'LHLO' if self._lmtp else 'EHLO'} {self._name}\r\n".encode())

    def _refused(self, reply: Reply) -> None:
        self.closing = True
        self._events.append(Refused(reply))

    def _answered_hello(self, reply: Reply) -> None:
        if reply.permanent and not self._lmtp and not self._tried_helo:
            self._tried_helo = True
            self._command(Stage.HELLO, f"HELO {self._name}\r\n".encode())
            return
        if not reply.positive:
            self._refused(reply)
            return
        self._keywords = {} if self._tried_helo else _parse_keywords(reply.text)
        self._forwarded = tuple(self._keywords.get("XFORWARD", "").split())
        self.extensions = _extensions(self._keywords)
        if self._wants_tls and "STARTTLS" in self._keywords:
            self._command(Stage.STARTTLS, b"STARTTLS\r\n")
            return
        if self._needs_tls:
            self._break("TLS is required, and STARTTLS is not offered")
            return
        self._events.append(Ready(self.extensions))

    def _answered_starttls(self, reply: Reply) -> None:
        if reply.positive:
            self._events.append(StartTls())
            return
        if self._needs_tls:
            self._break(f"TLS is required, and STARTTLS is refused: {reply}")
            return
        # TLS is a favour here, not a demand: mail to a next hop that cannot just now goes in the clear.
        self._wants_tls = False
        self._events.append(Ready(self.extensions))

    # A transaction

    def _commands(self, transaction: "_Transaction") -> Iterable[tuple[Stage, bytes]]:
        if self._open:
            yield Stage.RSET, b"RSET\r\n"
        self._open = True
        outgoing = transaction.outgoing
        if outgoing.client is not None and self._forwarded:
            for command in xforward.commands(outgoing.client, self._forwarded):
                yield Stage.XFORWARD, command
        yield Stage.MAIL, self._mail(transaction)
        for index in transaction.pending:
            yield Stage.RCPT, self._rcpt(outgoing.recipients[index], transaction.addressing.recipients[index])
        yield Stage.DATA, b"DATA\r\n"

    def _mail(self, transaction: "_Transaction") -> bytes:
        # An 8-bit text goes to a peer without 8BITMIME as it is: to convert it would break its
        # signatures, to bounce it would lose mail that nearly every such server carries unharmed.
        outgoing, offered = transaction.outgoing, self.extensions
        words = [f"MAIL FROM:<{transaction.addressing.sender}>"]
        if "SIZE" in self._keywords:
            words.append(f"SIZE={len(outgoing.octets)}")
        if outgoing.body and offered.eightbit:
            words.append(f"BODY={outgoing.body}")
        if transaction.addressing.smtputf8:
            words.append("SMTPUTF8")
        if outgoing.ret and offered.dsn:
            words.append(f"RET={outgoing.ret}")
        if outgoing.envid and offered.dsn:
            words.append(f"ENVID={outgoing.envid}")
        return encode(" ".join(words)) + b"\r\n"

    def _rcpt(self, recipient: Recipient, address: str) -> bytes:
        words = [f"RCPT TO:<{address}>"]
        if recipient.notify and self.extensions.dsn:
            words.append(f"NOTIFY={recipient.notify}")
        if recipient.orcpt and self.extensions.dsn:
            words.append(f"ORCPT={recipient.orcpt}")
        return encode(" ".join(words)) + b"\r\n"

    def _queue(self, commands: Iterable[tuple[Stage, bytes]]) -> None:
        if "PIPELINING" in self._keywords:
            stages, octets = zip(*commands, strict=True)
            self._expected.extend(stages)
            self._output += b"".join(octets)
            return
        self._unsent.extend(commands)
        self._send_next()

    def _send_next(self) -> None:
        if self._unsent:
            self._command(*self._unsent.popleft())

    def _command(self, stage: Stage, octets: bytes) -> None:
        self._expected.append(stage)
        self._output += octets

    def _answered_aside(self, transaction: "_Transaction", reply: Reply) -> None:
        self._send_next()  # a refusal of these keeps no mail back

    def _answered_mail(self, transaction: "_Transaction", reply: Reply) -> None:
        if reply.positive:
            self._send_next()
            return
        transaction.refuse_rest(reply)
        self._unsent.clear()
        if not self._expected:
            self._finish(transaction)

    def _answered_rcpt(self, transaction: "_Transaction", reply: Reply) -> None:
        transaction.answer_recipient(reply)
        if len(self._unsent) == 1 and not transaction.accepted:
            self._unsent.clear()  # only DATA is left, and there is nobody to send to
            self._finish(transaction)
            return
        self._send_next()

    def _answered_data(self, transaction: "_Transaction", reply: Reply) -> None:
        if reply.code == 354 and transaction.accepted:
            self._send_message(transaction)
            return
        if reply.code != 354:
            transaction.refuse_rest(reply)
            self._finish(transaction)
            return
        # Pipelined DATA was let in although no recipient was (RFC 2920, section 3.1): an empty
        # message for nobody ends it. LMTP would not even answer that, so the connection is given up.
        if self._lmtp:
            self.closing = True
            self._finish(transaction)
            return
        self._expected.append(Stage.END)
        self._output += _LONE_DOT

    def _send_message(self, transaction: "_Transaction") -> None:
        transaction.dot_sent = True
        self._output += dot.stuff(transaction.outgoing.octets)
        self._expected.extend([Stage.END] * (len(transaction.accepted) if self._lmtp else 1))

    def _answered_end(self, transaction: "_Transaction", reply: Reply) -> None:
        self._open = False
        if self._lmtp:
            transaction.answer_message(reply)
        else:
            transaction.refuse_rest(reply)
        if not self._expected:
            self._finish(transaction)

    def _finish(self, transaction: "_Transaction") -> None:
        self._transaction = None
        if self.closing:
            self._expected.clear()
            self._unsent.clear()
        self._events.append(transaction.finished(_NO_REPLY))


_NO_REPLY = Reply(451, "4.5.0", "no reply for this recipient")


class _Transaction:
    """Who of the recipients has which reply, and who still waits for one."""

    __slots__ = ("_replies", "accepted", "addressing", "dot_sent", "outgoing", "pending", "postponed")

    def __init__(self, outgoing: Outgoing, addressing: Addressing) -> None:
        self.outgoing = outgoing
        self.addressing = addressing
        self._replies: list[Reply | None] = list(addressing.refusals)
        self.pending = deque(i for i, reply in enumerate(addressing.refusals) if reply is None)
        """Indices whose RCPT has no reply yet, in the order of the commands."""
        self.accepted: deque[int] = deque()
        """Indices that wait for the reply to the message."""
        self.postponed: list[int] = []
        self.dot_sent = False

    def answer_recipient(self, reply: Reply) -> None:
        if not self.pending:
            return
        index = self.pending.popleft()
        if reply.positive:
            self.accepted.append(index)
            return
        self._replies[index] = reply
        if _is_too_many(reply):
            self.postponed.append(index)

    def answer_message(self, reply: Reply) -> None:
        self._replies[self.accepted.popleft()] = reply

    def refuse_rest(self, reply: Reply) -> None:
        """One reply for all who wait; a positive one is theirs as well."""
        for index in (*self.accepted, *self.pending):
            self._replies[index] = reply
        self.accepted.clear()
        self.pending.clear()

    def finished(self, default: Reply) -> Finished:
        replies = tuple(default if reply is None else reply for reply in self._replies)
        # Without anybody accepted a further transaction would come no further: 452 is the answer then.
        took_some = len(self.postponed) < len(replies) and self.dot_sent
        return Finished(replies, tuple(self.postponed) if took_some else (), self.dot_sent)


_ANSWERED: dict[Stage, Callable[[SmtpClient, Reply], None]] = {
    Stage.GREETING: SmtpClient._greeted,
    Stage.HELLO: SmtpClient._answered_hello,
    Stage.STARTTLS: SmtpClient._answered_starttls,
}
_ANSWERED_WITHIN: dict[Stage, Callable[[SmtpClient, _Transaction, Reply], None]] = {
    Stage.RSET: SmtpClient._answered_aside,
    Stage.XFORWARD: SmtpClient._answered_aside,
    Stage.MAIL: SmtpClient._answered_mail,
    Stage.RCPT: SmtpClient._answered_rcpt,
    Stage.DATA: SmtpClient._answered_data,
    Stage.END: SmtpClient._answered_end,
}
"""What a reply within a transaction is for."""


def _is_too_many(reply: Reply) -> bool:
    """452 says so (RFC 5321, section 4.5.3.1.10), unless its enhanced code says something else."""
    return reply.code == 452 and reply.enhanced in ("", "4.5.3")


def _parse_keywords(text: str) -> dict[str, str]:
    """Keyword in upper case -> parameters, from the lines after the first."""
    lines: Sequence[str] = text.split("\n")[1:]
    pairs = (line.strip().partition(" ") for line in lines)
    return {keyword.upper(): parameters.upper() for keyword, _, parameters in pairs}


def _extensions(keywords: dict[str, str]) -> Extensions:
    size = keywords.get("SIZE", "")
    return Extensions(
        eightbit="8BITMIME" in keywords,
        smtputf8="SMTPUTF8" in keywords,
        dsn="DSN" in keywords,
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 20 else 0,
    )
