"""An MTA that brings every message until it is answered for good, and the account of what became of each."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.next_hop import Hop
from tests.support.service import Client

from lazaret.store.database import Database

_TOLD = re.compile(rb"^Final-Recipient: rfc822; *<?([^\s>]+)", re.MULTILINE)
_NUMBER = re.compile(rb"^Message-ID: <fault\.(\d+)@out\.example>\r?$", re.MULTILINE)
ANN, OUTSIDE = "ann@home.example", "zoe@far.example"
TIMEOUT_S = 20.0


def message(number: int, padding: int = 0) -> bytes:
    """A message like no other; every third one is spam, and kept in the quarantine."""
    spam = "wonder pills" if number % 3 == 0 else "hello"
    text = (
        f"From: <a@out.example>\r\nSubject: number {number}\r\nMessage-ID: <fault.{number}@out.example>\r\n"
        f"Content-Type: text/plain; charset=latin-1\r\n\r\n..{spam} {number} \xe4\r\n"
    )
    return (
        text.encode("latin-1")
        + b".\r\n"
        + b"x" * (number * 37 % 5000)
        + b"\r\n"
        + padding // 80 * (b"y" * 78 + b"\r\n")
    )


@dataclass
class Account:
    """What became of the messages."""

    taken: int
    """Answered with 250."""
    refused: int
    with_sender: int
    delivered: int
    quarantined: int
    duplicates: int
    """Copies beyond the first of a recipient."""
    lost: list[int]
    """Taken, and nowhere."""
    altered: list[int]
    misled: list[int]
    """Spam that was delivered, or innocent mail that was quarantined."""
    released: int
    """Copies out of the quarantine, sent by hand."""
    again: int
    """Attempts that were not the first of their message: so often was a fault met."""
    told: int
    """Recipients of whose refusal the sender was told by a notification."""
    purged: int
    """Taken, and removed again because they were old."""

    def row(self) -> str:
        """A line of the table."""
        return (
            f"{self.taken} taken, {self.refused} refused, {self.with_sender} still with the sender, "
            f"{self.again} brought again; "
            f"{self.delivered} delivered, {self.quarantined} quarantined, {self.released} released, "
            f"{self.told} told of a refusal, {self.purged} purged, {self.duplicates} copies too many; "
            f"{len(self.lost)} lost, {len(self.altered)} altered, {len(self.misled)} misled"
        )


@dataclass
class Traffic:
    """Brings messages over a few connections at a time, each until it is answered with 2xx or 5xx."""

    port: int
    count: int
    at_once: int = 8
    recipients: Sequence[str] = (ANN,)
    patience_s: float = 90.0
    pause_s: float = 0.01
    padding: int = 0
    """So many octets longer is each message."""
    impatient: Callable[[int], bool] = lambda number: False
    """Of a message: its first attempt ends right after the final dot, without waiting for the reply."""
    intact: Callable[[bytes, bytes], bool] = bytes.endswith
    """(what arrived, the message) -> whether it is the same, below the fields that were added."""
    aged: set[int] = field(default_factory=set)
    """Stored messages that were made old, and may be gone."""
    taken: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    again: int = 0
    clients: set[Client] = field(default_factory=set)
    """Those that are connected."""
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._bring_all) for _ in range(self.at_once)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(self.patience_s + 60)

    def enough(self) -> None:
        """No new message is begun."""
        with self._lock:
            self.count = self._next

    def vanish(self) -> None:
        """Every client that is connected is gone, whatever it waits for, and comes again."""
        for client in list(self.clients):
            with suppress(OSError):
                client.socket.shutdown(socket.SHUT_RDWR)

    @property
    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _bring_all(self) -> None:
        while (number := self._take_number()) >= 0:
            end = time.monotonic() + self.patience_s
            attempt = 0
            while time.monotonic() < end and not self._bring(number, attempt):
                attempt += 1
                with self._lock:
                    self.again += 1
                time.sleep(min(0.02 * 2 ** min(attempt, 5), 0.5))
            time.sleep(self.pause_s)

    def _take_number(self) -> int:
        with self._lock:
            if self._next >= self.count:
                return -1
            self._next += 1
            return self._next - 1

    def _bring(self, number: int, attempt: int) -> bool:
        """Whether the message is answered for good."""
        try:
            with Client(self.port) as client, self._noted(client):
                client.socket.settimeout(TIMEOUT_S)
                if not client.greeting.startswith("220"):
                    return False
                client.say("EHLO mx.home.example")
                client.say(f"XFORWARD ADDR=192.0.2.7 IDENT=Q{number} SOURCE=REMOTE")
                lines = ["MAIL FROM:<a@out.example> BODY=8BITMIME"]
                lines += [f"RCPT TO:<{one}>" for one in self.recipients]
                if not client.say(*lines, "DATA").startswith("354"):
                    return False
                octets = message(number, self.padding)
                stuffed = re.sub(rb"(?m)^\.", b"..", octets)
                client.socket.sendall(stuffed + b".\r\n")
                if attempt == 0 and self.impatient(number):
                    client.socket.shutdown(socket.SHUT_RDWR)
                    return False
                reply = client.reply()
        except (OSError, UnicodeError):
            return False
        if reply.startswith("2"):
            self.taken.add(number)
        elif reply.startswith("5") and not reply.startswith("500"):
            self.refused.add(number)
        return reply[:1] in ("2", "5")

    @contextmanager
    def _noted(self, client: Client) -> Iterator[None]:
        self.clients.add(client)
        try:
            yield
        finally:
            self.clients.discard(client)

    def account(self, hop: Hop, database: Database | None) -> Account:
        """Looks for every message, at the next hop and in the quarantine; None: there is none."""
        copies: Counter[tuple[int, str]] = Counter()
        released: Counter[tuple[int, str]] = Counter()
        told: Counter[tuple[int, str]] = Counter()
        altered: set[int] = set()
        for got in list(hop.received):
            if not got.envelope.sender:
                told.update(
                    (number_of(got.octets), address.decode()) for address in _TOLD.findall(got.octets)
                )
                continue
            number = self._number(got.octets, altered)
            by_hand = got.octets[: -len(message(number, self.padding))].find(b"\r\nResent-Message-ID: ") > 0
            for address in got.envelope.addresses:
                (released if by_hand else copies)[number, address] += 1
        stored: Counter[int] = Counter()
        for text in stored_texts(database) if database else ():
            stored[self._number(text.replace(b"\n", b"\r\n"), altered)] += 1
        delivered = {number for number, _ in copies}
        misled = {n for n in delivered if n % 3 == 0} | {n for n in stored if n % 3}
        surplus = sum(n - 1 for found in (copies, released, stored, told) for n in found.values())
        wanted = {(n, a) for n in self.taken for a in self.recipients}
        nowhere = {n for n, a in wanted if not copies[n, a] and not told[n, a] and not stored[n]}
        return Account(
            taken=len(self.taken),
            refused=len(self.refused),
            with_sender=self.count - len(self.taken) - len(self.refused),
            delivered=len(delivered),
            quarantined=len(stored),
            released=released.total(),
            again=self.again,
            told=len(told),
            purged=len(nowhere & self.aged),
            duplicates=surplus,
            lost=sorted(nowhere - self.aged),
            altered=sorted(altered),
            misled=sorted(misled),
        )

    def _number(self, octets: bytes, altered: set[int]) -> int:
        number = number_of(octets)
        if not self.intact(octets, message(number, self.padding)):
            altered.add(number)
        return number


def check(account: Account, *, what: str, duplicates: int = 0) -> None:
    """`duplicates`: so many copies too many the fault explains."""
    print(f"\n{what}: {account.row()}")
    assert [] == account.lost
    assert [] == account.altered
    assert [] == account.misled
    assert 0 == account.with_sender
    assert account.duplicates <= duplicates


def number_of(octets: bytes) -> int:
    """Which message it is."""
    found = _NUMBER.search(octets)
    assert found is not None, octets[:200]
    return int(found[1])


def stored_texts(database: Database) -> list[bytes]:
    """The texts that lie in the quarantine, each whole: half of one would have no row in msgs."""
    with closing(database.connect()) as connection:
        rows = connection.execute(
            "SELECT q.mail_id, q.mail_text FROM quarantine q JOIN msgs m ON m.mail_id = q.mail_id AND"
            " m.partition_tag = q.partition_tag WHERE m.content IS NOT NULL ORDER BY q.mail_id, q.chunk_ind"
        ).fetchall()
    texts: dict[str, bytes] = {}
    for mail_id, chunk in rows:
        texts[mail_id] = texts.get(mail_id, b"") + bytes(chunk)
    return list(texts.values())
