"""One expression at a time, with limits: PCRE2 confirms, counts and cuts out what Vectorscan found.

An expression that exhausts its limits on a text raises MatchLimit: no text can make it run away. PCRE2
refuses expressions that compile to more than 64 KiB: in those, large groups are written once. What is still
too large runs on Python's `re`, which is slow and has no limits: only where a wider expression that PCRE2
takes matches too, and on short texts.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pcre2  # type: ignore[import-untyped]
from pcre2 import _cy

from lazaret.rules import kernel, perl_regex, spelling, widen
from lazaret.rules.ascii_only import ascii_only
from lazaret.rules.book import Ready, Regex
from lazaret.rules.perl_regex import dialect
from lazaret.rules.shared_groups import with_shared_groups
from lazaret.rules.starts import anchored, starts

_JIT_LIMIT = 3_000_000
"""Backtracking points, about 10 ms of compiled code."""

_INTERPRETED_LIMIT = 200_000
_NO_CONTEXT = _cy.create_match_context()
_JIT_STACK_EXCEEDED = -46
_TOO_LARGE = 120
_UNLIMITED_OCTETS = 4096
_LARGE = 16_000
"""Positions that PCRE2 takes in any case."""

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_PYTHON = re.compile(rb"\\z|\\e|\(\?<(?=[A-Za-z_])|\\.", re.DOTALL)


class MatchLimit(Exception):
    """The expression took too many steps on this text."""


class UnusableRegex(ValueError):
    """No engine takes the expression; says why."""


class Confirm:
    """A compiled expression; the compilation itself waits for the first use."""

    __slots__ = (
        "_counter",
        "_interpreted",
        "_others",
        "_others_in_ascii",
        "_pattern",
        "_python",
        "_text",
        "_wider",
        "regex",
    )

    def __init__(self, regex: Regex) -> None:
        self.regex = regex
        self._pattern: pcre2.Pattern | None = None
        self._interpreted: pcre2.Pattern | None = None
        self._python: re.Pattern[bytes] | None = None
        self._wider: pcre2.Pattern | None = None
        self._others: bytes | None = None
        self._others_in_ascii: bytes | None = None
        self._text = regex.ready.text if regex.ready else _text(regex)
        self._counter: Callable[[bytes, int], int | None] | None = None
        """Of the kernel: counts, or finds that Python has to."""

    def compile(self) -> None:
        """Compiles now. UnusableRegex when no engine takes it."""
        if self._pattern is not None or self._python is not None:
            return
        try:
            self._pattern = pcre2.compile(b"(*LIMIT_MATCH=%d)" % _JIT_LIMIT + self._text)
        except pcre2.LibraryError as error:
            if error.code != _TOO_LARGE:
                raise UnusableRegex(str(error)) from error
            self._pattern = _shared_pattern(self.regex)
            if self._pattern is None:
                self._python = _python_pattern(self.regex)
                self._wider = _wider_pattern(self.regex)
        self._others, self._others_in_ascii = _other_octets(self.regex)

    def matcher(self, *, counts: bool) -> object | None:
        """The same for the kernel; None where it has no PCRE2, or none that takes the expression.

        `counts`: all matches of a text are wanted, not only whether there is one.
        """
        others = _other_octets(self.regex) if counts else (None, None)
        starts, wider = None, None
        if self.regex.ready and not counts:
            starts, wider = self.regex.ready.starts, self.regex.ready.wider
        place = anchored if starts else bytes
        first = _matcher(place(wider), None, None, starts) if wider else None
        made = _matcher(place(self._text), *others, starts, first)
        if made is None:
            shared = with_shared_groups(self.regex)
            made = _matcher(shared, *others) if shared is not None else None
        return made

    def search(self, text: bytes) -> "pcre2.Match | re.Match[bytes] | None":
        """The first match."""
        self.compile()
        if self._pattern is not None:
            try:
                return self._pattern.search(text)
            except pcre2.LibraryError:
                pass  # The stack of compiled code may have been too small.
        return next(self.matches(text), None)

    def first(self, text: bytes) -> bytes | None:
        """What the first match is; None without one. A Match object would cost five times as much."""
        self.compile()
        if self._pattern is not None:
            try:
                found, _, _ = _cy.match(self._pattern._pcre2_code, text, len(text), 0, _NO_CONTEXT, 0)
                return None if found is None else bytes(_cy.match_substring_bynumber(found, text, 0) or b"")
            except pcre2.LibraryError:
                pass  # As in `search`.
        match = next(self.matches(text), None)
        return None if match is None else bytes(match.group() or b"")

    def matches(self, text: bytes) -> "Iterator[pcre2.Match | re.Match[bytes]]":
        """All matches, as Perl's /g finds them. MatchLimit when it takes too long."""
        self.compile()
        if self._pattern is None:
            assert self._python is not None
            if self._may_match(text):
                yield from self._python.finditer(text[:_UNLIMITED_OCTETS])
            return
        try:
            yield from self._pattern.finditer(text)
        except pcre2.LibraryError as error:
            if error.code != _JIT_STACK_EXCEEDED:
                raise MatchLimit from error
            yield from self._without_jit(text)

    def find_in(self, texts: Iterable[bytes]) -> bytes | None:
        """The first of the texts in which it matches. MatchLimit when it takes too long."""
        self.compile()
        if self._pattern is None:
            return next((text for text in texts if self.search(text) is not None), None)
        code = self._pattern._pcre2_code
        match = _cy.match
        try:
            for text in texts:
                if match(code, text, len(text), 0, _NO_CONTEXT, 0)[0] is not None:
                    return text
        except pcre2.LibraryError:
            return next((text for text in texts if next(self.matches(text), None) is not None), None)
        return None

    def count(self, text: bytes, most: int | None) -> int:
        """How many matches there are, up to `most`. MatchLimit when it takes too long."""
        counter = self._counter
        if counter is None:
            matcher: Any = self.matcher(counts=True) if kernel.compiled else None
            counter = self._counter = matcher.count if matcher else _left_to_python
        found = counter(text, -1 if most is None else most)
        return self._count(text, most) if found is None else found

    def _count(self, text: bytes, most: int | None) -> int:
        self.compile()
        others = self._others_in_ascii if text.isascii() else self._others
        if others is not None:
            found = len(text.translate(None, others))
            return found if most is None else min(found, most)
        if self._pattern is None:
            return sum(1 for _ in islice(self.matches(text), most))
        try:
            return _count(self._pattern, text, most)
        except pcre2.LibraryError:
            return sum(1 for _ in islice(self.matches(text), most))

    def count_in(self, texts: Sequence[bytes], most: int | None) -> int:
        """How many matches there are in all the texts, up to `most`. MatchLimit when it takes too long."""
        self.compile()
        if self._others_in_ascii is not None:
            whole = b"".join(texts)
            if whole.isascii() or self._others is not None:
                return self.count(whole, most)
        total = 0
        for text in texts:
            total += self.count(text, None if most is None else most - total)
            if total == most:
                break
        return total

    def _may_match(self, text: bytes) -> bool:
        try:
            return self._wider is None or self._wider.search(text) is not None
        except pcre2.LibraryError:
            return True

    def _without_jit(self, text: bytes) -> "Iterator[pcre2.Match]":
        """The stack of compiled code is small; the interpreter uses the heap."""
        if self._interpreted is None:
            limit = b"(*LIMIT_MATCH=%d)" % _INTERPRETED_LIMIT
            try:
                self._interpreted = pcre2.compile(limit + self._text, jit=False)
            except pcre2.LibraryError:
                self._interpreted = pcre2.compile(limit + (with_shared_groups(self.regex) or b""), jit=False)
        try:
            yield from self._interpreted.finditer(text)
        except pcre2.LibraryError as error:
            raise MatchLimit from error


