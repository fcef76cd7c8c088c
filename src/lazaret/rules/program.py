"""What the compiler makes of a Book: everything that evaluation needs, in a form that can be stored."""

from dataclasses import dataclass

from lazaret.rules.book import Book
from lazaret.rules.metas import Meta


@dataclass(frozen=True, slots=True)
class Searched:
    """A rule that looks for an expression in the texts of a group."""

    rule: int
    exact: bool
    """A match in the database is a hit; otherwise it is confirmed with the expression itself."""
    max_hits: int | None = 1
    negated: bool = False
    skips_subject: bool = False
    when_absent: bool = False
    """Whether it hits where the header field is absent."""
    captures: tuple[str, ...] = ()
    """Tags that its named groups set."""
    needs: tuple[str, ...] = ()
    """Tags that stand in its expression as %{TAG}."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that look at the same texts, with one database. The first `in_database` rules are in it."""

    view: str
    """body, rawbody, uri, full, header or mimeheader."""
    selector: str
    reach: str
    """Which texts the database searches: "each" of them, those in "ascii" or "other" ones, or "plain" ones,
    folded (folding.py), or "strange" ones."""
    searched: tuple[Searched, ...]
    in_database: int
    database: bytes
    exists: tuple[int, ...] = ()
    """Rules that hit when the header field is there."""


@dataclass(frozen=True, slots=True)
class Called:
    """A rule that calls an eval function."""

    rule: int
    function: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled rule set. Rules are numbered by their place in `names`."""

    book: Book
    names: tuple[str, ...]
    groups: tuple[Group, ...]
    called: tuple[Called, ...]
    metas: tuple[Meta, ...]
    deferred: tuple[int, ...]
    """Rules whose value is worked out when a meta asks for it, and not before."""
    baseline: tuple[float, ...]
    """The value of every rule for a message in which nothing is found and no header field is present."""
