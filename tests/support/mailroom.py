"""The filter with its real database and relay, for tests that send messages through it."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lazaret.checks import Check, Scan, Symbol
from lazaret.config.endpoint import NextHop
from lazaret.flow import needs
from lazaret.flow.deliver import Courier
from lazaret.flow.fields import Site
from lazaret.flow.filter import Filter, Handled, Rules
from lazaret.flow.policies import PolicyBook
from lazaret.flow.quarantine import QuarantineDesk
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.quarantine import Item
from lazaret.model.verdict import Hit, Policy
from lazaret.net.relay import Relay
from lazaret.policy.lookup import Lookup
from lazaret.store.opening import Store, open_store

URL = "sqlite:///lazaret.db"
POLICY = Policy()
SITE = Site("filter.example")
NOW = 1_770_000_000.0
SENDER = "sender@out.example"
ANN, BOB, CAT = "ann@home.example", "bob@home.example", "cat@home.example"
OUTSIDE = "zoe@far.example"
CLEAN, SPAMMY, SPAM, KILLED = 0.0, 4.0, 6.0, 9.0
SESSION = Session(
    client_ip="192.0.2.7",
    client_port=35863,
    client_name="mx.out.example",
    helo="mx.out.example",
    peer_helo="mta.example",
    peer_ip="127.0.0.1",
    listen_port=10024,
    forwarded=True,
    source="REMOTE",
    queue_id="4cXYZ",
)


class Points:
    """A check that gives a message as many points as its body says: `points=6.5`."""

    name = "points"
    symbols: Mapping[str, Symbol] = {"POINTS": Symbol(1.0, "the body names its points")}
    _named = re.compile(rb"points=(-?[0-9.]+)")

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        found = self._named.search(scan.message.raw)
        if found and float(found[1]):
            yield Hit("POINTS", weight=float(found[1]))


def mail(points: float = CLEAN, *, header: bytes = b"", body: bytes = b"Hello.\r\n") -> bytes:
    """A message that gets so many points; `header`: further fields with CRLF, on top."""
    return b"%bFrom: <%b>\r\nSubject: news\r\nMessage-ID: <1@out.example>\r\n\r\npoints=%g\r\n%b" % (
        header,
        SENDER.encode(),
        points,
        body,
    )


@dataclass
class Mailroom:
    """One filter, and what came of each message."""

    store: Store
    relay: Relay
    filter: Filter
    desk: QuarantineDesk
    handled: list[Handled] = field(default_factory=list)

    async def send(
        self,
        octets: bytes,
        *to: str | Recipient,
        sender: str = SENDER,
        session: Session = SESSION,
        lmtp: bool = False,
    ) -> str:
        """The reply; over LMTP one per line."""
        wanted = tuple(Recipient(r) if isinstance(r, str) else r for r in to or (ANN,))
        envelope = Envelope(sender, wanted)
        replies = await self.filter.handle(session, envelope, octets, reply_each=lmtp)
        return "\n".join(map(str, replies))

    def leading_to(self, hop: needs.Relay, seen: Callable[[Handled], None]) -> Filter:
        """The filter with another next hop."""
        return self.filter.handing_to(Courier(hop, self.store.journal, SITE), seen)

    async def find(self, query: str = "", *, everything: bool = True) -> list[Item]:
        """Items of the database, newest first; what was noted is written before."""
        await self.store.writer.run(lambda connection: None)
        for _ in range(200):
            found = [i async for i in self.desk.find(query, everything=everything)]
            noted = sum(1 for h in self.handled if h.entry.recipients)
            if query or not everything or len(found) >= noted:
                break
            await asyncio.sleep(0.01)
        return found

    async def states(self) -> dict[str, str]:
        """Recipient -> state of the copies of all messages."""
        return {c.address: str(c.state) for i in await self.find() for c in i.copies}


@cache
def _empty_database() -> bytes:
    """Made once: to make its tables takes as long as ten messages."""
    with tempfile.TemporaryDirectory() as folder:
        open_store(URL, Path(folder), create=True).close()
        return (Path(folder) / "lazaret.db").read_bytes()


def _store_in(folder: Path) -> Store:
    """The store over the database there, or over a new one."""
    database = folder / "lazaret.db"
    if not database.exists():
        folder.mkdir(exist_ok=True)
        database.write_bytes(_empty_database())
    return open_store(URL, folder, create=True)


@asynccontextmanager
async def mailroom(
    folder: Path,
    *hops: NextHop,
    checks: Sequence[Check] = (Points(),),
    policy: Policy = POLICY,
    local: Sequence[str] = ("home.example",),
    always_deliver: Sequence[str] = (),
    rules: Rules | None = None,
) -> AsyncIterator[Mailroom]:
    """A mail room over the database in `folder`, which is made when it is missing."""
    store = _store_in(folder)
    relay = Relay(hops, name=SITE.hostname)
    lookup = Lookup(policy, local_domains=local, always_deliver=always_deliver)
    rules = rules or Rules()
    handled: list[Handled] = []
    room = Mailroom(
        store=store,
        relay=relay,
        filter=Filter(
            checks=checks,
            policies=PolicyBook(lookup, store.policies),
            courier=Courier(relay, store.journal, SITE, unchanged=rules.observe),
            journal=store.journal,
            site=SITE,
            rules=rules,
            record=handled.append,
            clock=lambda: NOW,
        ),
        desk=QuarantineDesk(quarantine=store.quarantine, relay=relay, site=SITE, is_local=lookup.is_local),
        handled=handled,
    )
    try:
        yield room
    finally:
        await relay.close()
        store.close()


def below(octets: bytes, name: bytes) -> bytes:
    """What follows the first field of this name: the message, below the fields that we added."""
    start = re.search(rb"^%b:[^\n]*\n(?:[ \t][^\n]*\n)*" % name, octets, re.MULTILINE)
    assert start is not None
    return octets[start.end() :]
