"""Searches that people keep, each his own."""

from lazaret.model.errors import UserError
from lazaret.model.saved_search import SavedSearch
from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

MOST = 50
"""Of one person: more are no help to find anything."""
NAME_LENGTH = 64
EX_DATAERR, EX_CANTCREAT = 65, 73

_SEARCH = "SELECT id, name, query, everything FROM lz_searches WHERE user_id = :user"


class SqlSearches:
    """Whose they are is asked with every statement: an id alone opens nothing."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def of(self, user: int) -> list[SavedSearch]:
        """Those of one person, by name."""
        return await self._reader.run(lambda connection: _all(connection, user))

    async def save(self, user: int, name: str, query: str, *, everything: bool) -> SavedSearch:
        """Keeps a search; one of the same name is replaced. UserError when there are too many."""
        name = plain(name, NAME_LENGTH)
        values = {"user": user, "name": name, "query": query, "everything": "Y" if everything else "N"}

        def work(connection: Connection) -> SavedSearch:
            known = _all(connection, user)
            if name in (one.name for one in known):
                connection.execute(_CHANGE, values)
            elif len(known) >= MOST:
                raise UserError(f"{MOST} searches are kept already; remove one first", EX_CANTCREAT)
            else:
                connection.execute(_ADD, values)
            return next(one for one in _all(connection, user) if one.name == name)

        return await self._writer.run(work)

    async def rename(self, user: int, search: int, name: str) -> bool:
        """Gives it another name; False when there is no such search. UserError when the name is taken."""
        name = plain(name, NAME_LENGTH)

        def work(connection: Connection) -> bool:
            if any(one.name == name and one.id != search for one in _all(connection, user)):
                raise UserError(f"there is a search {name!r} already", EX_DATAERR)
            # Not by the number of rows changed: of a row that is as it should be MariaDB says 0.
            connection.execute(_RENAME, {"user": user, "id": search, "name": name})
            return any(one.id == search for one in _all(connection, user))

        return await self._writer.run(work)

    async def remove(self, user: int, search: int) -> bool:
        """Forgets it; False when there is no such search."""

        def work(connection: Connection) -> bool:
            return connection.execute(_REMOVE, {"user": user, "id": search}).rowcount > 0

        return await self._writer.run(work)


_ADD = "INSERT INTO lz_searches (user_id, name, query, everything) VALUES (:user, :name, :query, :everything)"
_CHANGE = (
    "UPDATE lz_searches SET query = :query, everything = :everything WHERE user_id = :user AND name = :name"
)
_RENAME = "UPDATE lz_searches SET name = :name WHERE user_id = :user AND id = :id"
_REMOVE = "DELETE FROM lz_searches WHERE user_id = :user AND id = :id"


def _all(connection: Connection, user: int) -> list[SavedSearch]:
    rows = connection.execute(sql(_SEARCH, "ORDER BY name, id"), {"user": user}).fetchall()
    return [SavedSearch(number, name, query, letter == "Y") for number, name, query, letter in rows]
