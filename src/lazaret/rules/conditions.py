"""`if`, `ifplugin`, `else`, `endif`: which lines of a rule file count."""

from dataclasses import dataclass

from lazaret.rules import capabilities, expression
from lazaret.rules.expression import ExpressionError, Node


@dataclass(slots=True)
class _Block:
    outer: bool
    """Whether lines counted where the block began."""
    holds: bool
    line: int


class Conditions:
    """The blocks open at one place, given the (growing) sets of plug-ins and of `enable_compat` words."""

    def __init__(self, plugins: set[str], compatibility: set[str]) -> None:
        self._plugins = plugins
        self._compatibility = compatibility
        self._blocks: list[_Block] = []

    @property
    def active(self) -> bool:
        """Whether the current line counts."""
        return not self._blocks or (self._blocks[-1].outer and self._blocks[-1].holds)

    def begin(self, text: str, line: int) -> None:
        """`if text`. ExpressionError when it cannot be understood; its lines then do not count."""
        block = _Block(self.active, False, line)
        self._blocks.append(block)
        block.holds = bool(self._value(expression.parse(text)))

    def otherwise(self) -> bool:
        """`else`; False when no block is open."""
        if not self._blocks:
            return False
        self._blocks[-1].holds = not self._blocks[-1].holds
        return True

    def end(self) -> bool:
        """`endif`; False when no block is open."""
        if not self._blocks:
            return False
        self._blocks.pop()
        return True

    def close_all(self, depth: int) -> list[int]:
        """At the end of a file: ends the blocks opened in it, and gives the lines where they began."""
        open_lines = [b.line for b in self._blocks[depth:]]
        del self._blocks[depth:]
        return open_lines

    @property
    def depth(self) -> int:
        return len(self._blocks)

    def _value(self, node: Node) -> float:
        names: dict[str, float] = {}

        def name(text: str) -> str:
            names[text] = self._variable(text)
            return f"names[{text!r}]"

        source = expression.to_python(_with_calls_as_names(node), name)
        try:
            return float(eval(source, {"__builtins__": {"int": int, "sum": sum}}, {"names": names}))
        except ArithmeticError:
            return 0.0

    def _variable(self, text: str) -> float:
        function, _, argument = text.partition(" ")
        match function:
            case "version":
                return float(capabilities.VERSION)
            case "perl_version":
                return float(capabilities.PERL_VERSION)
            case "local_tests_only":
                return 1.0
            case "plugin":
                return float(capabilities.short_name(argument) in self._plugins)
            case "has" | "can":
                return float(self._has(argument))
            case _:
                raise ExpressionError(f"unknown word {text!r}")

    def _has(self, function: str) -> bool:
        name = function.rpartition("::")[2]
        if name.startswith("compat_"):
            return name.removeprefix("compat_") in self._compatibility
        return capabilities.has(function, frozenset(self._plugins))


def _with_calls_as_names(node: Node) -> Node:
    if node.operator == "call":
        return Node("name", f"{node.text} {node.argument}")
    return Node(
        node.operator, node.text, node.argument, tuple(_with_calls_as_names(o) for o in node.operands)
    )