def _left_to_python(_text: bytes, _most: int) -> None:
    """Without the kernel."""


def _matcher(text: bytes, *known: object) -> object | None:
    try:
        made: object = kernel.compiled.Matcher(b"(*LIMIT_MATCH=%d)" % _JIT_LIMIT + text, *known)
    except ValueError:
        return None
    return made


def _count(pattern: "pcre2.Pattern", text: bytes, most: int | None) -> int:
    """Through the lower layer of the package: a Match object costs five times what the match itself does."""
    code = pattern._pcre2_code
    if most == 1:
        match_data, _, _ = _cy.match(code, text, len(text), 0, _NO_CONTEXT, 0)
        return int(match_data is not None)
    found = _cy.match_generator(code, text, len(text), 0, _NO_CONTEXT)
    return sum(1 for _ in islice(found, most))


def made_ready(regex: Regex, *, confirms: bool = False) -> Regex:
    """The expression with all that takes long to find out about it: for whoever stores it.

    `confirms`: it is asked for many texts whether it matches, not how often.
    """
    text, wider = _text(regex), None
    try:
        pcre2.compile(text)
    except pcre2.LibraryError as error:
        if error.code == _TOO_LARGE:
            text, wider = with_shared_groups(regex) or text, _wider(regex)
    alone = (starts(regex), wider) if confirms else (None, None)
    return replace(regex, ready=Ready(text, *_other_octets(regex), *alone))


