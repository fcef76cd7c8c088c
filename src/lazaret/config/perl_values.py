"""The assignments in a Perl configuration file, as far as their values are constants. Nothing is run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lazaret.config.perl_tokens import NotPerl, Token, Tokens

MAX_DEPTH = 40
"""Of lists in lists."""
MAX_ITEMS = 100_000
MAX_TEXT = 65_536
MAX_NUMBER = 10**15

Value = str | int | float | None | list["Value"] | dict[str, "Value"]


class Unreadable(ValueError):
    """An expression whose value only Perl knows."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`$name = value;` or `$name{key} = value;`"""

    name: str
    """With its sign: `$sa_tag_level_deflt`."""
    keys: tuple[str, ...]
    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A statement that is no assignment of a constant."""

    name: str
    """What it is about: the variable, or its first word."""
    reason: str
    line: int


_INTERPOLATED = re.compile(
    r"\\(.)|\$\{(\w+)\}|\$([A-Za-z_]\w*)(?![\w\[{]|->|::)|([$@](?=[A-Za-z_{]))", re.DOTALL
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}
_NOTHING = frozenset({"use", "no", "package", "1"})
_BLOCKS = frozenset(
    {"if", "unless", "elsif", "else", "for", "foreach", "while", "until", "sub", "BEGIN", "{"}
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_CONDITIONS = frozenset(("word", word) for word in ("if", "unless", "or", "and", "x", "eq", "ne"))


def read(
    text: str, constants: Mapping[str, Value], variables: dict[str, Value]
) -> Iterator[Assignment | Unread]:
    """What the file says, statement by statement. NotPerl when it cannot be cut into statements at all.

    `variables` (name with sign -> value) holds what is known already, and takes up what is assigned.
    """
    for statement in _statements(Tokens(text)):
        first = statement[0]
        if first.text in _NOTHING:
            continue
        yield from _Statement(statement, constants, variables).read()


def _statements(tokens: Tokens) -> Iterator[list[Token]]:
    statement: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
            if token.text == ";" and depth <= 0:
                if statement:
                    yield statement
                statement, depth = [], 0
                continue
        statement.append(token)
        if depth == 0 and _is(token, "}") and statement[0].text in _BLOCKS:
            yield statement
            statement = []
    if depth > 0:
        raise NotPerl("a bracket is never closed", statement[0].line)
    if statement:
        yield statement


class _Statement:
    """One statement and a place in it."""

    def __init__(
        self, tokens: Sequence[Token], constants: Mapping[str, Value], variables: dict[str, Value]
    ) -> None:
        self._tokens = tokens
        self._constants = constants
        self._variables = variables
        self._at = 0
        self._depth = 0

    def read(self) -> Iterator[Assignment | Unread]:
        line = self._tokens[0].line
        while self._peek().kind == "word" and self._peek().text in ("our", "my", "local"):
            self._at += 1
        targets: list[tuple[str, tuple[str, ...]]] = []
        name = self._peek().text
        try:
            while (target := self._target()) is not None:
                targets.append(target)
            if not targets:
                yield Unread(name, self._may_change(), line)
                return
            value = self._assigned(targets[-1])
        except Unreadable as e:
            yield Unread(targets[0][0] if targets else name, str(e), line)
            return
        for name, keys in reversed(targets):
            self._remember(name, keys, value)
            yield Assignment(name, keys, value, line)

    def _may_change(self) -> str:
        """Of a block or a call: which variables are assigned to somewhere in it."""
        after = zip(self._tokens, self._tokens[1:], strict=False)
        changed = dict.fromkeys(one.text for one, sign in after if one.kind == "variable" and _is(sign, "="))
        names = ", ".join(list(changed)[:10])
        return (
            f"only assignments are read, and it may change {names}" if names else "only assignments are read"
        )

    def _target(self) -> tuple[str, tuple[str, ...]] | None:
        """`$x =` or `$x{key} =`; None, and nothing read, when something else follows."""
        start = self._at
        if self._peek().kind != "variable":
            return None
        name, keys = self._take().text, []
        while _is(self._peek(), "{", "->"):
            if self._take().text == "{":
                keys.append(self._key())
        if not _is(self._peek(), "="):
            if not start or keys:
                raise Unreadable("only assignments are read")
            self._at = start
            return None
        self._at += 1
        return ("%" + name[1:] if keys else name), tuple(keys)

    def _key(self) -> str:
        token = self._take()
        if token.kind == "template":
            key = self._interpolated(token.text)
        elif token.kind in ("word", "text", "number"):
            key = str(self._constants.get(token.text, token.text))
        else:
            raise Unreadable("the key is no constant")
        if not _is(self._take(), "}"):
            raise Unreadable("the key is no constant")
        return key

    def _assigned(self, target: tuple[str, tuple[str, ...]]) -> Value:
        name, keys = target
        values = self._list("")
        if self._at < len(self._tokens):
            raise Unreadable(f"{self._peek().text[:40]!r} is not understood here")
        if keys or name[0] == "$":
            return values[-1] if values else None
        if name[0] == "@":
            return values
        return _pairs(values)

    def _remember(self, name: str, keys: tuple[str, ...], value: Value) -> None:
        if not keys:
            self._variables[name] = value
            return
        place = self._variables.setdefault(name, {})
        for key in keys[:-1]:
            if not isinstance(place, dict):
                return
            place = place.setdefault(key, {})
        if isinstance(place, dict):
            place[keys[-1]] = value

    # Expressions. Each gives a list: an array or a list in brackets is several values.

    def _list(self, closing: str) -> list[Value]:
        """The items up to the closing bracket, or to the end of the statement."""
        items: list[Value] = []
        while self._at < len(self._tokens):
            token = self._peek()
            if _is(token, closing):
                break
            if _is(token, ",", "=>"):
                self._at += 1
                continue
            if _is(token, ")", "]", "}", "?", ":") or token[:2] in _CONDITIONS:
                break
            items += self._sum()
            if len(items) > MAX_ITEMS:
                raise Unreadable("the list is too long")
        if closing and not _is(self._take(), closing):
            raise Unreadable(f"{self._tokens[self._at - 1].text[:40]!r} is not understood here")
        return items

    def _sum(self) -> list[Value]:
        left = self._product()
        while self._peek().kind == "sign" and self._peek().text in ("+", "-", "."):
            sign, right = self._take().text, self._product()
            a, b = _last(left), _last(right)
            left = [
                _text(a) + _text(b) if sign == "." else _number(a) + _number(b) * (1 if sign == "+" else -1)
            ]
        return left

    def _product(self) -> list[Value]:
        left = self._item()
        while _is(self._peek(), "*", "/"):
            sign, right = self._take().text, _number(_last(self._item()))
            number = _number(_last(left))
            if sign == "/" and not right:
                raise Unreadable("division by zero")
            left = [_number(number * right if sign == "*" else number / right)]
        return left

    def _item(self) -> list[Value]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable("it is nested too deeply")
        found = self._of(self._take())
        self._depth -= 1
        return found

    def _of(self, token: Token) -> list[Value]:
        match token.kind:
            case "number":
                return [_parsed(token.text)]
            case "text":
                return [token.text]
            case "template":
                return [self._interpolated(token.text)]
            case "words":
                return list(token.text.split())
            case "regex":
                raise Unreadable("regular expressions are not taken over")
            case "command":
                raise Unreadable("it asks a command")
            case "variable":
                return self._variable(token.text)
            case "word":
                return self._word(token.text)
        return self._sign(token.text)

    def _sign(self, sign: str) -> list[Value]:
        match sign:
            case "(":
                return self._list(")")
            case "[":
                return [self._list("]")]
            case "{":
                return [_pairs(self._list("}"))]
            case "-":
                return [-_number(_last(self._item()))]
            case "+":
                return self._item()
            case "\\":
                return self._reference()
        raise Unreadable(f"{sign!r} is not understood here")

    def _reference(self) -> list[Value]:
        if self._peek().kind == "variable":
            name = self._take().text
            return [self._known(name)]
        raise Unreadable("it refers to code")

    def _variable(self, name: str) -> list[Value]:
        value = self._known(name)
        if _is(self._peek(), "{", "[", "->"):
            raise Unreadable(f"an element of {name} is not looked up")
        if isinstance(value, list) and name[0] == "@":
            return value
        if isinstance(value, dict) and name[0] == "%":
            return [item for pair in value.items() for item in pair]
        return [value]

    def _word(self, word: str) -> list[Value]:
        if _is(self._peek(), "=>"):
            return [word]
        if word == "undef":
            return [None]
        if word in self._constants:
            return [self._constants[word]]
        if word == "new_RE":
            raise Unreadable("regular expressions are not taken over")
        if word == "sub":
            raise Unreadable("it is code")
        if word == "read_hash":
            raise Unreadable("it reads another file: give its lines by hand")
        raise Unreadable(f"{word} is not understood here")

    def _known(self, name: str) -> Value:
        if name not in self._variables:
            raise Unreadable(f"the value of {name} is not known")
        return self._variables[name]

    def _interpolated(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] is not None:
                return _ESCAPES.get(found[1], found[1])
            name = found[2] or found[3]
            if name is None:
                raise Unreadable("what it inserts into a text is not looked up")
            return _text(self._known(f"${name}"))

        return _INTERPOLATED.sub(value, text)

    def _peek(self) -> Token:
        if self._at < len(self._tokens):
            return self._tokens[self._at]
        return Token("end", "", self._tokens[-1].line)

    def _take(self) -> Token:
        token = self._peek()
        if token.kind == "end":
            raise Unreadable("something is missing at its end")
        self._at += 1
        return token


def _is(token: Token, *signs: str) -> bool:
    return token.kind == "sign" and token.text in signs


def _pairs(values: Sequence[Value]) -> dict[str, Value]:
    if len(values) % 2:
        raise Unreadable("a key has no value")
    return {_text(values[i]): values[i + 1] for i in range(0, len(values), 2)}


def _last(values: Sequence[Value]) -> Value:
    return values[-1] if values else None


def _text(value: Value) -> str:
    if isinstance(value, list | dict):
        raise Unreadable("a list stands where a text is wanted")
    text = "" if value is None else str(value)
    if len(text) > MAX_TEXT:
        raise Unreadable("the text is too long")
    return text


def _number(value: Value) -> int | float:
    if isinstance(value, int | float):
        if abs(value) > MAX_NUMBER:
            raise Unreadable("the number is too large")
        return value
    try:
        return _parsed(value) if isinstance(value, str) else 0
    except ValueError:
        raise Unreadable(f"{value!r} is no number") from None


def _parsed(digits: str) -> int | float:
    """A number as Perl writes it: 1_000, 0660 in octal, 0x10."""
    digits = digits.replace("_", "")
    if digits[:2].lower() == "0x":
        return int(digits, 16)
    if len(digits) > 1 and digits[0] == "0" and digits.isdigit():
        try:
            return int(digits, 8)
        except ValueError:
            raise Unreadable(f"{digits} is no number") from None
    if len(digits) > 40:
        raise Unreadable("the number is too long")
    return float(digits) if any(c in digits for c in ".eE") else int(digits)
