"""Perl regular expressions over octets: a parse tree, rewritten for PCRE2 and Vectorscan.

The tree is for judging an expression (how large, what it needs) and for widening it; what is matched in the
end is the text itself, since both engines read Perl's syntax but for the spellings that `dialect` rewrites.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_MAX_DEPTH = 150

ANY = (1 << 256) - 1
_NEWLINE = 1 << 10


def _mask(*ranges: tuple[int, int]) -> int:
    mask = 0
    for low, high in ranges:
        mask |= ((1 << (high - low + 1)) - 1) << low
    return mask


_DIGIT = _mask((0x30, 0x39))
_SPACE = _mask((9, 13), (32, 32))
_WORD = _mask((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_UPPER, _LOWER = _mask((0x41, 0x5A)), _mask((0x61, 0x7A))
_HORIZONTAL = _mask((9, 9), (32, 32), (0xA0, 0xA0))
_VERTICAL = _mask((10, 13), (0x85, 0x85))
_CLASSES = {"d": _DIGIT, "s": _SPACE, "w": _WORD, "h": _HORIZONTAL, "v": _VERTICAL}
_POSIX = {
    "alpha": _UPPER | _LOWER,
    "digit": _DIGIT,
    "alnum": _UPPER | _LOWER | _DIGIT,
    "upper": _UPPER,
    "lower": _LOWER,
    "space": _SPACE,
    "blank": _mask((9, 9), (32, 32)),
    "punct": _mask((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "print": _mask((0x20, 0x7E)),
    "graph": _mask((0x21, 0x7E)),
    "cntrl": _mask((0, 31), (127, 127)),
    "xdigit": _mask((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
    "word": _WORD,
    "ascii": _mask((0, 127)),
}
_CONTROL = {"n": 10, "r": 13, "t": 9, "f": 12, "a": 7, "e": 27}
_QUANTIFIER = re.compile(r"\{\s*(\d*)\s*(,?)\s*(\d*)\s*\}")
_OCTAL = re.compile(r"[1-3]?[0-7]{2}(?!\d)")
_FLAGS = re.compile(r"\(\?(\^?)([a-z]*)(?:-([a-z]+))?([:)])")


class RegexError(ValueError):
    """The expression is malformed, or uses something that this parser does not know."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One octet out of a set: a bit per octet value."""

    mask: int


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    item: "Node"
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Edge:
    """An assertion without a text of its own: `^ $ \\A \\z \\Z \\b \\B \\G` (`text` as it is written)."""

    text: str


@dataclass(frozen=True, slots=True)
class Special:
    """What is no regular expression in the strict sense: look-around, back reference, atomic group."""

    item: "Node | None"
    """Its content where it takes up text (an atomic group); None for a look-around or a back reference."""
    consumes: bool


Node = Chars | Sequence | Choice | Repeat | Edge | Special
EMPTY = Sequence(())


@lru_cache(16)
def parse(source: bytes, modifiers: str = "") -> Node:
    """The tree. RegexError when the expression is malformed or too unusual."""
    parser = _Parser(source.decode("latin-1"))
    node = parser.choice(frozenset(modifiers) & frozenset("imsx"))
    if parser.position < len(parser.text):
        raise RegexError("unbalanced )")
    return node


@dataclass(frozen=True, slots=True)
class Group:
    """A group `(?:…)` where it stands in the text of an expression."""

    start: int
    end: int
    flags: frozenset[str]
    """Those in force inside."""
    item: "Node"
    repeats: bool


