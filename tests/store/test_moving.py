"""A backup of any kind of database, restored to any other kind, and proven row by row."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from tests.support import databases

from lazaret.model.delivery import Answer
from lazaret.model.errors import Reply, UserError
from lazaret.model.lesson import Lesson
from lazaret.model.verdict import ScoredHit
from lazaret.store import copying, manifest, migrations
from lazaret.store.backup import backup, restore, upgrade
from lazaret.store.check import check, check_database
from lazaret.store.migrations import tables
from lazaret.store.opening import Store
from lazaret.store.sqlite import SqliteDatabase

from .conftest import KINDS, URL, Place
from .entries import delivered, quarantined, recipient

ODD = quarantined(
    mail_id="odd111111111",
    message=bytes(range(256)) * 200,
    recipients=(recipient('"Back\\\\slash"@Home.example'), recipient("j\udcf6rg@x.example")),
    subject="Grüße, 'quoted' \\ and 王小明 %s :name ?",
    body_text="Grüße 王小明 golden",
    score=12.345,
    hits=(ScoredHit("ODD", 1.0, "it's", "100 % \\ 'x'"),),
)


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path, servers: databases.Servers) -> Iterator[Place]:
    """An empty place of the kind that the test asks for."""
    kind = str(request.param)
    place = Place(kind, URL, tmp_path / "target")
    if kind != "sqlite":
        place = Place(kind, servers.new(kind), tmp_path / "target", databases.PASSWORD)
    yield place
    place.close()


async def fill(store: Store) -> None:
    entries = [quarantined(message=b"Subject: x\r\n\r\n" + b"octets\r\n" * 5000) for _ in range(5)]
    await asyncio.gather(*(store.journal.keep(entry) for entry in [*entries, delivered(), ODD]))
    await store.journal.remember_done("4c1", "a@x", b"digest", {"Ann@home.example": "250 one"})
    claims = await store.quarantine.claim(
        ODD.mail_id, ["j\udcf6rg@x.example"], who="x", resent_message_id="<r@h>", digest=b"d", again=False
    )
    await store.quarantine.settle(claims, [Answer(claims[0].recipient, Reply(250, "2.0.0", "Ok"))])
    await store.audit.write("ann", "view", ODD.mail_id, "headers")
    lesson = Lesson(digest=b"l" * 32, spam=True, who="cli:ann", features=b"\x00\xff", mail_id=ODD.mail_id)
    await store.lessons.teach([lesson])


def seen(store: Store) -> list[object]:
    """What people and the filter see of it."""

    async def work() -> list[object]:
        found: list[object] = [item async for item in store.quarantine.find("", everything=True)]
        for query in (
            "golden",
            '"golden ticket"',
            "王小",
            "from:prizes.example",
            "rule:ODD",
            "state:released",
        ):
            found.append([item.mail_id async for item in store.quarantine.find(query, everything=True)])
        found.append(await store.quarantine.detail(ODD.mail_id))
        found.append(await store.quarantine.text(ODD.mail_id))
        found.append(await store.journal.done_before("4c1", "a@x", b"digest"))
        found.append(await store.audit.verify())
        found.append(await store.lessons.figures())
        return found

    return asyncio.run(work())


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_what_is_restored_is_what_was_backed_up(place: Place, target: Place, tmp_path: Path) -> None:
    store = place.open()
    asyncio.run(fill(store))
    before = seen(store)
    file = tmp_path / "backup"
    contents = backup(place.database, file)
    assert [] == check(file)
    assert (7, 19) == (contents["msgs"].rows, contents["quarantine"].rows)
    with closing(SqliteDatabase(file).connect()) as made:
        (indexed,) = made.execute("SELECT count(*) FROM lz_text_docsize").fetchone()
    # Where it comes from a server the full text is made when it is restored.
    assert indexed == (6 if place.kind == "sqlite" else 0)

    assert contents == restore(file, target.database)
    assert [] == check_database(target.database)
    again = target.open()
    assert before == seen(again)
    # It goes on: new rows get numbers that no old one has.
    entry = quarantined()
    asyncio.run(again.journal.keep(entry))
    asyncio.run(again.audit.write("ann", "view"))
    assert "You won" == asyncio.run(again.quarantine.detail(entry.mail_id)).item.subject
    backup(target.database, tmp_path / "second")
    assert [] == check(tmp_path / "second")


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_what_nobody_has_touched_is_restored(place: Place, target: Place, tmp_path: Path) -> None:
    place.open()
    backup(place.database, tmp_path / "backup")
    restore(tmp_path / "backup", target.database)
    assert asyncio.run(target.open().audit.verify()) == asyncio.run(place.open().audit.verify())


def test_every_table_is_in_a_backup(place: Place) -> None:
    with closing(place.database.connect()) as connection:
        theirs = {name for name in tables(connection) if name.startswith(("lz_text", "sqlite_"))}
        assert set(manifest.TABLES) == tables(connection) - theirs


def test_a_backup_is_of_one_moment_while_messages_come_in(place: Place, tmp_path: Path) -> None:
    store = place.open()

    async def work() -> None:
        writing = asyncio.gather(*(store.journal.keep(quarantined()) for _ in range(60)))
        await asyncio.to_thread(backup, place.database, tmp_path / "backup")
        await writing

    asyncio.run(work())
    assert [] == check(tmp_path / "backup")
    assert 60 == asyncio.run(store.quarantine.count(""))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_nothing_is_restored_over_another_program_s_tables(kind: str, place: Place, tmp_path: Path) -> None:
    backup(place.database, tmp_path / "backup")
    with pytest.raises(UserError, match="restore to an empty place") as caught:
        restore(tmp_path / "backup", place.database)
    assert 73 == caught.value.exit_code


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_restore_that_fails_leaves_nothing(
    kind: str, empty: Place, file_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(file_store))
    backup(file_store.database, tmp_path / "backup")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(copying, "index_words", fail)
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "backup", empty.database)
    with closing(empty.database.connect()) as connection:
        assert set() == tables(connection)
    restore(tmp_path / "backup", empty.database)


def test_a_file_that_was_restored_to_its_half_is_gone(file_store: Store, tmp_path: Path) -> None:
    backup(file_store.database, tmp_path / "backup")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest, "drop", lambda connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            restore(tmp_path / "backup", SqliteDatabase(tmp_path / "new" / "lazaret.db"))
    assert [] == list((tmp_path / "new").iterdir())


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_restore_that_was_cut_off_is_not_taken_for_whole(
    kind: str, empty: Place, file_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(file_store))
    backup(file_store.database, tmp_path / "backup")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    # A process that is killed tidies nothing up.
    monkeypatch.setattr("lazaret.store.backup._all_tables_or_none", lambda *_: nullcontext())
    monkeypatch.setattr(copying, "index_words", fail)
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "backup", empty.database)
    for create in (True, False):
        with pytest.raises(UserError, match="never restored to its end"):
            empty.open(create=create)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_an_upgrade_of_a_server_takes_a_backup_first(
    kind: str, empty: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(empty.open(create=True)))
    folder = tmp_path / "schema"
    folder.mkdir()
    for file in migrations._FOLDER.glob("*.sql"):
        (folder / file.name).write_text(file.read_text())
    (folder / "0999_later.sql").write_text("CREATE TABLE lz_later (x integer);\n")
    monkeypatch.setattr(migrations, "_FOLDER", folder)
    with pytest.raises(UserError, match="db upgrade"):
        empty.open()
    assert [999] == upgrade(empty.database, tmp_path / "before")
    assert [] == upgrade(empty.database, tmp_path / "needless")
    empty.open()
    monkeypatch.undo()
    assert [] == check(tmp_path / "before")
