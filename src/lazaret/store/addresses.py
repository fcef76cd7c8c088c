"""Addresses as amavisd-new keeps them in `maddr`, and the exact ones where those differ."""

import re
from collections.abc import Iterable
from functools import lru_cache

from lazaret.model import address, words
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks, portions

_MADDR = Table("maddr", ("partition_tag", "email", "domain"), skip_known=True)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_BETWEEN = re.compile(r"[\s<>(),;:\"\[\]]+")
_DOMAIN = re.compile(r"@[^\s<>(),;:\"]*")

_BY_EMAIL = "SELECT email, id FROM maddr WHERE partition_tag = ? AND email IN ("

MAX_IN_HEADER = 10
"""Addresses of a header field that are indexed one by one."""


@lru_cache(maxsize=4096)
def key(written: str) -> str:
    """The form in `maddr.email`: lower case, the domain in ASCII, at most 255 characters."""
    return plain(address.normalise(written), 255)


@lru_cache(maxsize=4096)
def domain_of(key: str) -> str:
    """The form in `maddr.domain`: reversed, at most 255 characters."""
    return address.reversed_domain(key)[:255]


def exact(written: str) -> bytes | None:
    """The octets of an address that its key does not give back; None when it does."""
    return None if key(written) == written else to_octets(written)


def to_octets(written: str) -> bytes:
    """As on the wire; half characters, which no octets give, become `?`."""
    try:
        return written.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return written.encode("utf-8", "replace")


def from_octets(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def plain(text: str, limit: int) -> str:
    """Text that every database takes: no control characters or half characters, at most `limit` long."""
    text = text[:limit]
    if text.isprintable():
        return text
    return _UNPRINTABLE.sub("?", text)


def ids(connection: Connection, written: Iterable[str], tag: int) -> dict[str, int]:
    """Address -> `maddr.id` in the partition `tag`; makes the rows that are missing.

    To be called inside the transaction.
    """
    keys = {one: key(one) for one in written}
    found = _known(connection, set(keys.values()), tag)
    missing = sorted(set(keys.values()) - found.keys())
    if missing:
        # Passes over what another process has put in since; the second reading finds its rows too.
        insert(connection, _MADDR, [(tag, one, domain_of(one)) for one in missing])
        found |= _known(connection, set(missing), tag)
    return {one: found[key] for one, key in keys.items()}


@lru_cache(maxsize=1024)
def in_header(field: str) -> tuple[str, ...]:
    """Keys of the addresses in a decoded From, Reply-To or To field: the first ten, each once."""
    found = [piece for piece in _BETWEEN.split(field[:4096]) if "@" in piece[1:-1]]
    return tuple(dict.fromkeys(map(key, found[: 10 * MAX_IN_HEADER])))[:MAX_IN_HEADER]


@lru_cache(maxsize=1024)
def names_in(field: str) -> str:
    """Names and local parts in such a field, as words: what a person remembers of a sender."""
    return " ".join(words.split(_DOMAIN.sub(" ", field[:1000]))) if field else ""


def _known(connection: Connection, keys: set[str], tag: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in portions(sorted(keys)):
        statement = sql(_BY_EMAIL, marks(len(some)), ")", connection.dialect.share)
        found.update(connection.execute(statement, [tag, *some]))
    return found