def groups(source: bytes, modifiers: str = "") -> list[Group]:
    """The groups of an expression, inner ones before those around them. RegexError as for `parse`."""
    parser = _Parser(source.decode("latin-1"))
    parser.choice(frozenset(modifiers) & frozenset("imsx"))
    return parser.groups


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.groups: list[Group] = []
        self._depth = 0

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def choice(self, flags: frozenset[str]) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise RegexError("nested too deep")
        branches = []
        while True:
            branch, flags = self._sequence(flags)
            branches.append(branch)
            if self._peek() != "|":
                break
            self.position += 1
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self, flags: frozenset[str]) -> tuple[Node, frozenset[str]]:
        items: list[Node] = []
        while (char := self._peek()) and char not in "|)":
            if "x" in flags and (char.isspace() or char == "#"):
                end = self.text.find("\n", self.position) if char == "#" else self.position
                self.position = len(self.text) if end < 0 else end + 1
                continue
            changed = self._flag_group(flags)
            if changed is not None:
                flags = changed
                continue
            start = self.position
            atom = self._atom(flags)
            end = self.position
            items.append(self._quantified(atom, flags))
            if self.text.startswith("(?:", start):
                self.groups.append(Group(start, end, flags, atom, items[-1] is not atom))
        return (items[0] if len(items) == 1 else Sequence(tuple(items))), flags

    def _flag_group(self, flags: frozenset[str]) -> frozenset[str] | None:
        """`(?i)` and the like, which change the flags to the end of the group."""
        found = _FLAGS.match(self.text, self.position) if self._peek() == "(" else None
        if not found or found[4] != ")":
            return None
        self.position = found.end()
        return _changed(flags, found)

    def _atom(self, flags: frozenset[str]) -> Node:
        char = self._peek()
        self.position += 1
        match char:
            case "(":
                return self._group(flags)
            case "[":
                return Chars(self._class(flags))
            case ".":
                return Chars(ANY if "s" in flags else ANY & ~_NEWLINE)
            case "^" | "$":
                return Edge(f"(?m:{char})" if "m" in flags else char)
            case "\\":
                return self._escape(flags)
            case "*" | "+" | "?":
                raise RegexError(f"nothing to repeat before {char}")
            case _:
                return Chars(_folded(1 << ord(char), flags))

    def _group(self, flags: frozenset[str]) -> Node:
        for opening, consumes in (("?=", False), ("?!", False), ("?<=", False), ("?<!", False), ("?>", True)):
            if self.text.startswith(opening, self.position):
                self.position += len(opening)
                inner = self._inside(flags)
                return Special(inner if consumes else None, consumes)
        if self.text.startswith("?#", self.position):
            end = self.text.find(")", self.position)
            if end < 0:
                raise RegexError("unclosed comment")
            self.position = end + 1
            return EMPTY
        found = _FLAGS.match(self.text, self.position - 1)
        if found:
            self.position = found.end()
            return self._inside(_changed(flags, found))
        named = re.compile(r"\?P?<\w+>|\?'\w+'").match(self.text, self.position)
        if named:
            self.position = named.end()
        elif self._peek() in ("?", "*"):
            raise RegexError(f"unknown group ({self.text[self.position : self.position + 3]}")
        return self._inside(flags)

    def _inside(self, flags: frozenset[str]) -> Node:
        node = self.choice(flags)
        if self._peek() != ")":
            raise RegexError("missing )")
        self.position += 1
        return node

    def _quantified(self, item: Node, flags: frozenset[str]) -> Node:
        while True:
            if "x" in flags:
                while self._peek().isspace():
                    self.position += 1
            char = self._peek()
            if char and char in "*+?":
                self.position += 1
                low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            else:
                counted = _QUANTIFIER.match(self.text, self.position) if char == "{" else None
                if not counted or not (counted[1] or counted[3]):
                    return item
                self.position = counted.end()
                low = int(counted[1] or 0)
                high = int(counted[3]) if counted[3] else (None if counted[2] else low)
            item = Repeat(item, low, high)
            if self._peek() == "+":
                item = Special(item, True)
                self.position += 1
            elif self._peek() == "?":
                self.position += 1
            else:
                return item

    def _escape(self, flags: frozenset[str]) -> Node:
        char = self._peek()
        if not char:
            raise RegexError("ends with a backslash")
        if char in "bBAzZG":
            self.position += 1
            return Edge("\\" + char)
        if char in "123456789" and not _OCTAL.match(self.text, self.position):
            digits = re.compile(r"\d+").match(self.text, self.position)
            self.position = digits.end() if digits else self.position + 1
            return Special(None, True)
        if char in "kg":
            found = re.compile(r"[kg](?:\{[^}]*\}|<\w+>|'\w+'|-?\d+)").match(self.text, self.position)
            if not found:
                raise RegexError(f"unknown escape \\{char}")
            self.position = found.end()
            return Special(None, True)
        return Chars(self._escaped_set(flags))

    def _escaped_set(self, flags: frozenset[str]) -> int:
        """The octets that an escape stands for, in a class or not; `position` is after the backslash."""
        char = self._peek()
        self.position += 1
        if char.lower() in _CLASSES:
            mask = _CLASSES[char.lower()]
            return mask if char.islower() else ANY & ~mask
        if char in _CONTROL:
            return 1 << _CONTROL[char]
        if char == "N":
            return ANY & ~_NEWLINE
        numeric = re.compile(r"x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{0,2})|(0[0-7]{0,2}|[1-7][0-7]{1,2})").match(
            self.text, self.position - 1
        )
        if numeric:
            self.position = numeric.end()
            value = int(numeric[3], 8) if numeric[3] else int(numeric[1] or numeric[2] or "0", 16)
            if value > 255:
                raise RegexError("a character above 255")
            return _folded(1 << value, flags)
        if char.isalnum() or not char:
            raise RegexError(f"unknown escape \\{char}")
        return _folded(1 << ord(char), flags)

    def _class(self, flags: frozenset[str]) -> int:
        negated = self._peek() == "^"
        self.position += negated
        mask, first = 0, True
        while (char := self._peek()) != "]" or first:
            if not char:
                raise RegexError("missing ]")
            first = False
            low = self._member(flags)
            if self._peek() == "-" and self.text[self.position + 1 : self.position + 2] not in ("]", ""):
                self.position += 1
                high = self._member(flags)
                low = self._range(low, high)
            mask |= low
        self.position += 1
        mask = _folded(mask, flags)
        return ANY & ~mask if negated else mask

    def _member(self, flags: frozenset[str]) -> int:
        if self._peek() == "\\":
            self.position += 1
            if self._peek() == "b":
                self.position += 1
                return 1 << 8
            return self._escaped_set(flags - {"i"})
        posix = re.compile(r"\[:(\^?)(\w+):\]").match(self.text, self.position)
        if posix:
            self.position = posix.end()
            if posix[2] not in _POSIX:
                raise RegexError(f"unknown class {posix[0]}")
            return ANY & ~_POSIX[posix[2]] if posix[1] else _POSIX[posix[2]]
        self.position += 1
        return 1 << ord(self.text[self.position - 1])

    @staticmethod
    def _range(low: int, high: int) -> int:
        if low.bit_count() != 1 or high.bit_count() != 1:
            return low | high | 1 << ord("-")
        if low > high:
            raise RegexError("a range runs backwards")
        return (high << 1) - low


