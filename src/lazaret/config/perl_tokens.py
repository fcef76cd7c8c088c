"""The tokens of a Perl file, as far as configuration files need them. Nothing is run; time is linear.

Quoting is read as perlop(1) has it: q qq qw qr m with any delimiter, here-documents, POD.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_CHARACTERS = 1 << 20
"""A longer file is no configuration."""


class Token(NamedTuple):
    """One token and its line, counted from 1."""

    kind: str
    """variable, number, word, text (as it is), template (with variables), words, regex, command, sign"""
    text: str
    line: int


class NotPerl(ValueError):
    """A quote that is never closed, or a file that is too long."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


_POD = re.compile(r"^=[a-zA-Z].*?(?:^=cut\b[^\n]*|\Z)", re.MULTILINE | re.DOTALL)
_END = re.compile(r"^__(?:END|DATA)__\b", re.MULTILINE)
_VARIABLE = re.compile(r"[$@%](?:\{\^?\w+\}|[A-Za-z_]\w*(?:::\w+)*)")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+")
_WORD = re.compile(r"[A-Za-z_]\w*(?:(?:::|')[A-Za-z_]\w*)*")
_HERE = re.compile(
    r"<<(?P<indented>~?)(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<bare>[A-Za-z_]\w*))"
)
_SIGN = re.compile(r"=>|->|=~|!~|==|!=|<=|>=|\|\||&&|//|\.\.\.?|\+\+|--|[.+*|&-]=|::|.", re.DOTALL)
_QUOTES = {"q": "text", "qq": "template", "qw": "words", "qr": "regex", "m": "regex", "qx": "command"}
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_BEFORE_REGEX = frozenset(["(", ",", "[", "{", ";", "=~", "!~", "=>", "=", "||", "&&", "!", "?"])
"""A slash after one of these begins an expression; after anything else it divides."""
_MODIFIERS = re.compile(r"[a-z]*")


class Tokens:
    """Reads a file from its start to its end."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise NotPerl(f"more than {MAX_CHARACTERS >> 20} MiB: this is no configuration file", 1)
        end = _END.search(text)
        self._text = text[: end.start()] if end else text
        self._at = 0
        self._line = 1
        self._line_at = 0
        self._last = ""
        self._here: dict[int, int] = {}
        """Where the line ends that names a here-document -> where the document ends."""

    def __iter__(self) -> Iterator[Token]:
        while self._skip():
            line = self._line_of(self._at)
            kind, text = self._next()
            self._last = text if kind == "sign" else kind
            yield Token(kind, text, line)

    def _skip(self) -> bool:
        """Steps over blanks, comments, POD and here-documents; whether anything is left."""
        text = self._text
        while self._at < len(text):
            first = text[self._at]
            if first == "\n" and self._at in self._here:
                self._at = self._here[self._at]
            elif first in " \t\r\n\f":
                self._at += 1
            elif first == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif first == "=" and self._begins_line() and (pod := _POD.match(text, self._at)):
                self._at = pod.end()
            else:
                return True
        return False

    def _begins_line(self) -> bool:
        return self._at == 0 or self._text[self._at - 1] == "\n"

    def _line_of(self, place: int) -> int:
        self._line += self._text.count("\n", self._line_at, place)
        self._line_at = place
        return self._line

    def _next(self) -> tuple[str, str]:
        text, at = self._text, self._at
        first = text[at]
        sigil = first in "$@" or (first == "%" and self._last in _BEFORE_REGEX | {"", "\\", "}", "word"})
        if sigil and (found := _VARIABLE.match(text, at)):
            self._at = found.end()
            return "variable", found[0].replace("{", "").replace("}", "")
        if first in "'\"`":
            return {"'": "text", '"': "template", "`": "command"}[first], self._quoted(at)
        if first == "/" and self._last in _BEFORE_REGEX | {""}:
            return "regex", self._expression(at)
        if found := _NUMBER.match(text, at):
            self._at = found.end()
            return "number", found[0]
        if found := _WORD.match(text, at):
            return self._word(found)
        if found := _HERE.match(text, at):
            return self._here_document(found)
        found = _SIGN.match(text, at)
        assert found is not None
        self._at = found.end()
        return "sign", found[0]

    def _word(self, found: re.Match[str]) -> tuple[str, str]:
        """A word, or one of the quotes that begin like one: qw(…)."""
        word, self._at = found[0].partition("'")[0], found.end()
        kind = _QUOTES.get(word)
        if kind is None:
            self._at = found.end()
            return "word", found[0]
        start = found.start() + len(word)
        while start < len(self._text) and self._text[start] in " \t\n":
            start += 1
        opening = self._text[start : start + 1]
        is_key = self._text.startswith("=>", start) or opening in ("", ",", ";", ")", "=")
        if is_key or opening.isalnum() or (opening == "#" and start > found.start() + len(word)):
            return "word", word
        return kind, self._expression(start) if kind == "regex" else self._quoted(start)

    def _expression(self, start: int) -> str:
        text = self._quoted(start, unescape=False)
        modifiers = _MODIFIERS.match(self._text, self._at)
        self._at = modifiers.end() if modifiers else self._at
        return text

    def _quoted(self, start: int, *, unescape: bool = True) -> str:
        """What stands between the delimiter at `start` and its counterpart."""
        opening = self._text[start]
        closing = _CLOSING.get(opening, opening)
        stop = re.compile(rf"\\.|[{re.escape(opening)}{re.escape(closing)}]", re.DOTALL)
        depth, line = 1, self._line_of(start)
        for mark in stop.finditer(self._text, start + 1):
            if mark[0] == closing:
                depth -= 1
            elif mark[0] == opening:
                depth += 1
            if not depth:
                self._at = mark.end()
                inside = self._text[start + 1 : mark.start()]
                if unescape:
                    return inside.replace(f"\\{closing}", closing).replace(f"\\{opening}", opening)
                return inside
        raise NotPerl(f"the quote {opening} is never closed", line)

    def _here_document(self, found: re.Match[str]) -> tuple[str, str]:
        name = next(n for n in (found["double"], found["single"], found["bare"]) if n is not None)
        end_of_line = self._text.find("\n", found.end())
        begin = self._here.get(end_of_line, end_of_line + 1)
        indent = r"[ \t]*" if found["indented"] else ""
        end = re.compile(rf"^{indent}{re.escape(name)}[ \t]*\r?$", re.MULTILINE).search(self._text, begin)
        if end_of_line < 0 or end is None:
            raise NotPerl(f"the text <<{name} has no end", self._line_of(found.start()))
        self._here[end_of_line] = end.end()
        self._at = found.end()
        return "text" if found["single"] is not None else "template", self._text[begin : end.start()]
