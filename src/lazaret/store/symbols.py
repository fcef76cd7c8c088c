"""Symbols as numbers (`lz_symbols` keeps each name once, with its sentence), and the hits of a message."""

from collections.abc import Iterable, Mapping, Sequence

from lazaret.model.verdict import ScoredHit
from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks, portions

_SYMBOLS = Table("lz_symbols", ("name", "description"), skip_known=True)


class Symbols:
    """The numbers that this process knows. They never change, as no symbol is ever removed."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._described: dict[str, str] = {}

    def forget(self) -> None:
        """After a transaction was undone: its numbers are not in the database."""
        self._numbers.clear()
        self._described.clear()

    def ids(self, connection: Connection, hits: Iterable[ScoredHit]) -> Mapping[str, int]:
        """Symbol -> its number, for all of `hits` and more; the latest description is kept."""
        described = {hit.symbol: hit.description for hit in hits}
        # Nearly always all are known, which is found in one step.
        if not described.items() <= self._described.items():
            stale = {name: text for name, text in described.items() if self._is_stale(name, text)}
            self._store(connection, stale)
        return self._numbers

    def _is_stale(self, name: str, description: str) -> bool:
        known = self._described.get(name)
        return known is None or (known != description and description != "")

    def _store(self, connection: Connection, described: dict[str, str]) -> None:
        names = {name: plain(name, 128) for name in described}
        insert(connection, _SYMBOLS, [(names[name], plain(text, 1000)) for name, text in described.items()])
        for name, text in described.items():
            values = {"name": names[name], "text": plain(text, 1000)}
            if text:
                connection.execute(
                    "UPDATE lz_symbols SET description = :text WHERE name = :name AND description <> :text",
                    values,
                )
            (number,) = connection.execute("SELECT id FROM lz_symbols WHERE name = :name", values).fetchone()
            self._numbers[name], self._described[name] = number, text


def packed(hits: Iterable[ScoredHit], numbers: Mapping[str, int]) -> str:
    """`lz_msgs.hits`: one value for a message; a row per hit would cost as much as all the rest."""
    lines = [f"{numbers[hit.symbol]} {hit.score!r} {hit.detail[:1000]}" for hit in hits]
    if not "".join(lines).isprintable():
        lines = [plain(line, len(line)) for line in lines]
    return "\n".join(lines)


def unpacked(connection: Connection, lines: Sequence[str]) -> list[tuple[ScoredHit, ...]]:
    """The hits of several messages, in the order of their checks."""
    parts = [[line.split(" ", 2) for line in text.split("\n") if line] for text in lines]
    known = _described(connection, sorted({int(number) for one in parts for number, _, _ in one}))
    return [tuple(_hit(known[int(number)], score, detail) for number, score, detail in one) for one in parts]


def _hit(symbol: tuple[str, str], score: str, detail: str) -> ScoredHit:
    name, description = symbol
    return ScoredHit(name, float(score), description, detail)


def _described(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Number of a symbol -> its name and its sentence."""
    found: dict[int, tuple[str, str]] = {}
    for some in portions(numbers):
        statement = sql("SELECT id, name, description FROM lz_symbols WHERE id IN (", marks(len(some)), ")")
        found.update((number, (name, text)) for number, name, text in connection.execute(statement, some))
    return found
