"""No value ever becomes part of a statement: the SQL of this room is made of constants."""

import ast
from pathlib import Path

import lazaret.store

FILES = sorted(Path(lazaret.store.__file__).parent.glob("*.py"))
VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "REPLACE ", "ALTER ")
ADVICE = ": CREATE DATABASE"
"""What a person is told to do where a server has no database for us."""
ALLOWED_CALLS = {"sql", "marks"}
TABLE_NAMES = {"table", "key", "condition", "place", "statement"}
"""Loop variables over constants of the same file (names of tables and columns) or of the schema."""


def trees() -> list[tuple[Path, ast.Module]]:
    return [(file, ast.parse(file.read_text())) for file in FILES]


def test_no_formatted_string_holds_sql() -> None:
    found = []
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
                if (ADVICE not in text and any(verb in text for verb in VERBS)) or " WHERE " in text:
                    found.append(f"{file.name}:{node.lineno}")
    assert [] == found


def test_statements_are_put_together_from_constants_alone() -> None:
    found = []
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sql":
                found += [f"{file.name}:{piece.lineno}" for piece in node.args if not is_constant(piece)]
    assert [] == found


def test_no_statement_is_formatted_where_it_is_executed() -> None:
    found = []
    for file, tree in trees():
        for call in filter(is_execution, ast.walk(tree)):
            assert isinstance(call, ast.Call)
            text = ast.unparse(call.args[0])
            if isinstance(call.args[0], ast.BinOp | ast.JoinedStr) and "PRAGMA" not in text:
                found.append(f"{file.name}:{call.lineno}: {text}")
    assert [] == found


def is_execution(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr.startswith("execute")


def is_constant(piece: ast.expr) -> bool:
    """A constant, a name of one, another such statement, or the text of a Condition, made of them."""
    if isinstance(piece, ast.Constant):
        return True
    if isinstance(piece, ast.Name):
        return piece.id.isupper() or piece.id in TABLE_NAMES
    if isinstance(piece, ast.Attribute):
        return piece.attr in ("sql", "lock", "share", "table_options", "renumber")
    return isinstance(piece, ast.Call) and isinstance(piece.func, ast.Name) and piece.func.id in ALLOWED_CALLS