def _text(regex: Regex) -> bytes:
    prefix = b"(?" + regex.modifiers.encode() + b")" if regex.modifiers else b""
    return prefix + dialect(regex.source)


def _other_octets(regex: Regex) -> tuple[bytes | None, bytes | None]:
    """All octets but those it matches, when it matches single octets: counting those needs no engine.

    In any text, and in one of pure ASCII.
    """
    if regex.ready is not None:
        return regex.ready.others, regex.ready.others_in_ascii
    try:
        node = perl_regex.parse(regex.source, regex.modifiers)
    except perl_regex.RegexError:
        return None, None
    return _not_in_set(node), _not_in_set(ascii_only(node))


def _not_in_set(node: perl_regex.Node | None) -> bytes | None:
    while isinstance(node, perl_regex.Sequence) and len(node.items) == 1:
        node = node.items[0]
    if not isinstance(node, perl_regex.Chars):
        return None
    return bytes(octet for octet in range(256) if not node.mask >> octet & 1)


def _shared_pattern(regex: Regex) -> "pcre2.Pattern | None":
    """The same with its large groups written once; None where that does not make it short enough."""
    text = with_shared_groups(regex)
    try:
        return pcre2.compile(b"(*LIMIT_MATCH=%d)" % _JIT_LIMIT + text) if text else None
    except pcre2.LibraryError:
        return None


def _wider(regex: Regex) -> bytes | None:
    """The same with fewer repeats of what is long; None where that does not make it short enough."""
    try:
        fewer = widen.with_fewer_repeats(perl_regex.parse(regex.source, regex.modifiers), _LARGE)
        if widen.size(fewer) > _LARGE:
            return None
        caseless = spelling.is_caseless(fewer)  # A set takes sixteen times the room of a letter.
        text = (b"(?i)" if caseless else b"") + spelling.spell(fewer, caseless=caseless)
        pcre2.compile(text)
    except (perl_regex.RegexError, pcre2.LibraryError):
        return None
    return text


def _wider_pattern(regex: Regex) -> "pcre2.Pattern | None":
    text = _wider(regex)
    return pcre2.compile(b"(*LIMIT_MATCH=%d)" % _JIT_LIMIT + text) if text is not None else None


def _python_pattern(regex: Regex) -> re.Pattern[bytes]:
    flags = re.RegexFlag(0)
    for modifier in regex.modifiers:
        flags |= _FLAGS.get(modifier, re.RegexFlag(0))
    source = dialect(regex.source)
    leading = re.match(rb"(?:\(\?([imsx]+)\))+", source)
    if leading:
        for modifier in leading[0].decode():
            flags |= _FLAGS.get(modifier, re.RegexFlag(0))
        source = source[leading.end() :]
    spelling = {b"\\z": b"\\Z", b"\\e": b"\\x1b", b"(?<": b"(?P<"}
    try:
        return re.compile(_PYTHON.sub(lambda m: spelling.get(m[0], m[0]), source), flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnusableRegex(str(error)) from error
