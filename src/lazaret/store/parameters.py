"""Statements as the drivers want them: `:name` and `?` become what each driver writes for a parameter."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from lazaret.store.connection import Values

_PIECE = re.compile(r"'[^']*'|::|%|\?|:([a-z_][a-z_0-9]*)")
"""What is looked at in a statement; a constant in quotes is passed over, but for its per cent signs."""
_OCTETS_LIKE = re.compile(r"(\b\w+\.email LIKE )(:[a-z_0-9]+) ESCAPE '!'")
_ORDERED = re.compile(r"(\b\w+\.domain)( >= | < )")
_CASTS = {int: "::bigint", float: "::double precision"}


def formatted(statement: str, values: Values) -> tuple[str, Values]:
    """For a driver that formats with `%`: `:name` becomes `%(name)s`, and `?` becomes `%s`."""
    return _formatted(statement), values


def numbered(statement: str, values: Values) -> tuple[str, Sequence[Any]]:
    """For PostgreSQL: `$1`, `$2`, and the values in that order.

    A number that is compared says its type: it may be larger than the column that it is compared with.
    """
    compared = not statement.startswith("INSERT")
    if isinstance(values, Mapping):
        casts = (
            tuple((name, _CASTS.get(type(value), "")) for name, value in values.items()) if compared else ()
        )
        text, names = _numbered(statement, casts)
        return text, [values[name] for name in names]
    casts = (
        tuple((str(at), _CASTS.get(type(value), "")) for at, value in enumerate(values)) if compared else ()
    )
    return _numbered(statement, casts)[0], values


@lru_cache(maxsize=1024)
def _formatted(statement: str) -> str:
    def write(found: re.Match[str]) -> str:
        if found[1]:
            return f"%({found[1]})s"
        return "%s" if found[0] == "?" else found[0].replace("%", "%%")

    return _PIECE.sub(write, statement)


@lru_cache(maxsize=2048)
def _numbered(statement: str, casts: tuple[tuple[str, str], ...]) -> tuple[str, tuple[str, ...]]:
    """The statement, and the names of its parameters by number."""
    # Addresses are octets there, and what LIKE is given must say that it is too; the order of text depends on
    # the language of the database.
    statement = _OCTETS_LIKE.sub(r"\1CAST(\2 AS bytea) ESCAPE CAST('!' AS bytea)", statement)
    statement = _ORDERED.sub(r'\1 COLLATE "C"\2', statement)
    cast_of = dict(casts)
    names: dict[str, int] = {}
    marks = 0

    def write(found: re.Match[str]) -> str:
        nonlocal marks
        if found[0] == "?":
            marks += 1
            return f"${marks}" + cast_of.get(str(marks - 1), "")
        if not found[1]:
            return found[0]
        number = names.setdefault(found[1], len(names) + 1)
        return f"${number}" + cast_of.get(found[1], "")

    return _PIECE.sub(write, statement), tuple(names)
