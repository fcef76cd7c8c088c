"""No value ever becomes part of a statement: the SQL of this room is made of constants."""

import ast
from pathlib import Path
from typing import TypeGuard

import lazaret.store

FILES = sorted(Path(lazaret.store.__file__).parent.glob("*.py"))
VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "REPLACE ", "ALTER ")
ADVICE = ": CREATE DATABASE"
"""What a person is told to do where a server has no database for us."""
OF_WEEKS = {"week", "WEEKS", "week + 1", "tag"}
"""Numbers of ours, from 0 to 53: the names of partitions, which no server takes as parameters."""
ALLOWED_CALLS = {"sql", "marks", "repeated", "newest_first", "by_moments"}
TABLE_NAMES = {"table", "key", "column", "condition", "place", "statement"}
"""Loop variables over constants of the same file (names of tables and columns) or of the schema."""
STATEMENT_PARTS = {"limit", "past", "whens"}
"""Parameters and lists of what `sql` has put together, or of numbers of ours (`:d`)."""


def trees() -> list[tuple[Path, ast.Module]]:
    return [(file, ast.parse(file.read_text())) for file in FILES]


def test_no_two_migrations_have_one_number() -> None:
    folder = Path(lazaret.store.__file__).parent / "schema"
    for kind in ("sqlite", "mariadb", "postgresql"):
        files = [file.name for file in folder.glob("*.sql") if file.name.split(".")[1] in (kind, "sql")]
        assert len(files) == len({name[:4] for name in files}), sorted(files)


def test_no_formatted_string_holds_sql() -> None:
    found = []
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
                values = {ast.unparse(v.value) for v in node.values if isinstance(v, ast.FormattedValue)}
                if "PARTITION" in text and values <= OF_WEEKS:
                    continue
                if (ADVICE not in text and any(verb in text for verb in VERBS)) or " WHERE " in text:
                    found.append(f"{file.name}:{node.lineno}")
    assert [] == found


def test_statements_are_put_together_from_constants_alone() -> None:
    found = []
    for file, tree in trees():
        known = put_together(tree)
        for node in ast.walk(tree):
            if is_call_of(node, {"sql"}):
                found += [
                    f"{file.name}:{piece.lineno}" for piece in node.args if not is_constant(piece, known)
                ]
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


def put_together(tree: ast.Module) -> set[str]:
    """Names that are never anything but a result of `sql`, in the whole file."""
    made: dict[str, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
            made[target.id] = made.get(target.id, True) and is_call_of(node.value, {"sql"})
    return {name for name, always in made.items() if always}


def is_call_of(node: ast.AST, names: set[str]) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in names


def is_constant(piece: ast.expr, known: set[str]) -> bool:
    """A constant, a name of one, another such statement, or the text of a Condition, made of them."""
    if isinstance(piece, ast.Starred):
        piece = piece.value
    if isinstance(piece, ast.Subscript):
        piece = piece.value
    if isinstance(piece, ast.Constant):
        return True
    if isinstance(piece, ast.Name):
        return piece.id.isupper() or piece.id in TABLE_NAMES | STATEMENT_PARTS | known
    if isinstance(piece, ast.Attribute):
        return piece.attr.isupper() or piece.attr in (
            "sql", "numbers", "rest", "lock", "share", "table_options", "renumber", "limit", "remove",
            "timed", "their_moments", "after_words",
        )  # fmt: skip
    return is_call_of(piece, ALLOWED_CALLS)
