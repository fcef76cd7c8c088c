"""What a server answered to a statement, all of it."""

from collections.abc import Iterator
from typing import Any


class Result:
    """Rows as tuples, and how many rows were changed or found."""

    __slots__ = ("_at", "_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self._at = 0
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchall(self) -> list[Any]:
        rest = self._rows[self._at :]
        self._at = len(self._rows)
        return rest

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


def number(text: str) -> int | float:
    """A decimal number as what the other databases give: sums are whole, averages are not."""
    return float(text) if "." in text else int(text)