def _changed(flags: frozenset[str], group: re.Match[str]) -> frozenset[str]:
    kept = frozenset() if group[1] else flags - frozenset(group[3] or "")
    return kept | (frozenset(group[2]) & frozenset("imsx"))


def _folded(mask: int, flags: frozenset[str]) -> int:
    if "i" not in flags:
        return mask
    return mask | (mask & _UPPER) << 32 | (mask & _LOWER) >> 32


_SPELLING = re.compile(
    rb"\\x\{([0-9A-Fa-f]{1,2})\}|\\.|(\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])|\{\s*,\s*(\d+)\s*\}"
    rb"|\(\?(\^?)([a-z]+)(?:-([a-z]+))?([:)])",
    re.DOTALL,
)


def dialect(source: bytes) -> bytes:
    """The text without spellings of Perl's that the engines lack: `\\x{..}`, `{,n}`, the flags a, d, l, u."""
    return _SPELLING.sub(_respell, source)


def _respell(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return b"\\x" + match[1].rjust(2, b"0")
    if match[2] is not None:
        return re.sub(rb"\\x\{([0-9A-Fa-f]{1,2})\}", lambda m: b"\\x" + m[1].rjust(2, b"0"), match[2])
    if match[3] is not None:
        return b"{0," + match[3] + b"}"
    if match[7] is not None:
        return _respell_flags(match)
    return match[0]


def _respell_flags(match: re.Match[bytes]) -> bytes:
    on = bytes(c for c in match[5] if c in b"imsxn")
    off = bytes(c for c in (match[6] or b"") if c in b"imsxn")
    if match[4]:
        off = bytes(c for c in b"imsx" if c not in on)
    if not on and not off:
        return b"(?:" if match[7] == b":" else b""
    return b"(?" + on + (b"-" + off if off else b"") + match[7]
