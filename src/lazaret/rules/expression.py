"""Arithmetic of `meta` rules and `if` lines: text to a tree, a tree to Python.

The operators and their precedence are Perl's, because SpamAssassin lets Perl evaluate the expression:
`!` binds tightest, then `* /`, `+ -`, `< > <= >=`, `== !=`, `^`, `&&`, `||`, `?:`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+|\w[\w:]*|\|\||&&|[<>=!]=|[()!^<>+\-*/?:])")
_GLOB = re.compile(r"\s*\(\s*([\w*?:]+)\s*\)")
_MENTIONED = re.compile(r"[^\W\d][\w:]*\s*\([^)]*\)|([^\W\d][\w:]*)")
_BINARY = {
    "||": 1,
    "&&": 2,
    "^": 3,
    "==": 4,
    "!=": 4,
    "<": 5,
    ">": 5,
    "<=": 5,
    ">=": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
}
_PYTHON = {"||": "or", "&&": "and"}
_MAX_DEPTH = 100


class ExpressionError(ValueError):
    """The text is no expression; says where."""


@dataclass(frozen=True, slots=True)
class Node:
    """`operator` is "number", "name", "call", "!", "?" or a binary operator; chains are n-ary.

    "number" and "name" have `text`; "call" has the function in `text` and its one word in `argument`.
    """

    operator: str
    text: str = ""
    argument: str = ""
    operands: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for operand in self.operands:
            yield from operand.walk()


def parse(text: str) -> Node:
    """The tree of an expression. Functions are a name followed by one bare word in parentheses."""
    parser = _Parser(text)
    node = parser.ternary()
    if parser.token:
        raise ExpressionError(f"unexpected {parser.token!r}")
    return node


def names(node: Node) -> list[str]:
    """The names it mentions, each once, in order."""
    return list(dict.fromkeys(n.text for n in node.walk() if n.operator == "name"))


def mentioned(text: str) -> list[str]:
    """The names in an expression that is known to be one, in order: `names` without a tree."""
    return list(filter(None, _MENTIONED.findall(text)))


def to_python(node: Node, name: Callable[[str], str]) -> str:
    """Python source of the same value; `name` gives the source for a name."""
    match node.operator:
        case "number":
            return re.sub(r"^0+(?=[0-9])", "", node.text)  # which Python would not take for a number
        case "name":
            return name(node.text)
        case "call":
            raise ExpressionError(f"{node.text}() does not belong here")
        case "!":
            return f"(not {to_python(node.operands[0], name)})"
        case "?":
            condition, yes, no = (to_python(o, name) for o in node.operands)
            return f"({yes} if {condition} else {no})"
        case "^":
            return "(" + " ^ ".join(f"int({to_python(o, name)})" for o in node.operands) + ")"
        case "+" if len(node.operands) > 2:
            # Python nests a long chain of additions as deep as it is long.
            return "sum((" + ", ".join(to_python(o, name) for o in node.operands) + "))"
        case operator:
            word = f" {_PYTHON.get(operator, operator)} "
            return "(" + word.join(to_python(o, name) for o in node.operands) + ")"


class _Parser:
    """Precedence climbing over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0
        self.token = ""
        self._advance()

    def _advance(self) -> str:
        taken = self.token
        rest = self._text[self._position :]
        found = _TOKEN.match(rest)
        if found:
            self.token = found[1]
            self._position += found.end()
        elif rest.strip():
            raise ExpressionError(f"unexpected {rest.strip()[:20]!r}")
        else:
            self.token = ""
        return taken

    def _expect(self, token: str) -> None:
        if self.token != token:
            raise ExpressionError(f"expected {token!r}" + (f" before {self.token!r}" if self.token else ""))
        self._advance()

    def ternary(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {_MAX_DEPTH}")
        condition = self._binary(1)
        if self.token == "?":
            self._advance()
            yes = self.ternary()
            self._expect(":")
            condition = Node("?", operands=(condition, yes, self.ternary()))
        self._depth -= 1
        return condition

    def _binary(self, lowest: int) -> Node:
        left = self._unary()
        while (level := _BINARY.get(self.token, 0)) >= lowest:
            operator = self._advance()
            right = self._binary(level + 1)
            if operator == left.operator and operator in ("||", "&&", "+"):
                left = Node(operator, operands=(*left.operands, right))
            else:
                left = Node(operator, operands=(left, right))
        return left

    def _unary(self) -> Node:
        if self.token != "!":
            return self._primary()
        negations = 0
        while self.token == "!":
            negations += 1
            self._advance()
        node = Node("!", operands=(self._primary(),))
        return node if negations % 2 else Node("!", operands=(node,))

    def _primary(self) -> Node:
        token = self.token
        if token == "(":
            self._advance()
            node = self.ternary()
            self._expect(")")
            return node
        if not token or not (token[0].isalnum() or token[0] in "_."):
            raise ExpressionError(f"unexpected {token or 'end'!r}")
        if token[0] in ".0123456789":
            return Node("number", self._advance())
        call = _GLOB.match(self._text, self._position)
        if call and self._text[self._position :].lstrip().startswith("("):
            self._position += len(call[0])
            function = self._advance()
            return Node("call", function, call[1])
        return Node("name", self._advance())
