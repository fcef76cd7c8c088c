"""The rooms and the directions of their imports, as docs/architecture.md draws them."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "lazaret"

ROWS = (
    {"cli"},
    {"web", "daemon"},
    {"app"},
    {"flow"},
    {"checks", "store", "net"},
    {"rules", "learn", "policy", "config"},
    {"mime", "wire"},
    {"model"},
)
"""From top to bottom. A room imports rooms of lower rows only."""

ROW_OF = {room: number for number, row in enumerate(ROWS) for room in row}


def imported_modules(tree: ast.AST, module: str) -> Iterator[str]:
    """Every module that the code imports, wherever the import stands.

    An import inside a function or under TYPE_CHECKING counts too: whoever reads the file needs the
    other room to understand it, at whatever moment Python needs it.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: -node.level]
                base = ".".join([*parents, base]) if base else ".".join(parents)
            # `from lazaret import store` names the room only after the word import.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    """`mime` of `lazaret.mime.html`; "" for what is not ours, or is the package itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "lazaret" and len(parts) > 1 and parts[1] in ROW_OF else ""


def violations(source: Path) -> list[str]:
    """`mime/html.py imports store` for each import that does not go down."""
    found = []
    for file in sorted(source.rglob("*.py")):
        name = file.relative_to(source)
        module = ".".join(("lazaret", *name.with_suffix("").parts))
        room = room_of(module)
        if not room:
            continue
        tree = ast.parse(file.read_bytes())
        targets = {room_of(m) for m in imported_modules(tree, module)} - {"", room}
        found += [f"{name} imports {t}" for t in sorted(targets) if ROW_OF[t] <= ROW_OF[room]]
    return found


def test_every_room_is_on_the_map():
    """A new room must be given its row, or its imports would be watched by nobody."""
    rooms = {p.name if p.is_dir() else p.stem for p in SOURCE.iterdir() if p.name[0] not in "_."}
    unknown = {r for r in rooms if (SOURCE / r).is_dir() or (SOURCE / f"{r}.py").is_file()} - set(ROW_OF)

    assert set() == unknown


def test_imports_go_down_only():
    assert [] == violations(SOURCE)


def planted(tmp_path: Path, file: str, code: str) -> list[str]:
    """The violations of a package that has just this one file."""
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    return violations(tmp_path)


def test_an_upward_import_is_found(tmp_path):
    assert ["mime/html.py imports store"] == planted(
        tmp_path, "mime/html.py", "from lazaret.store.database import connect\n"
    )


def test_an_upward_import_inside_a_function_is_found(tmp_path):
    code = "def late():\n    import lazaret.flow.filter\n"

    assert ["net/relay.py imports flow"] == planted(tmp_path, "net/relay.py", code)


def test_an_upward_import_for_types_alone_is_found(tmp_path):
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lazaret import web\n"

    assert ["flow/digest.py imports web"] == planted(tmp_path, "flow/digest.py", code)


def test_a_relative_upward_import_is_found(tmp_path):
    assert ["wire/dot.py imports net"] == planted(tmp_path, "wire/dot.py", "from ..net import relay\n")


def test_rooms_on_one_line_do_not_know_each_other(tmp_path):
    assert ["store/search.py imports net"] == planted(
        tmp_path, "store/search.py", "import lazaret.net.resolver\n"
    )


def test_a_downward_import_is_no_violation(tmp_path):
    assert [] == planted(tmp_path, "cli/main.py", "from lazaret.model.errors import UserError\n")
