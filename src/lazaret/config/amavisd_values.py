"""Values of amavisd.conf in the form of ours: networks, domains, next hops, databases."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import quote, urlencode

from lazaret.config.kinds import Network
from lazaret.config.perl_values import Value

_HOP = re.compile(r"(smtp|lmtp):(?:\[([^\]\s]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", re.IGNORECASE)
_SOCKET_HOP = re.compile(r"(smtp|lmtp):(/\S+)", re.IGNORECASE)
_SHORT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}")


@dataclass(frozen=True, slots=True)
class Given:
    """A value of amavisd.conf, and where it stands."""

    value: Value
    where: str


class NotOurs(ValueError):
    """A value that ours cannot say as it stands; `value` is as much of it as they can, None for nothing."""

    def __init__(self, text: str, value: object = None) -> None:
        super().__init__(text)
        self.value = value


def number(value: Value) -> int | float:
    """A number that may be written as text."""
    try:
        return value if isinstance(value, int | float) else float(str(value))
    except ValueError:
        raise NotOurs(f"{value!r} is no number") from None


def networks(value: Value) -> object:
    """CIDR networks, IPv6 in brackets or not; loopback is ours anyway."""
    found: list[str] = []
    lost: list[str] = []
    for item in _flat(value):
        network = _network(item)
        if network is None:
            lost.append(item)
        elif not network.is_loopback:
            found.append(str(network))
    return _as_far(found, lost, "not as a network of ours")


def domains(value: Value) -> object:
    """Domains as `local.domains` has them; `.` and 1, which mean every domain, are the empty list."""
    found: list[str] = []
    lost: list[str] = []
    for item in _flat(value):
        if item in ("1", "."):
            raise NotOurs("every domain is local there; name yours, or leave local.domains empty", [])
        (lost if item.startswith("!") or "@" in item else found).append(item)
    return _as_far(found, lost, "no domains")


def addresses(value: Value) -> object:
    """Recipients as `policy.always_deliver` has them; a bare domain gets its @."""
    found: list[str] = []
    lost: list[str] = []
    for item in _flat(value):
        if item.startswith("!") or item in ("1", "."):
            lost.append(item)
        else:
            found.append(item if "@" in item else f"@{item}")
    return _as_far(found, lost, "not a recipient of ours")


def hops(value: Value) -> object:
    """Next hops: `smtp:[127.0.0.1]:10025`, a list of them, or a socket."""
    found = [_hop(item) for item in _flat(value)]
    return found[0] if len(found) == 1 else found


def database(value: Value) -> object:
    """`store.url` of a list of data sources; the password is for a file of its own."""
    sources = value if isinstance(value, list) else []
    if not sources or not isinstance(sources[0], list) or not sources[0]:
        raise NotOurs("no data source")
    source = [*sources[0], None, None]
    driver, _, rest = str(source[0]).removeprefix("DBI:").removeprefix("dbi:").partition(":")
    facts = dict(pair.partition("=")[::2] for pair in re.split("[;\\s]+", rest) if "=" in pair)
    scheme = {"mysql": "mysql", "MariaDB": "mysql", "Pg": "postgresql"}.get(driver)
    name = facts.get("database") or facts.get("dbname") or facts.get("db")
    if scheme is None or not name:
        raise NotOurs(f"{driver} is no database that we know; write store.url")
    user = f"{quote(str(source[1]), safe='')}@" if source[1] else ""
    host = facts.get("host") or facts.get("hostname") or "localhost"
    socket = facts.get("mysql_socket") or (host if host.startswith("/") else "")
    port = f":{facts['port']}" if facts.get("port") else ""
    query = f"?{urlencode({'unix_socket' if scheme == 'mysql' else 'host': socket})}" if socket else ""
    url = f"{scheme}://{user}{'localhost' if socket else host}{port}/{quote(name, safe='')}{query}"
    asides = []
    if source[2]:
        asides.append("the password is not copied: write it into a file and name that in store.password_file")
    if len(sources) > 1:
        asides.append(f"{len(sources) - 1} more data sources for fail-over are not taken over")
    if asides:
        raise NotOurs("; ".join(asides), url)
    return url


def _hop(item: str) -> str:
    found = _HOP.fullmatch(item)
    if found:
        return f"{found[1].lower()}:[{found[2] or found[3]}]:{found[4]}"
    socket = _SOCKET_HOP.fullmatch(item)
    if socket:
        return f"unix:{socket[2]}" if socket[1].lower() == "lmtp" else f"smtp:unix:{socket[2]}"
    raise NotOurs(f"{item!r} is no next hop that we can reach; write relay.next_hop")


def _network(item: str) -> Network | None:
    bare = item.replace("[", "").replace("]", "")
    if _SHORT.fullmatch(bare):  # amavisd takes 10. and 192.168 as prefixes
        octets = bare.split(".")
        bare = ".".join([*octets, *["0"] * (4 - len(octets))]) + f"/{8 * len(octets)}"
    try:
        return ip_network(bare, strict=False)
    except ValueError:
        return None


def _as_far(found: list[str], lost: list[str], what: str) -> object:
    if lost:
        raise NotOurs(f"{what}: {' '.join(lost)}", found)
    return found


def _flat(value: Value) -> Iterator[str]:
    """All texts in lists in lists; of a table the keys whose value is true."""
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict):
        yield from (key for key, item in value.items() if item not in (None, "", 0, "0"))
    elif value is not None and value != "":
        yield str(value)
