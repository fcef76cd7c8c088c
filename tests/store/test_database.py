"""Opening a database: where it lies, who may read it, and what its errors mean in words."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from lazaret.model.errors import StoreUnavailable, UserError
from lazaret.store import migrations
from lazaret.store.locating import locate
from lazaret.store.opening import Store, open_store
from lazaret.store.sqlite import SqliteDatabase

from .conftest import URL, Place
from .entries import quarantined


def test_a_missing_database_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=str(tmp_path / "lazaret.db")) as caught:
        open_store(URL, tmp_path, create=False)
    assert 66 == caught.value.exit_code
    assert [] == list(tmp_path.iterdir())


def test_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path / "data", create=True)
    asyncio.run(store.journal.keep(quarantined()))
    assert 0o700 == (tmp_path / "data").stat().st_mode & 0o777
    files = sorted((tmp_path / "data").iterdir())
    assert ["lazaret.db", "lazaret.db-shm", "lazaret.db-wal"] == [file.name for file in files]
    assert [0o600] * 3 == [file.stat().st_mode & 0o777 for file in files]
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "oracle://user@host/db",
        "lazaret.db",
        "sqlite://host/x.db",
        "sqlite:///",
        "mysql://user@host/",
        "mysql://u@h/d?tls=maybe",
        "postgresql://u@h/d?sslmode=off",
    ],
)
def test_a_url_that_cannot_be_is_a_fault_of_the_configuration(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match=r"store\.url") as caught:
        open_store(url, tmp_path, create=True)
    assert 78 == caught.value.exit_code


def test_a_relative_path_lies_in_the_data_directory(tmp_path: Path) -> None:
    assert str(tmp_path / "a b.db") == locate("sqlite:///a%20b.db", tmp_path).name
    assert "/srv/x.db" == locate("sqlite:////srv/x.db", tmp_path).name


def test_a_file_that_is_no_database_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "lazaret.db").write_bytes(b"this is a letter, and no database at all, of some length" * 100)
    with pytest.raises(StoreUnavailable, match="is not an SQLite database"):
        open_store(URL, tmp_path, create=False)


def test_a_database_without_our_tables_asks_for_db_init(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "lazaret.db").execute("CREATE TABLE other (x)").connection.close()
    with pytest.raises(UserError, match="db init"):
        open_store(URL, tmp_path, create=False)


def test_a_database_of_a_later_version_is_left_alone(place: Place) -> None:
    place.execute("INSERT INTO lz_migrations VALUES (9999, 0, 'lazaret')")
    try:
        with pytest.raises(UserError, match="later version"):
            place.open(create=True)
    finally:
        place.execute("DELETE FROM lz_migrations WHERE number = 9999")


def test_a_full_disk_is_called_that_and_the_mail_refused(file_store: Store) -> None:
    store = file_store
    limit = "PRAGMA max_page_count = 100"

    async def fill() -> None:
        await store.writer.run(lambda connection: connection.execute(limit).fetchone())
        await store.journal.keep(quarantined(message=b"x" * 1_000_000))

    with pytest.raises(StoreUnavailable, match=r"lazaret\.db: the disk is full"):
        asyncio.run(fill())
    asyncio.run(store.journal.keep(quarantined()))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_database_is_called_that(file_store: Store) -> None:
    store = file_store
    assert isinstance(store.database, SqliteDatabase)
    store.database.path.chmod(0o400)
    with pytest.raises(StoreUnavailable, match="read-only"):
        asyncio.run(store.journal.keep(quarantined()))


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgresql"])
def test_each_migration_has_a_number_of_its_own(kind: str) -> None:
    """Of two with the same number one would never be applied."""
    folder = Path(migrations.__file__).parent / "schema"
    files = [file for file in folder.glob("*.sql") if file.name.split(".")[1] in (kind, "sql")]

    assert sorted(files) == sorted(migrations.available(kind).values())
    assert list(range(1, len(files) + 1)) == list(migrations.available(kind))
