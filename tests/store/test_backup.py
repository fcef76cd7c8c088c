"""A backup while the store is in service, the way back, and the proof that either is whole."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from lazaret.model.errors import UserError
from lazaret.store import migrations
from lazaret.store.backup import backup, restore, upgrade
from lazaret.store.check import check, check_database
from lazaret.store.opening import Store, open_store
from lazaret.store.sqlite import SqliteDatabase

from .conftest import URL
from .entries import delivered, quarantined


def filled(store: Store) -> list[str]:
    entries = [quarantined(message=b"Subject: x\r\n\r\n" + b"octets\r\n" * 5000) for _ in range(5)]

    async def work() -> None:
        await asyncio.gather(*(store.journal.keep(entry) for entry in [*entries, delivered()]))

    asyncio.run(work())
    return [entry.mail_id for entry in entries]


def path_of(store: Store) -> Path:
    assert isinstance(store.database, SqliteDatabase)
    return store.database.path


def damage(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_backup_is_one_file_that_restores_to_the_same_database(file_store: Store, tmp_path: Path) -> None:
    store = file_store
    ids = filled(store)
    file = tmp_path / "backup.db"
    contents = backup(store.database, file)
    assert 6 == contents["msgs"].rows
    assert 15 == contents["quarantine"].rows
    assert ["backup.db", "data"] == sorted(path.name for path in tmp_path.iterdir())
    assert 0o600 == file.stat().st_mode & 0o777
    assert [] == check(file)

    place = SqliteDatabase(tmp_path / "new" / "lazaret.db")
    assert contents == restore(file, place)
    again = open_store(URL, tmp_path / "new", create=False)
    for mail_id in ids:
        expected = asyncio.run(store.quarantine.text(mail_id))
        assert expected == asyncio.run(again.quarantine.text(mail_id))
    assert 5 == asyncio.run(again.quarantine.count("golden"))
    filled(again)
    again.close()
    assert [] == check(f"sqlite:///{place.path}")


def test_a_backup_is_taken_while_messages_come_in(file_store: Store, tmp_path: Path) -> None:
    store = file_store

    async def work() -> None:
        writing = asyncio.gather(*(store.journal.keep(quarantined()) for _ in range(200)))
        await asyncio.to_thread(backup, store.database, tmp_path / "backup.db")
        await writing

    asyncio.run(work())
    assert [] == check(tmp_path / "backup.db")
    assert 200 == asyncio.run(store.quarantine.count(""))


def test_nothing_is_overwritten(file_store: Store, tmp_path: Path) -> None:
    store = file_store
    file = tmp_path / "backup.db"
    backup(store.database, file)
    with pytest.raises(UserError, match="there already"):
        backup(store.database, file)
    with pytest.raises(UserError, match="empty place"):
        restore(file, store.database)
    with pytest.raises(UserError, match="no backup"):
        restore(tmp_path / "none.db", SqliteDatabase(tmp_path / "new.db"))
    with pytest.raises(UserError, match="No such file"):
        backup(store.database, tmp_path / "nowhere" / "backup.db")


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE quarantine SET mail_text = 'other' WHERE chunk_ind = 3", "digest differs"),
        ("DELETE FROM quarantine WHERE chunk_ind = 2", "lacks a part"),
        ("DELETE FROM quarantine", "text is missing"),
        ("UPDATE msgs SET subject = 'other'", "table msgs holds other values"),
        ("DELETE FROM lz_hits", "table lz_hits has 0 rows"),
        ("DROP TABLE lz_audit", "table lz_audit is missing"),
        ("DELETE FROM msgs", "no row in msgs"),
        ("DELETE FROM maddr WHERE email LIKE 'promo%'", "sender that is not in maddr"),
        ("DELETE FROM maddr WHERE email LIKE 'ann%'", "recipient that is not in maddr"),
        ("DELETE FROM lz_words", "not in the full-text index"),
    ],
)
def test_a_damaged_row_is_named_and_not_restored(
    file_store: Store, tmp_path: Path, statement: str, fault: str
) -> None:
    store = file_store
    filled(store)
    file = tmp_path / "backup.db"
    backup(store.database, file)
    damage(file, statement)
    assert fault in "\n".join(check(file))
    with pytest.raises(UserError, match="not whole"):
        restore(file, SqliteDatabase(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()


def test_a_damaged_page_is_found(file_store: Store, tmp_path: Path) -> None:
    store = file_store
    filled(store)
    file = tmp_path / "backup.db"
    backup(store.database, file)
    octets = bytearray(file.read_bytes())
    for page in range(3, len(octets) // 4096, 7):
        octets[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    file.write_bytes(octets)
    assert check(file)


def test_a_database_in_service_is_checked_as_it_is(file_store: Store) -> None:
    store = file_store
    filled(store)
    assert [] == check_database(store.database)


def test_a_missing_one_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no database .*none\.db"):
        check(tmp_path / "none.db")


def test_an_upgrade_takes_a_backup_first(
    file_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = file_store
    filled(store)
    folder = tmp_path / "schema"
    folder.mkdir()
    for file in migrations.available("sqlite").values():
        (folder / file.name).write_text(file.read_text())
    (folder / "0999_later.sql").write_text("CREATE TABLE lz_later (x integer);\n")
    assert [] == upgrade(store.database, tmp_path / "needless.db")
    assert not (tmp_path / "needless.db").exists()

    monkeypatch.setattr(migrations, "_FOLDER", folder)
    for create in (True, False):
        with pytest.raises(UserError, match="db upgrade"):
            open_store(URL, path_of(store).parent, create=create)
    assert [999] == upgrade(store.database, tmp_path / "before.db")
    assert [] == upgrade(store.database, tmp_path / "needless.db")
    open_store(URL, path_of(store).parent, create=False).close()
    monkeypatch.undo()
    assert [] == check(tmp_path / "before.db")
