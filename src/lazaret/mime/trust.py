"""Through whose hands did a message go, and from where on can Received no longer be believed?

The walk goes from the newest field to the oldest, as SpamAssassin's does: our own hosts write the
truth, so the path is believed up to the first host that is not ours. Everything older is what the
client claimed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lazaret.mime import ip, received, words
from lazaret.mime.headers import HeaderSection
from lazaret.mime.networks import NetworkList, parse_list
from lazaret.mime.received import Outcome, Relay

ORIGINATING_IP_HEADERS = (
    "x-yahoo-post-ip",
    "x-originating-ip",
    "x-apparently-from",
    "x-senderip",
    "x-aol-ip",
    "x-ms-exchange-crosstenant-originalattributedtenantconnectingip",
)
"""Fields in which webmailers name the address of their user, in lower case."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Which hosts are believed. Where neither list is given, private addresses and logged-in clients are."""

    trusted: NetworkList = field(default_factory=NetworkList)
    """Hosts that do not forge Received."""
    internal: NetworkList = field(default_factory=NetworkList)
    """Of these, the hosts that take mail in for us."""
    msa: NetworkList = field(default_factory=NetworkList)
    """Submission servers: who hands in mail there has logged in."""
    originating_ip_headers: tuple[str, ...] = ORIGINATING_IP_HEADERS
    """Each counts as one more relay, the oldest of all; in lower case."""
    envelope_sender_header: str = ""
    """The field in which our own delivery agent writes the envelope sender; "" where it may be any."""

    @classmethod
    def from_text(
        cls,
        trusted: Iterable[str] = (),
        internal: Iterable[str] = (),
        msa: Iterable[str] = (),
        originating_ip_headers: Iterable[str] = ORIGINATING_IP_HEADERS,
        envelope_sender_header: str = "",
    ) -> "Networks":
        """From words as in `networks.parse_list`, which says when it raises ValueError.

        One of the first two lists stands for the other when that one is empty. What is internal or
        a submission server without being trusted is left out: nobody can mean that.
        """
        first, second = parse_list(trusted), parse_list(internal)
        ours = first if first.configured else second
        return cls(
            trusted=ours,
            internal=second.within(ours) if second.configured else ours,
            msa=parse_list(msa).within(ours),
            originating_ip_headers=tuple(map(str.lower, originating_ip_headers)),
            envelope_sender_header=envelope_sender_header,
        )


NOBODY = Networks()
"""Nobody said which hosts are ours."""


class Relays(NamedTuple):
    """The hand-overs of a message, newest first. Trusted + untrusted are all; so are internal + external."""

    trusted: tuple[Relay, ...] = ()
    untrusted: tuple[Relay, ...] = ()
    internal: tuple[Relay, ...] = ()
    external: tuple[Relay, ...] = ()
    unparseable: int = 0
    """Fields that look like a hand-over and cannot be read."""
    trusted_fields: int = 0
    """How many Received fields, from the top, stand on the trusted side of the boundary."""
    internal_fields: int = 0


def text(relays: Iterable[Relay]) -> bytes:
    """The form that header rules match (X-Spam-Relays-*)."""
    return " ".join(map(str, relays)).encode("utf-8", "surrogateescape")


class _Path:
    """What the walk knows on its way. Whoever is past a boundary stays past it."""

    def __init__(self, networks: Networks, *, originating: bool) -> None:
        self.networks = networks
        self.originating = originating
        self.configured = networks.trusted.configured or networks.internal.configured
        self.in_trusted = True
        self.in_internal = True
        self.msa_found = False
        self.relays: list[Relay] = []
        self.trusted = 0
        self.internal = 0
        """How many of these are on this side of the boundaries."""
        self.trusted_fields = 0
        self.internal_fields = 0

    def pass_relay(self, relay: Relay) -> None:
        """One that stands on the trusted side, or is the first beyond."""
        msa = not self.msa_found and self._cross(relay)
        if self.in_internal or msa:
            # By position: _replace costs as much again as all else here.
            relay = Relay(*relay[:6], self.in_internal, *relay[7:9], msa, relay[10])
        self.trusted += self.in_trusted
        self.internal += self.in_internal
        self.trusted_fields += self.in_trusted
        self.internal_fields += self.in_internal
        self.relays.append(relay)

    def pass_field(self) -> None:
        self.trusted_fields += self.in_trusted
        self.internal_fields += self.in_internal

    def pass_fetcher(self) -> None:
        """What a mail fetcher saw above itself is the way from the mailbox to us, not the message's way."""
        if self.trusted == len(self.relays):
            self.relays.clear()
            self.trusted = self.internal = 0

    def _cross(self, relay: Relay) -> bool:
        """Whether the relay is a submission server of ours; afterwards the state is that of the relay."""
        if not self.configured:
            self.in_trusted = self.in_internal = relay.private or bool(relay.auth)
            return False
        if not relay.auth and relay.ip not in self.networks.trusted:
            self.in_trusted = self.msa_found = self.originating
            self.in_internal = False
            return False
        self.in_internal = self.in_internal and bool(relay.auth or relay.ip in self.networks.internal)
        self.msa_found = self.networks.msa.configured and relay.ip in self.networks.msa
        return self.msa_found


def walk(header: HeaderSection, networks: Networks, *, originating: bool = False) -> Relays:
    """The relays of a message on both sides of the two boundaries.

    `originating`: the caller knows that the message was handed in by a user of ours, so the first
    host that is not trusted counts as one who logged in.
    """
    path = _Path(networks, originating=originating)
    scanned_sender: str | None = None
    unparseable = 0
    for value in _fields(header, networks):
        found = received.parse(value)
        if isinstance(found, Relay):
            if scanned_sender:
                found = found._replace(envfrom=scanned_sender)
                scanned_sender = None
            if path.in_trusted:
                path.pass_relay(found)
            else:
                path.relays.append(found)
            continue
        if found.why is Outcome.FETCHED:
            path.pass_fetcher()
        unparseable += found.why is Outcome.UNPARSEABLE
        path.pass_field()
        scanned_sender = found.envfrom
    relays = tuple(path.relays)
    return Relays(
        trusted=relays[: path.trusted],
        untrusted=relays[path.trusted :],
        internal=relays[: path.internal],
        external=relays[path.internal :],
        unparseable=unparseable,
        trusted_fields=path.trusted_fields,
        internal_fields=path.internal_fields,
    )


def _fields(header: HeaderSection, networks: Networks) -> list[bytes]:
    fields = header.values("received")
    if not b"".join(fields).isascii():
        fields = [v if v.isascii() else words.decode(v, "Received") for v in fields]
    if header.present.isdisjoint(networks.originating_ip_headers):
        return fields
    for name in networks.originating_ip_headers:
        for value in reversed(header.values(name)):
            address = ip.find(value.decode("latin-1"))
            if address:
                fields.append(b"from X-Originating-IP: " + address.encode("ascii"))
            break
    return fields
