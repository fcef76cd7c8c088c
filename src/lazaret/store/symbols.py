"""Symbols as numbers: `lz_symbols` keeps each name once, with the sentence that explains it."""

from collections.abc import Iterable
from sqlite3 import Connection

from lazaret.model.verdict import ScoredHit
from lazaret.store.addresses import plain
from lazaret.store.inserting import Table, insert

_SYMBOLS = Table("lz_symbols", ("name", "description"), skip_known=True)


class Symbols:
    """The numbers that this process knows. They never change, as no symbol is ever removed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str]] = {}

    def forget(self) -> None:
        """After a transaction was undone: its numbers are not in the database."""
        self._known.clear()

    def ids(self, connection: Connection, hits: Iterable[ScoredHit]) -> dict[str, int]:
        """Symbol -> its number, for all of `hits`; the latest description is kept."""
        described = {hit.symbol: hit.description for hit in hits}
        stale = {name: text for name, text in described.items() if self._is_stale(name, text)}
        if stale:
            self._store(connection, stale)
        return {name: self._known[name][0] for name in described}

    def _is_stale(self, name: str, description: str) -> bool:
        known = self._known.get(name)
        return known is None or (known[1] != description and description != "")

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
            self._known[name] = (number, text)
