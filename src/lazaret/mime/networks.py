"""Which hosts are ours? Networks in SpamAssassin's notation, with exclusions."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from lazaret.mime import ip

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_ZONE = re.compile(r"%[A-Za-z0-9._~-]*")
_SHORT_V4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,3}\.?")


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses that are ours, or with `excluded` are not."""

    addresses: IPNetwork
    excluded: bool = False


LOOPBACK = (Network(ipaddress.IPv4Network("127.0.0.0/8")), Network(ipaddress.IPv6Network("::1/128")))


@dataclass(frozen=True)
class NetworkList:
    """Networks in order: the first one that holds an address decides. Loopback is always ours."""

    networks: tuple[Network, ...] = ()
    configured: bool = field(default=False)
    """Somebody named networks, if only to exclude them."""

    def __contains__(self, address: str) -> bool:
        return _holds(self.networks, address)

    def within(self, outer: "NetworkList") -> "NetworkList":
        """Without the networks that `outer` does not hold as a whole; exclusions stay."""
        kept = tuple(n for n in self.networks if n.excluded or _covers(outer.networks, n.addresses))
        return NetworkList(kept, self.configured)


@lru_cache(maxsize=4096)
def _holds(networks: tuple[Network, ...], address: str) -> bool:
    if not ip.is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    return next((not n.excluded for n in (*LOOPBACK, *networks) if parsed in n.addresses), False)


def _covers(networks: tuple[Network, ...], inner: IPNetwork) -> bool:
    for network in (*LOOPBACK, *networks):
        outer = network.addresses
        if outer.version == inner.version and inner.subnet_of(outer):  # type: ignore[arg-type]
            return not network.excluded
    return False


def parse_list(words: Iterable[str]) -> NetworkList:
    """From `192.0.2.0/24`, `192.0.2` (= /24), `10/8`, `10.`, `[2001:db8::]/32`, `192.0.2.1-192.0.2.9`, `!…`.

    Raises ValueError with the word that is none of these.
    """
    networks = tuple(network for word in words for network in _parse(word))
    return NetworkList(networks, configured=bool(networks))


def _parse(word: str) -> list[Network]:
    text = word.strip()
    excluded = text.startswith("!")
    text = text.removeprefix("!").strip()
    try:
        return [Network(addresses, excluded) for addresses in _addresses(text)]
    except ValueError as error:
        raise ValueError(f"{word!r} is no network: {error}") from None


def _addresses(text: str) -> list[IPNetwork]:
    first, dash, last = text.partition("-")
    if dash:
        ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
        return list(ipaddress.summarize_address_range(*ends))
    address, slash, prefix = text.partition("/")
    address = _ZONE.sub("", address.strip("[]"))
    if _SHORT_V4.fullmatch(address):
        octets = [str(int(octet)) for octet in address.rstrip(".").split(".")]
        prefix = prefix if slash else str(8 * len(octets))
        address = ".".join(octets + ["0"] * (4 - len(octets)))
    return [ipaddress.ip_network(f"{address}/{prefix}" if prefix else address, strict=False)]
