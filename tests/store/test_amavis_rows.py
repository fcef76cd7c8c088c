"""Rows that amavisd wrote, in a database that it or a web interface made."""

import asyncio
import time
from contextlib import closing

import pytest

from lazaret.flow.indexing import extract, keep_indexed
from lazaret.model.quarantine import State
from lazaret.store import migrations
from lazaret.store.check import check_database
from lazaret.store.migrations import tables
from lazaret.store.opening import Store
from lazaret.store.reindex import Extract, reindex
from lazaret.store.survey import survey

from .conftest import Place
from .entries import quarantined

PREFIX = (
    b"X-Envelope-From: <promo@spam.example>\n"
    b"X-Envelope-To: <Ann@home.example>,\n\t<bob@home.example>\n"
    b"X-Envelope-To-Blocked: <Ann@home.example>\n"
    b"X-Quarantine-ID: <9jc5xEn26f99>\n"
    b"X-Spam-Flag: YES\n"
    b"X-Spam-Status: Yes, score=6.642 tag=2 tag2=6.31 kill=6.31\n"
    b"\ttests=[BAYES_99=3.5, HTML_MESSAGE=0.001,\n\tAM.WBL=-1.5, ALONE] autolearn=no\n"
)
MESSAGE = (
    b"Received: from mx ([127.0.0.1])\n\tby localhost (amavis, port 10024)\n"
    b"X-Spam-Status: this one the message brought along\n"
    b"From: Big <promo@spam.example>\nSubject: You won\n\nbody\n"
)


ROWS = """
        INSERT INTO maddr (id, email, domain) VALUES
          (1, 'promo@spam.example', 'example.spam'), (2, 'ann@home.example', 'example.home'),
          (3, 'bob@home.example', 'example.home');
        INSERT INTO msgs (mail_id, secret_id, am_id, time_num, time_iso, sid, client_addr, size, content,
          quar_type, quar_loc, dsn_sent, spam_level, message_id, from_addr, subject, host) VALUES
          ('9jc5xEn26f99', 'MFV6n8TpDjNY', '1-1', 1769990000, '20260201T235320Z', 1, '192.0.2.9', 500, 'S',
           'Q', '9jc5xEn26f99', 'N', 6.642, '<1@spam.example>', 'Big <promo@spam.example>', 'You won', 'mx');
        INSERT INTO msgs (mail_id, am_id, time_num, time_iso, sid, size, host) VALUES
          ('unfinished11', '1-2', 1769990001, '20260201T235321Z', 1, 500, 'mx');
        INSERT INTO msgrcpt (mail_id, rseqnum, rid, content, ds, rs, bspam_level) VALUES
          ('9jc5xEn26f99', 1, 2, 'S', 'D', ' ', 6.642), ('9jc5xEn26f99', 2, 3, 'C', 'P', ' ', 1.5)
"""


@pytest.fixture
def foreign(empty: Place) -> Store:
    """Such a database with our tables beside its own."""
    make_tables(empty)
    return empty.open(create=True)


def make_tables(empty: Place) -> None:
    """A database as amavisd keeps it: the eight tables, one quarantined message, one unfinished row."""
    empty.database.create()
    stored = PREFIX + MESSAGE
    with closing(empty.database.connect(writing=True)) as connection:
        dialect = connection.dialect
        for statement in migrations.statements(
            migrations.available(dialect.kind)[migrations.AMAVIS], dialect
        ):
            connection.execute(statement)
        for statement in ROWS.split(";\n"):
            connection.execute(statement.strip())
        connection.executemany(
            "INSERT INTO quarantine (mail_id, chunk_ind, mail_text) VALUES ('9jc5xEn26f99', ?, ?)",
            [(1, stored[:100]), (2, stored[100:])],
        )
        if dialect.kind == "postgresql":
            connection.execute("SELECT setval('maddr_id_seq', 3)")


def find(store: Store, query: str = "", everything: bool = False) -> list[str]:
    async def work() -> list[str]:
        return [item.mail_id async for item in store.quarantine.find(query, everything=everything)]

    return asyncio.run(work())


