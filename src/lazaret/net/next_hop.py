"""Where a message goes next: `smtp:[127.0.0.1]:10025`, `lmtp:[host]:24`, `unix:/run/dovecot/lmtp`."""

import re
from dataclasses import dataclass

_TCP = re.compile(r"(?:\[(?P<literal>[^\[\]\s]+)\]|(?P<host>[^\[\]:\s]+)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class NextHop:
    """One server. `str()` gives it as amavis prints it in replies."""

    lmtp: bool
    host: str = ""
    port: int = 0
    path: str = ""
    """A Unix socket; then there is no host."""

    def __str__(self) -> str:
        protocol = "lmtp" if self.lmtp else "smtp"
        return f"{protocol}:unix:{self.path}" if self.path else f"{protocol}:[{self.host}]:{self.port}"


def parse_next_hop(text: str) -> NextHop:
    """ValueError with a sentence for a person when it is none.

    `unix:/path` alone speaks LMTP, as the Unix sockets of delivery agents do; `smtp:unix:/path` is
    there for the others.
    """
    protocol, _, place = text.strip().partition(":")
    protocol = protocol.lower()
    if protocol == "unix":
        protocol, place = "lmtp", f"unix:{place}"
    if protocol not in ("smtp", "lmtp"):
        raise ValueError(
            f"{text!r} is no next hop; write smtp:[127.0.0.1]:10025, lmtp:[host]:24 or unix:/path"
        )
    lmtp = protocol == "lmtp"
    path = place.removeprefix("unix:")
    if path.startswith("/"):
        return NextHop(lmtp, path=path)
    match = _TCP.fullmatch(place)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise ValueError(f"{text!r} names no server; write {protocol}:[host]:port or {protocol}:unix:/path")
    return NextHop(lmtp, (match["literal"] or match["host"]).lower(), int(match["port"]))
