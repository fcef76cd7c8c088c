"""Many expressions as one Vectorscan database: which form of each goes in, and the compilation.

Forms of an expression, from the best to the last resort: exactly (a match is a hit); as Vectorscan's
prefilter or widened (a match is to be confirmed); not at all (it runs alone).

Line starts within a text (`^` with the modifier m) never go in: with two such expressions in one database,
Vectorscan 5.4.12 misses matches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import hyperscan

from lazaret.rules import perl_regex, required, spelling, widen
from lazaret.rules.book import Regex

_EVERY = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
_EXACT_SIZE = 400
"""Positions that are put into a database as they are."""

_EXACT_GROWTH = 1.2
"""Word lists may have more: their repeats do not make them much longer than they are written."""

_WORDY_SIZE = 2_500
"""Positions of an expression that is mostly words: those that Vectorscan looks for as such cost little."""

_PART_SIZE = 200
_MAX_LENGTH = 15_000
_LINE_EDGES = ("^", "$", "(?m:^)", "(?m:$)", "\\A", "\\z", "\\Z", "\\G")
"""Vectorscan takes them at the ends of an expression only."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to put an expression into a database."""

    texts: tuple[bytes, ...]
    """Expressions of which one matches where the whole does."""
    flags: int
    exact: bool
    company: int = 0
    """Forms of different numbers belong into different databases: together they take minutes to compile."""


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
            return replace(form, exact=form.exact and exact)
    return None


def _forms(regex: Regex, node: perl_regex.Node) -> Iterator[Form]:
    prefix = b"(?" + regex.modifiers.encode() + b")" if regex.modifiers else b""
    text = prefix + perl_regex.dialect(regex.source)
    spellings = widen.spells_letters(node)
    if not spellings and not _has(node, "(?m:^)") and len(text) <= _MAX_LENGTH:
        regular = widen.is_regular(node)
        if regular and widen.size(node) <= max(_EXACT_SIZE, _EXACT_GROWTH * len(text)):
            yield Form((text,), _EVERY, True)
        if widen.size(node) <= _EXACT_SIZE:
            yield Form((text,), _EVERY | hyperscan.HS_FLAG_PREFILTER, False)
    wide = widen.widen(node)
    if widen.size(wide) <= (_WORDY_SIZE if widen.is_wordy(wide) else _EXACT_SIZE):
        yield from _spelled(wide, spellings)
    yield from _spelled(required.part(wide, _PART_SIZE).node, spellings)


def _spelled(node: perl_regex.Node, spellings: bool) -> Iterator[Form]:
    caseless = spelling.is_caseless(node)
    large = widen.size(node) > _PART_SIZE
    nodes = node.branches if isinstance(node, perl_regex.Choice) and large else (node,)
    texts = tuple(spelling.spell(n, caseless=caseless) for n in nodes)
    if max(map(len, texts)) <= _MAX_LENGTH:
        company = 2 if large else int(spellings)
        yield Form(texts, _EVERY | (hyperscan.HS_FLAG_CASELESS if caseless else 0), False, company)


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
    placed = [(text, number, form.flags) for number, form in enumerate(forms) for text in form.texts]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[text for text, _, _ in placed],
        ids=[number for _, number, _ in placed],
        elements=len(placed),
        flags=[flags for _, _, flags in placed],
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
        """Appends the number of every expression that matches, now and then one of them twice."""
        self._database.scan(text, _note, 0, found, self._scratch)


class DamagedDatabase(ValueError):
    """Serialised octets that are no database for this machine."""


def _note(number: int, _start: int, _end: int, _flags: int, found: object) -> None:
    found.append(number)  # type: ignore[attr-defined]