def test_our_tables_are_put_beside_those_that_are_there(foreign: Store, empty: Place) -> None:
    assert ["9jc5xEn26f99"] == find(foreign)
    assert ["9jc5xEn26f99"] == find(empty.open())


def test_the_message_begins_after_the_fields_that_amavisd_added(foreign: Store) -> None:
    text = asyncio.run(foreign.quarantine.text("9jc5xEn26f99"))
    assert MESSAGE.replace(b"\n", b"\r\n") == text.message
    assert PREFIX.replace(b"\n", b"\r\n") == text.octets[: text.prefix]


def test_symbols_and_scores_come_from_the_stored_text(foreign: Store) -> None:
    detail = asyncio.run(foreign.quarantine.detail("9jc5xEn26f99"))
    expected = [("BAYES_99", 3.5), ("HTML_MESSAGE", 0.001), ("AM.WBL", -1.5), ("ALONE", 0.0)]
    assert expected == [(hit.symbol, hit.score) for hit in detail.hits]
    assert 6.642 == detail.item.score
    copies = detail.item.copies
    assert ["quarantine", "deliver"] == [copy.action for copy in copies]
    assert [State.QUARANTINED, State.DELIVERED] == [copy.state for copy in copies]


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("won", True),
        ("YOU", True),
        ("lost", False),
        ("from:spam.example", True),
        ("from:big", True),
        ("from:prom", True),
        ("to:ann@home.example", True),
        ("action:discard", True),
        ("state:quarantined", True),
        ("-won", False),
        ("-rule:BAYES_99", True),
    ],
)
def test_they_are_found_by_what_their_tables_say(foreign: Store, query: str, hit: bool) -> None:
    assert (["9jc5xEn26f99"] if hit else []) == find(foreign, query)


def test_a_row_that_amavisd_has_not_finished_is_not_shown(foreign: Store) -> None:
    assert ["9jc5xEn26f99"] == find(foreign, everything=True)


def test_they_are_released_like_our_own(foreign: Store) -> None:
    ask = foreign.quarantine.claim(
        "9jc5xEn26f99", ["ann@home.example"], who="x", resent_message_id="<r@h>", digest=b"d", again=False
    )
    assert "claimed" == asyncio.run(ask)[0].state


def test_ours_stand_beside_theirs(foreign: Store) -> None:
    entry = quarantined()
    asyncio.run(foreign.journal.keep(entry))
    assert [entry.mail_id, "9jc5xEn26f99"] == find(foreign, "won")
    assert [] == check_database(foreign.database)


def test_the_same_id_in_two_partitions_must_be_told_apart(foreign: Store, empty: Place) -> None:
    empty.execute(
        "INSERT INTO msgs SELECT 25, mail_id, secret_id, am_id, time_num, time_iso, sid, policy, client_addr,"
        " size, originating, content, quar_type, quar_loc, dsn_sent, spam_level, message_id, from_addr,"
        " 'The other', host FROM msgs WHERE mail_id = '9jc5xEn26f99'"
    )
    empty.execute(
        "INSERT INTO msgrcpt (partition_tag, mail_id, rseqnum, rid, content, ds, rs) VALUES"
        " (25, '9jc5xEn26f99', 1, 2, 'S', 'D', ' ')"
    )
    with pytest.raises(Exception, match=r"9jc5xEn26f99\[0\], 9jc5xEn26f99\[25\]"):
        asyncio.run(foreign.quarantine.detail("9jc5xEn26f99"))
    detail = asyncio.run(foreign.quarantine.detail("9jc5xEn26f99[25]"))
    assert ("The other", 25) == (detail.item.subject, detail.item.partition_tag)
    assert 2 == len(find(foreign))


