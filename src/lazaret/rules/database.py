"""Many expressions as one Vectorscan database: which form of each goes in, and the compilation.

Forms of an expression, from the best to the last resort: exactly (a match is a hit); as Vectorscan's
prefilter or widened (a match is to be confirmed); not at all (it runs alone).

Line starts within a text (`^` with the modifier m) never go in: with two such expressions in one database,
Vectorscan 5.4.12 misses matches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import hyperscan

from lazaret.rules import perl_regex, widen
from lazaret.rules.book import Regex

_EVERY = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
_EXACT_SIZE = 400
"""Positions that are put into a database as they are."""

_EXACT_GROWTH = 1.2
"""Word lists may have more: their repeats do not make them much longer than they are written."""

_MAX_LENGTH = 15_000
_LINE_EDGES = ("^", "$", "(?m:^)", "(?m:$)", "\\A", "\\z", "\\Z", "\\G")
"""Vectorscan takes them at the ends of an expression only."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to put an expression into a database."""

    text: bytes
    flags: int
    exact: bool


def form_of(regex: Regex, *, exact: bool = True) -> Form | None:
    """The best form that compiles; None: it has to run alone. `exact` False: it will be confirmed anyway."""
    try:
        node = perl_regex.parse(regex.source, regex.modifiers)
    except perl_regex.RegexError:
        return None
    usual = widen.size(node) <= _EXACT_SIZE and not _has(node, *_LINE_EDGES)
    for form in _forms(regex, node):
        # What is usual compiles as a rule; where it does not, whoever builds the database finds out.
        if usual or compiles(form):
            return Form(form.text, form.flags, form.exact and exact)
    return None


def _forms(regex: Regex, node: perl_regex.Node) -> Iterator[Form]:
    prefix = b"(?" + regex.modifiers.encode() + b")" if regex.modifiers else b""
    text = prefix + perl_regex.dialect(regex.source)
    if len(text) <= _MAX_LENGTH and not _has(node, "(?m:^)"):
        regular = widen.is_regular(node)
        if regular and widen.size(node) <= max(_EXACT_SIZE, _EXACT_GROWTH * len(text)):
            yield Form(text, _EVERY, True)
        if widen.size(node) <= _EXACT_SIZE:
            yield Form(text, _EVERY | hyperscan.HS_FLAG_PREFILTER, False)
    fine = widen.widen(node)
    if len(fine) <= _MAX_LENGTH:
        yield Form(fine, _EVERY, False)
    coarse = widen.widen(node, coarse=True)
    if len(coarse) <= _MAX_LENGTH:
        yield Form(coarse, _EVERY, False)


def _has(node: perl_regex.Node, *edges: str) -> bool:
    """Whether one of these assertions stands in it."""
    match node:
        case perl_regex.Edge(text):
            return text in edges
        case perl_regex.Sequence(parts) | perl_regex.Choice(parts):
            return any(_has(part, *edges) for part in parts)
        case perl_regex.Repeat(item):
            return _has(item, *edges)
        case _:
            return False


def compiles(form: Form) -> bool:
    """Whether Vectorscan takes it."""
    try:
        _compile([form])
    except hyperscan.error:
        return False
    return True


def _compile(forms: Sequence[Form]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[f.text for f in forms],
        ids=list(range(len(forms))),
        elements=len(forms),
        flags=[f.flags for f in forms],
    )
    return database


def build(forms: Sequence[Form]) -> bytes:
    """The serialised database; the expression's place in `forms` is its number. b"" when there are none."""
    return hyperscan.dumpb(_compile(forms)) if forms else b""


class Database:
    """A database at run time. Not for two threads at once."""

    __slots__ = ("_database", "_scratch")

    def __init__(self, serialised: bytes) -> None:
        """DamagedDatabase when it was not made by this version on such a machine."""
        try:
            self._database = hyperscan.loadb(serialised, hyperscan.HS_MODE_BLOCK)
            self._scratch = hyperscan.Scratch(self._database)
        except hyperscan.error as error:
            raise DamagedDatabase(str(error)) from error

    def scan(self, text: bytes, found: list[int]) -> None:
        """Appends the number of every expression that matches, each once."""
        self._database.scan(text, _note, 0, found, self._scratch)


class DamagedDatabase(ValueError):
    """Serialised octets that are no database for this machine."""


def _note(number: int, _start: int, _end: int, _flags: int, found: object) -> None:
    found.append(number)  # type: ignore[attr-defined]
