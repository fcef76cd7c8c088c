"""Content checks over AM.PDP: an MTA's milter (amavisd-milter) asks about a message in a file, and keeps it.

The client reads its answer as amavisd gives it: which recipients go, which fields change, and whether to
continue, discard, reject or come again. With `delivery_care_of=server` we deliver ourselves, and each
recipient gets a copy of his own; else there is one header for all who get the message.
"""

import asyncio
import ipaddress
import logging
import os
import stat
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lazaret.flow.filter import Filter, Handled
from lazaret.flow.hand_back import HandBack
from lazaret.flow.header_edits import HeaderEdits, edits
from lazaret.flow.needs import Relay
from lazaret.model.delivery import Outgoing
from lazaret.model.envelope import Envelope, Recipient, Role, Session
from lazaret.model.errors import LazaretError, Reply
from lazaret.wire.ampdp import Request, encode_fields

log = logging.getLogger("lazaret.ampdp")

MAIL_FILE = "email.txt"
LARGEST = 256 << 20
"""Octets of a message file, where `limits.message_size` sets no limit."""

EX_REJECT, EX_TEMPFAIL, EX_DISCARD = "69", "75", "99"
_OUR_USERS = ("SMTP_AUTH", "ORIGINATING", "MYNETS", "MYUSERS")
"""Policy banks that amavisd-milter and its users name for mail of our own."""


Guard = Callable[[Request, bytes], Awaitable[bytes]]


class KeepUnread(Protocol):
    """Keeps a message without reading it: `flow.unread`."""

    async def __call__(
        self, session: Session, envelope: Envelope, octets: bytes, *, reply_each: bool
    ) -> tuple[Reply, ...]: ...


class Unfit(LazaretError):
    """A request that cannot be served."""

    def __init__(self, reply: Reply, detail: str) -> None:
        super().__init__(detail)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Limits:
    """What files are read."""

    work_dir: Path | None
    """Where clients put their messages; None: none are read."""
    largest: int = LARGEST
    """Octets of the largest message."""


class ContentChecks:
    """Answers requests; one object serves all connections."""

    def __init__(
        self,
        make_filter: Callable[[Relay, Callable[[Handled], None]], Filter],
        relay: Relay,
        limits: Limits,
        keep_unread: KeepUnread | None = None,
    ) -> None:
        """`make_filter(relay, seen)`: the road with another next hop; `seen` hears how a message fared.

        `keep_unread` takes what no process survives; without it such a message goes on as it is.
        """
        self._make_filter = make_filter
        self._relay = relay
        self._limits = limits
        self._keep_unread = keep_unread
        self._guard: Guard | None = None

    def guarded_by(self, guard: Guard) -> None:
        """From now on messages are handed to `guard`, which calls `check`."""
        self._guard = guard

    async def answer(self, request: Request, *, over_tcp: bool) -> bytes:
        """The reply's octets."""
        try:
            if over_tcp:
                raise Unfit(_incomplete(), "content checks are served on the Unix socket alone")
            path = self._path(request)
            octets = await asyncio.to_thread(_read, path, self._limits.largest)
            if not _envelope(request).recipients:
                raise Unfit(_incomplete(), "the request names no recipient")
            return await (self._guard(request, octets) if self._guard else self.check(request, octets))
        except Unfit as e:
            log.warning("content check over AM.PDP: %s", e)
            return closed("", e.reply)
        except Exception:
            return _failed()

    async def check(self, request: Request, octets: bytes) -> bytes:
        """The reply to the request about this message. Never an exception."""
        try:
            return await self._check(request, octets)
        except Exception:
            return _failed()

    async def unread(self, request: Request, octets: bytes) -> bytes:
        """The reply to a request about a message that no process survives reading."""
        session, envelope = _session(request), _envelope(request)
        if self._keep_unread is None:
            log.error("(!!)POISON: from <%s>, %d octets: passed on unread", envelope.sender, len(octets))
            going_on = Reply(250, "2.5.0", "Ok, continue delivery")
            return encode_fields([*_head("", going_on), ("return_value", "continue"), ("exit_code", "0")])
        (reply,) = await self._keep_unread(session, envelope, octets, reply_each=False)
        return closed("", reply)

    async def _check(self, request: Request, octets: bytes) -> bytes:
        session, envelope = _session(request), _envelope(request)
        seen: list[Handled] = []
        ours = request.get("delivery_care_of") == "server"
        hand_back = HandBack()
        road = self._make_filter(self._relay if ours else hand_back, seen.append)
        (reply,) = await road.handle(session, envelope, octets, reply_each=False)
        log_id = seen[0].entry.log_id if seen else ""
        if not reply.positive or ours or not hand_back.copies:
            return closed(log_id, reply)
        return _continued(log_id, reply, envelope, hand_back, octets)

    def _path(self, request: Request) -> Path:
        root = self._limits.work_dir
        if root is None:
            raise Unfit(
                _incomplete(),
                "write in ampdp.work_dir where amavisd-milter puts its messages (its option -w)",
            )
        written = request.get("mail_file") or os.path.join(request.get("tempdir"), MAIL_FILE)
        path = Path(os.path.realpath(written))
        if not path.is_relative_to(os.path.realpath(root)):
            raise Unfit(_incomplete(), f"{written!r} does not lie in ampdp.work_dir")
        return path