def test_once_indexed_their_body_and_symbols_are_found(foreign: Store) -> None:
    def extract(message: bytes) -> Extract:
        assert MESSAGE.replace(b"\n", b"\r\n") == message
        return Extract("the hidden words", ("a.zip",), "Claims <claims@other.example>", "team@list.example")

    octets = MESSAGE.replace(b"\n", b"\r\n")
    entry = quarantined(text=PREFIX + octets, prefix=len(PREFIX), digest=b"", body_text="gone soon")
    asyncio.run(foreign.journal.keep(entry))
    told: list[int] = []
    assert 2 == asyncio.run(reindex(foreign, extract, told.append))
    assert [2] == told
    both, theirs = [entry.mail_id, "9jc5xEn26f99"], ["9jc5xEn26f99"]
    for query in (
        '"hidden words"',
        "attachment:zip",
        "subject:won",
        "from:claims@other.example",
        "to:list.example",
    ):
        assert both == find(foreign, query)
    for query in ("rule:AM.WBL", "action:discard", "-queue-id:4cXYZ"):
        assert theirs == find(foreign, query)
    assert [] == find(foreign, "soon")
    assert octets == asyncio.run(foreign.quarantine.text("9jc5xEn26f99")).message
    assert "BAYES_99" == asyncio.run(foreign.quarantine.detail("9jc5xEn26f99")).item.symbols[0]
    assert [] == check_database(foreign.database)


def test_only_what_is_not_indexed_yet_is_indexed_when_it_goes_on(foreign: Store) -> None:
    asyncio.run(foreign.journal.keep(quarantined()))
    assert 1 == asyncio.run(reindex(foreign, extract, everything=False))
    assert 0 == asyncio.run(reindex(foreign, extract, everything=False))
    assert 2 == asyncio.run(reindex(foreign, extract))
    assert ["9jc5xEn26f99"] == find(foreign, "rule:AM.WBL")


def test_what_amavisd_stores_meanwhile_is_found_within_two_seconds(foreign: Store, empty: Place) -> None:
    """As in service: the rows come from another program, and are complete when their content is set."""

    async def found(query: str, end: float) -> bool:
        while not [item async for item in foreign.quarantine.find(query)]:
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.02)
        return True

    async def work() -> None:
        indexing = asyncio.create_task(keep_indexed(foreign))
        assert await found("rule:AM.WBL", time.monotonic() + 10)
        await asyncio.to_thread(store_as_amavisd, empty, "another11111", b"Subject: x\n\nthe zyzzyva\n")
        assert await found("body:zyzzyva", time.monotonic() + 4)
        indexing.cancel()

    asyncio.run(work())


def store_as_amavisd(place: Place, mail_id: str, message: bytes) -> None:
    now = int(time.time())
    place.execute(
        "INSERT INTO msgs (mail_id, am_id, time_num, time_iso, sid, size, host)"
        " VALUES (:id, '1-3', :now, '20260201T235321Z', 1, 50, 'mx')",
        {"id": mail_id, "now": now},
    )
    place.execute(
        "INSERT INTO quarantine (mail_id, chunk_ind, mail_text) VALUES (:id, 1, :text)",
        {"id": mail_id, "text": PREFIX + message},
    )
    place.execute(
        "INSERT INTO msgrcpt (mail_id, rseqnum, rid, content, ds, rs) VALUES (:id, 1, 2, 'S', 'D', ' ')",
        {"id": mail_id},
    )
    place.execute("UPDATE msgs SET content = 'S', quar_type = 'Q' WHERE mail_id = :id", {"id": mail_id})


def test_a_look_at_amavisd_s_database_says_what_it_is_and_changes_nothing(empty: Place) -> None:
    empty.database.create()
    assert survey(empty.database).owner.startswith("no tables")
    make_tables(empty)
    found = survey(empty.database)
    assert "amavisd's tables, of version 2.7 or later; `lazaret db init` adds ours" == found.owner
    assert (2, 2, 0) == (found.rows["msgs"], found.rows["msgrcpt"], found.rows["wblist"])
    assert any(note.startswith("1 rows of messages that amavisd has not finished") for note in found.notes)
    with closing(empty.database.connect()) as connection:
        assert not {name for name in tables(connection) if name.startswith("lz_")}
    empty.open(create=True)
    found = survey(empty.database)
    assert "amavisd's tables with Lazaret's beside them" == found.owner
    assert any(note.startswith("1 stored messages are not indexed yet") for note in found.notes)
