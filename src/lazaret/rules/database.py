"""Many expressions as one Vectorscan database: which form of each goes in, and the compilation.

Forms of an expression, from the best to the last resort: exactly (a match is a hit); as Vectorscan's
prefilter or widened (a match is to be confirmed); not at all (it runs alone).

Some expressions have no telling word in them, and cost as much as a hundred others. They go into databases
of their own, widened: one database for texts of pure ASCII, where little is left of most of them, and one for
the others. Most of these say enough when they are folded (folding.py): one database for plain texts, folded,
and one for the strange ones. Of those that begin with a run of nearly anything, what follows it is searched.

Line starts within a text (`^` with the modifier m) never go in: with two such expressions in one database,
Vectorscan 5.4.12 misses matches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import hyperscan

from lazaret.rules import folding, literals, perl_regex, required, spelling, widen
from lazaret.rules.ascii_only import ascii_only
from lazaret.rules.book import Regex

_EVERY = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
_EXACT_SIZE = 400
"""Positions that are put into a database as they are."""

_EXACT_GROWTH = 1.2
"""Word lists may have more: their repeats do not make them much longer than they are written."""

_WORDY_SIZE = 2_500
"""Positions of an expression that is mostly words: those that Vectorscan looks for as such cost little."""

_PART_SIZE = 200
_TELLING = 8.0
"""Bits that a word of an expression must say for it to be searched exactly, and with all others."""

_TELLING_PREFILTER = 15.0
"""The same where each match costs a confirmation."""

_FOUND_ANYWHERE = 5.0
"""Bits of an expression that matches in nearly every line: looking for it says nothing."""

_TELLING_FOLDED = 12.0
"""The same of a folded expression, which finds more than it should."""

_FOLDED_PART_SIZE, _ASCII_PART_SIZE, _OTHER_PART_SIZE = 24, 40, 80
"""Positions of expressions that are searched in the texts of a kind."""

_BEHIND_PART_SIZE = 80
"""Positions of what is searched behind a run that an expression begins with."""

_RUN_OCTETS, _RUN_LENGTH = 10, 8
"""A run: so many octets can stand in it, and it can be longer than that."""

_LARGE = 2
"""The company of long word lists."""
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


@dataclass(frozen=True, slots=True)
class Forms:
    """How an expression goes into databases; when all are None, it has to run alone."""

    each: Form | None = None
    """Searched in all texts; otherwise:"""
    ascii: Form | None = None
    other: Form | None = None
    plain: Form | None = None
    """In those that are plain, folded (folding.py), and in those that are not."""
    strange: Form | None = None

    @property
    def placed(self) -> list[tuple[str, Form | None]]:
        """What is searched (`program.Group.reach`), and in which form."""
        places = {reach: getattr(self, reach) for reach in ("plain", "strange", "ascii", "other")}
        return [(reach, form) for reach, form in places.items() if form] or [("each", self.each)]


def forms_of(regex: Regex, *, lines: bool) -> Forms:
    """The best forms that compile.

    `lines`: it searches many texts, so that looking at where one begins and ends saves nothing.
    """
    node = _parsed(regex)
    if node is not None and lines and required.bits(node) < _FOUND_ANYWHERE:
        return Forms()
    if node is not None and (lines or widen.spells_letters(node)) and not _is_told(node):
        by_kind = _by_kind(node)
        if by_kind is not None:
            return by_kind
    if node is not None and lines and (behind := _behind_runs(node)) is not node:
        if required.bits(behind) < _FOUND_ANYWHERE:
            return Forms()
        part = _part(behind, _BEHIND_PART_SIZE, spellings=False)
        if part is not None and part.company != _LARGE:
            return Forms(each=part)
    return Forms(each=form_of(regex))


def form_of(regex: Regex, *, exact: bool = True) -> Form | None:
    """The best form that compiles, for searching each text by itself; None: it has to run alone.

    `exact` False: it will be confirmed anyway.
    """
    node = _parsed(regex)
    if node is None:
        return None
    form = _best(_forms(regex, node), _is_usual(node))
    return replace(form, exact=form.exact and exact) if form else None


def _parsed(regex: Regex) -> perl_regex.Node | None:
    try:
        return perl_regex.parse(regex.source, regex.modifiers)
    except perl_regex.RegexError:
        return None


def _is_told(node: perl_regex.Node) -> bool:
    """Whether some word gives it away."""
    exactly = widen.is_regular(node) and widen.size(node) <= _EXACT_SIZE
    return literals.telling(node) >= (_TELLING if exactly else _TELLING_PREFILTER)


def _behind_runs(node: perl_regex.Node) -> perl_regex.Node:
    """What stands behind runs that come before the first telling word: to see where a run began, nearly
    anywhere, Vectorscan follows it through the whole text. The node itself where there is none."""
    match node:
        case perl_regex.Sequence(items):
            for place, item in enumerate(items):
                if literals.telling(perl_regex.Sequence(items[: place + 1])) >= _TELLING:
                    behind = _behind_runs(item)
                    return node if behind is item else perl_regex.Sequence((behind, *items[place + 1 :]))
                if _is_run(item):
                    return _behind_runs(perl_regex.Sequence(items[place + 1 :]))
            return node
        case perl_regex.Choice(branches):
            behind_each = tuple(map(_behind_runs, branches))
            same = all(a is b for a, b in zip(behind_each, branches, strict=True))
            return node if same else perl_regex.Choice(behind_each)
        case _:
            return node


def _is_run(node: perl_regex.Node) -> bool:
    """Whether a long run of many kinds of octets stands in it."""
    match node:
        case perl_regex.Repeat(perl_regex.Chars(mask), _, high):
            return mask.bit_count() >= _RUN_OCTETS and (high is None or high > _RUN_LENGTH)
        case perl_regex.Sequence(parts) | perl_regex.Choice(parts):
            return any(map(_is_run, parts))
        case perl_regex.Repeat(item):
            return _is_run(item)
        case _:
            return False


def _is_usual(node: perl_regex.Node) -> bool:
    """What is usual compiles as a rule; where it does not, whoever builds the database finds out."""
    return widen.size(node) <= _EXACT_SIZE and not _has(node, *_LINE_EDGES)


def _best(forms: Iterator[Form], usual: bool) -> Form | None:
    return next((form for form in forms if usual or compiles(form)), None)


def _by_kind(node: perl_regex.Node) -> Forms | None:
    """Forms for the kinds of texts: none of them looks at the edges of a text."""
    spellings = widen.spells_letters(node)
    other = _part(node, _OTHER_PART_SIZE, spellings)
    if other is None:
        return None
    folded = folding.folded(node)
    plain = _folded_part(folded) if folded is not None else None
    if folded is None or plain is not None:
        # However large: few texts are strange, and what is disguised in it is what makes it large.
        return Forms(plain=plain, strange=other) if spellings or other.company != _LARGE else None
    narrow = ascii_only(node)
    in_ascii = _part(narrow, _ASCII_PART_SIZE, spellings) if narrow is not None else None
    if other.company == _LARGE or (narrow is not None and (in_ascii is None or in_ascii.company == _LARGE)):
        return None  # Large ones take long to compile, and those of words need not be widened so.
    return Forms(ascii=in_ascii, other=other)


def _part(node: perl_regex.Node, positions: int, spellings: bool) -> Form | None:
    part = required.part(widen.without_edges(node), positions)
    usual = widen.size(part.node) <= _EXACT_SIZE
    form = _best(_spelled(part.node, spellings), usual) if part.bits else None
    return None if form is None or not all(form.texts) else form


def _folded_part(folded: perl_regex.Node) -> Form | None:
    part = required.part(folded, _FOLDED_PART_SIZE)
    if part.bits < _TELLING_FOLDED:
        return None
    form = Form((spelling.spell(part.node),), _EVERY, False)
    return form if compiles(form) else None


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
        company = _LARGE if large else int(spellings)
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

    @property
    def parts(self) -> tuple[object, object]:
        """What the kernel calls to scan a text, and the scratch space for it."""
        return self._database.scan, self._scratch


class DamagedDatabase(ValueError):
    """Serialised octets that are no database for this machine."""


def _note(number: int, _start: int, _end: int, _flags: int, found: object) -> None:
    found.append(number)  # type: ignore[attr-defined]
