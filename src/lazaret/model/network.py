"""Sets of IP networks, asked by the text of an address."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NetworkSet:
    """Networks in CIDR notation. What is no IP address lies in none of them."""

    __slots__ = ("_contains", "networks")

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """ValueError names the first text that is no network."""
        self.networks: tuple[Network, ...] = tuple(ipaddress.ip_network(n, strict=False) for n in networks)
        self._contains = lru_cache(maxsize=4096)(self._look_up)

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and self._contains(address)

    def _look_up(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        return any(ip.version == n.version and ip in n for n in self.networks)