def _read(path: Path, largest: int) -> bytes:
    """The message as on the wire; its file has LF. Unfit when it cannot be read, or is too large."""
    try:
        # Not to wait for a pipe, and not to follow what was put in its place meanwhile.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as e:
        reply = Reply(450, "4.5.0", "Error in processing, cannot read the message")
        raise Unfit(reply, f"{path}: {e.strerror}") from e
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Unfit(_incomplete(), f"{path} is no file")
        if found.st_size > largest:
            too_large = Reply(552, "5.3.4", f"Message size ({found.st_size} B) exceeds size limit")
            raise Unfit(too_large, f"{path}: {found.st_size} octets are more than {largest}")
        with open(fd, "rb", closefd=False) as file:
            octets = file.read(largest)
    finally:
        os.close(fd)
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _session(request: Request) -> Session:
    """The MTA's client, of whom a milter tells as much as XFORWARD does."""
    banks = [bank.strip() for value in request.all("policy_bank") for bank in value.split(",")]
    ours = any(bank.startswith(_OUR_USERS) for bank in banks)
    name = request.get("client_name")
    return Session(
        client_ip=_ip(request.get("client_address")),
        client_port=int(port) if (port := request.get("client_port")).isdecimal() and len(port) < 6 else 0,
        client_name="" if name == "unknown" or name.startswith("[") else name,
        helo=request.get("helo_name"),
        peer_helo="localhost",
        protocol="ESMTP",
        client_protocol=request.get("protocol_name"),
        # The milter's refusal is what the sending client hears.
        role=Role.ORIGINATING if ours else Role.BEFORE_QUEUE,
        peer_ip="127.0.0.1",
        forwarded=True,
        source=request.get("client_source"),
        queue_id=request.get("queue_id"),
    )


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.removeprefix("IPv6:")))
    except ValueError:
        return ""


def _envelope(request: Request) -> Envelope:
    recipients = tuple(Recipient(bare(r)) for r in request.all("recipient"))
    return Envelope(bare(request.get("sender")), recipients)


def bare(address: str) -> str:
    """An address without its angle brackets."""
    return address.strip().removeprefix("<").removesuffix(">")


def _failed() -> bytes:
    log.exception("content check over AM.PDP")
    return closed("", Reply(451, "4.5.0", "Error in processing"))


def closed(log_id: str, reply: Reply) -> bytes:
    """The MTA does not go on with the message."""
    if reply.transient:
        fate, status = "tempfail", EX_TEMPFAIL
    elif reply.permanent:
        fate, status = "reject", EX_REJECT
    else:
        fate, status = "discard", EX_DISCARD
    return encode_fields([*_head(log_id, reply), ("return_value", fate), ("exit_code", status)])


def _continued(log_id: str, reply: Reply, envelope: Envelope, hand_back: HandBack, octets: bytes) -> bytes:
    """The MTA goes on with it, for those who are to have it."""
    going_on = hand_back.recipients
    gone = [a for a in dict.fromkeys(envelope.addresses) if a not in going_on]
    header = edits(octets, _copy_for_all(log_id, hand_back).octets)
    return encode_fields(
        [
            *_head(log_id, reply),
            *(("delrcpt", f"<{address}>") for address in gone),
            *_changes(header),
            ("return_value", "continue"),
            ("exit_code", "0"),
        ]
    )


def _copy_for_all(log_id: str, hand_back: HandBack) -> Outgoing:
    """One header serves all: that of most recipients."""
    if len(hand_back.copies) > 1:
        log.warning(
            "(%s) AM.PDP: RECIPIENTS REQUIRE DIFFERENT HEADERS; amavisd-milter -D server gives them", log_id
        )
    return max(hand_back.copies, key=lambda copy: len(copy.recipients))


def _head(log_id: str, reply: Reply) -> Iterator[tuple[str, ...]]:
    yield "version_server", "2"
    if log_id:
        yield "log_id", log_id
    yield "setreply", str(reply.code), reply.enhanced, reply.text


def _changes(header: HeaderEdits) -> Iterator[tuple[str, ...]]:
    for change in header.changed:
        if change.value is None:
            yield "delheader", str(change.index), change.name
        else:
            yield "chgheader", str(change.index), change.name, _text(change.value)
    # Each is put on top, so that the last to be named ends there.
    for change in reversed(header.inserted):
        yield "insheader", "0", change.name, _text(change.value or b"")


def _text(value: bytes) -> str:
    return value.replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")


def _incomplete() -> Reply:
    return Reply(450, "4.5.0", "Incomplete request")
