"""The kinds of values that options take: how each is read from TOML, and written again."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Generic, Protocol, TypeVar

from lazaret.config.problems import Unfit, nearest
from lazaret.model.partition import ISO_WEEK, Partition

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_TYPE_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}


class Kind(Protocol[T]):
    """Reads and writes one kind of value. `read` and `read_word` raise Unfit."""

    @property
    def name(self) -> str:
        """For a person: "a number"."""

    def read(self, value: object) -> T:
        """The value that TOML gave, checked and in our type."""

    def read_word(self, word: str) -> T:
        """The value from a bare word of the command line."""

    def show(self, value: T) -> str:
        """The value as TOML."""


def quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def wrong_type(kind: str, value: object) -> Unfit:
    """The error for a value of another TOML type."""
    return Unfit(f"expected {kind}, not {_TYPE_WORDS.get(type(value), 'a table or a date')}")


@dataclass(frozen=True, slots=True)
class Text:
    """A string without control characters; `check` raises Unfit, or gives the form to keep."""

    name: str = "text"
    check: Callable[[str], str] = str

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise wrong_type(self.name, value)
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise Unfit("control characters cannot stand here")
        return self.check(value)

    def read_word(self, word: str) -> str:
        return self.read(word)

    def show(self, value: str) -> str:
        return quoted(value)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """A string that `parse` turns into something else, and `write` turns back; None is written as ""."""

    name: str
    parse: Callable[[str], T]
    write: Callable[[T], str] = str

    def read(self, value: object) -> T:
        return self.parse(Text(self.name).read(value))

    def read_word(self, word: str) -> T:
        return self.read(word)

    def show(self, value: T) -> str:
        return quoted("" if value is None else self.write(value))


@dataclass(frozen=True, slots=True)
class Switch:
    """true or false."""

    name: str = "true or false"

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise wrong_type(self.name, value)
        return value

    def read_word(self, word: str) -> bool:
        return self.read(word)

    def show(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number."""

    name: str = "a number"
    above: float = -math.inf
    """It must be greater than this."""

    def read(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(self.name, value)
        if not math.isfinite(value):
            raise Unfit("must be a finite number")
        if value <= self.above:
            raise Unfit(f"must be above {self.above:g}")
        return float(value)

    def read_word(self, word: str) -> float:
        return self.read(word)

    def show(self, value: float) -> str:
        return repr(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int = 0
    most: int = 2**31 - 1
    name: str = "a whole number"

    def read(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(self.name, value)
        if not self.least <= value <= self.most:
            raise Unfit(f"must be from {self.least} to {self.most}")
        return value

    def read_word(self, word: str) -> int:
        return self.read(word)

    def show(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class PartitionTag:
    """A whole number, or the word for the week."""

    name: str = f'a whole number, or "{ISO_WEEK}"'

    def read(self, value: object) -> Partition:
        if value == ISO_WEEK:
            return Partition(weekly=True)
        if isinstance(value, str):
            raise wrong_type(self.name, value)
        return Partition(Whole(name=self.name).read(value))

    def read_word(self, word: str) -> Partition:
        return self.read(word)

    def show(self, value: Partition) -> str:
        return quoted(ISO_WEEK) if value.weekly else str(value.constant)


_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_UNIT_NAMES = {name.lower(): factor for name, factor in _UNITS.items()}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]{1,3})")


@dataclass(frozen=True, slots=True)
class Size:
    """Octets: a whole number, or a text such as "1 GiB"."""

    name: str = "a size"

    def read(self, value: object) -> int:
        if isinstance(value, str):
            return self._text(value)
        return Whole(0, 2**62, self.name).read(value)

    def read_word(self, word: str) -> int:
        return self.read(word)

    def show(self, value: int) -> str:
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            if value and value % _UNITS[unit] == 0:
                return quoted(f"{value // _UNITS[unit]} {unit}")
        return str(value)

    def _text(self, text: str) -> int:
        match = _SIZE.fullmatch(text.strip())
        factor = _UNIT_NAMES.get(match[2].lower()) if match else None
        if match is None or factor is None:
            raise Unfit(
                'expected a size; write octets, or a text such as "512 MiB" (kB MB GB TB, KiB MiB GiB TiB)'
            )
        return round(float(match[1]) * factor) if "." in match[1] else int(match[1]) * factor


@dataclass(frozen=True, slots=True)
class Word(Generic[E]):
    """One word of a closed list."""

    words: type[E]

    @property
    def name(self) -> str:
        return " | ".join(quoted(w) for w in self.words)

    def read(self, value: object) -> E:
        if not isinstance(value, str):
            raise wrong_type(self.name, value)
        try:
            return self.words(value)
        except ValueError:
            pass
        meant = nearest(value, self.words)
        raise Unfit(f"expected {self.name}" + (f"; did you mean {quoted(meant)}?" if meant else ""))

    def read_word(self, word: str) -> E:
        return self.read(word)

    def show(self, value: E) -> str:
        return quoted(value)


@dataclass(frozen=True, slots=True)
class Several(Generic[T]):
    """A list; with `single` one value may stand without its brackets."""

    item: Kind[T]
    single: bool = False

    @property
    def name(self) -> str:
        return (
            f"{self.item.name}, or a list of them" if self.single else f"a list, each item {self.item.name}"
        )

    def read(self, value: object) -> tuple[T, ...]:
        if self.single and isinstance(value, str):
            return (self.item.read(value),) if value else ()
        if isinstance(value, str):
            raise Unfit(f"expected a list; write [{quoted(value)}]" if value else "expected a list; write []")
        if not isinstance(value, list):
            raise wrong_type(self.name, value)
        return tuple(self.item.read(v) for v in value)

    def read_word(self, word: str) -> tuple[T, ...]:
        return (self.item.read_word(word),) if word else ()

    def show(self, value: tuple[T, ...]) -> str:
        if self.single and len(value) < 2:
            return self.item.show(value[0]) if value else quoted("")
        return f"[{', '.join(self.item.show(v) for v in value)}]"


Network = IPv4Network | IPv6Network


def network(text: str) -> Network:
    """An IP network or a single address; host bits are an error, as they hide a typing mistake."""
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise Unfit(
            f'"{text}" is no IP network; write for example "192.0.2.0/24" or "2001:db8::/32"'
        ) from None
    raise Unfit(f'"{text}" has bits set beyond its prefix; write "{meant}"')


def write_network(value: Network) -> str:
    """A network of one address as that address."""
    return str(value.network_address) if value.num_addresses == 1 else str(value)


NETWORK = Parsed("an IP network", network, write_network)
