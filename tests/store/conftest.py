"""A store on each kind of database, fresh for every test, and closed after it."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support import databases

from lazaret.store import migrations
from lazaret.store.connection import Connection
from lazaret.store.database import Database
from lazaret.store.locating import locate
from lazaret.store.migrations import tables
from lazaret.store.opening import Store, open_store

KINDS = ("sqlite", "mariadb", "postgresql")
URL = "sqlite:///lazaret.db"


@dataclass
class Place:
    """A database that may be opened several times."""

    kind: str
    url: str
    data_dir: Path
    password: str = ""
    opened: list[Store] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """For a process that works on it too."""
        return {**os.environ, "LAZARET_STORE_PASSWORD": self.password}

    @property
    def database(self) -> Database:
        return locate(self.url, self.data_dir, self.password)

    def open(self, *, create: bool = False, **options: Any) -> Store:
        options = {"host": "mail.home.example", **options}
        store = open_store(self.url, self.data_dir, create=create, password=self.password, **options)
        self.opened.append(store)
        return store

    def execute(self, statement: str, values: Any = ()) -> list[Any]:
        """Runs a statement of ours, past the store."""
        with closing(self.database.connect(writing=True)) as connection:
            return list(connection.execute(statement, values).fetchall())

    def one(self, statement: str, *values: object) -> Any:
        (row,) = self.execute(statement, values)
        return row

    def close(self) -> None:
        for store in self.opened:
            store.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator["databases.Servers"]:
    with databases.Servers(tmp_path_factory.getbasetemp()) as found:
        yield found


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty(kind: str, tmp_path: Path, servers: "databases.Servers") -> Iterator[Place]:
    """A place without any table."""
    if kind == "sqlite":
        place = Place(kind, URL, tmp_path / "data")
    else:
        place = Place(kind, servers.new(kind), tmp_path / "data", databases.PASSWORD)
        place.data_dir.mkdir()
    yield place
    place.close()


@pytest.fixture
def place(kind: str, tmp_path: Path, servers: "databases.Servers") -> Iterator[Place]:
    """A place with our tables, and nothing in them."""
    if kind == "sqlite":
        place = Place(kind, URL, tmp_path / "data")
        place.open(create=True).close()
        yield place
        place.close()
        return
    url, is_new = servers.ours(kind)
    place = Place(kind, url, tmp_path / "data", databases.PASSWORD)
    place.data_dir.mkdir()
    if is_new:
        place.open(create=True).close()
    yield place
    place.close()
    with closing(place.database.connect(writing=True)) as connection:
        wipe(connection)


def wipe(connection: Connection) -> None:
    """As it was when it was new: TRUNCATE begins to count anew, and costs nothing where nothing is."""
    for table in sorted(tables(connection) - {"lz_migrations"}):
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608
            end = " RESTART IDENTITY" if connection.dialect.kind == "postgresql" else ""
            connection.execute(f"TRUNCATE TABLE {table}{end}")
    for file in migrations.available(connection.dialect.kind).values():
        for statement in migrations.statements(file, connection.dialect):
            if statement.startswith("INSERT"):
                connection.execute(statement)


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite, for what only a file has."""
    opened = open_store(URL, tmp_path / "data", create=True, host="mail.home.example")
    yield opened
    opened.close()
