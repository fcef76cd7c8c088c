"""Not too many requests at once: a bucket of them for each account, and for the addresses of who has none.

A token bucket, in the memory of this process alone: who is refused waits for seconds, which nobody needs to
know after a restart. What failed at a login is counted elsewhere (`flow/login.py`), and for longer.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from lazaret.flow.login import shown_name
from lazaret.model.person import Person

log = logging.getLogger("lazaret.web")

MOST = 10_000
"""Buckets of accounts, and as many of addresses. The one that was used longest ago gives way: who comes back
begins with a full one, and a flood of addresses takes nothing from any account."""
SAY_EVERY_S = 60.0
"""Of one bucket the log is told no more often."""
_HOST_BITS = 64
"""Of an IPv6 address those that whoever has the network chooses as he likes (RFC 4291, section 2.5.1)."""


class TooMany(Exception):
    """The request is one too many; `wait_s` seconds from now, above 0, it would not be."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    said: float


class _Buckets:
    """Those of one kind, the one that was used last at the end."""

    def __init__(self, size: float, rate: float) -> None:
        self._size = size
        self._rate = rate
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def take(self, key: Hashable, cost: float, now: float) -> float:
        """Takes the cost out of a bucket, 0.0; or says in how many seconds there will be enough."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._size, now, now - SAY_EVERY_S)
            if len(self._buckets) > MOST:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.left = min(self._size, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        cost = min(cost, self._size)  # or a small bucket would never have enough
        if bucket.left < cost:
            return (cost - bucket.left) / self._rate
        bucket.left -= cost
        return 0.0

    def is_news(self, key: Hashable, now: float) -> bool:
        """Whether the log was not told of this bucket lately."""
        bucket = self._buckets[key]
        if now - bucket.said < SAY_EVERY_S:
            return False
        bucket.said = now
        return True


class Throttle:
    """Takes each request out of its bucket."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`per_minute`: what a bucket holds, and what flows into it in a minute; 0: there is no limit."""
        self._clock = clock
        self._limited = per_minute > 0
        self._accounts = _Buckets(per_minute, per_minute / 60)
        self._places = _Buckets(per_minute, per_minute / 60)

    def take(self, cost: int, remote: str, person: Person | None, *, by_token: bool = False) -> None:
        """TooMany, unless there is enough in the bucket of the person, or where there is none of the address.

        All tokens of a person have one bucket beside his own: a program run wild leaves him his page.
        """
        if not self._limited or not cost:
            return
        now = self._clock()
        buckets, key = (
            (self._places, place_of(remote)) if person is None else (self._accounts, (person.id, by_token))
        )
        wait_s = buckets.take(key, cost, now)
        if not wait_s:
            return
        if buckets.is_news(key, now):
            # Its form is a promise (docs/web.md).
            name = shown_name(person.name) if person else ""
            log.warning('too many requests: from=%s user="%s" by=%s', remote, name, _BY[by_token])
        raise TooMany(wait_s)


_BY = {False: "page", True: "token"}


def place_of(remote: str) -> str:
    """What counts as one place: an IPv4 address, the /64 of an IPv6 address; other text as it is."""
    try:
        address = ip_address(remote)
    except ValueError:
        return remote
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS))
