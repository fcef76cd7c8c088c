"""How each database means to find what is asked for: the indexes that it reads, and that it sorts nothing."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lazaret.store import condition as conditions
from lazaret.store import learned, listing, narrowing, walk
from lazaret.store.connection import Connection, Cursor, Values
from lazaret.store.opening import Store
from lazaret.store.search import Scope, condition

from .entries import NOW, quarantined, recipient

MESSAGES = 400
SORTED = re.compile(r"TEMP B-TREE FOR ORDER|filesort|(?<!Incremental )Sort  \(")
"""What the three call it; those of one moment may be put in the order of their partitions."""


class Recording:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.asked: list[tuple[str, Values]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, values: Values = ()) -> Cursor:
        if statement.startswith("SELECT"):
            self.asked.append((statement, values))
        return self._connection.execute(statement, values)


@pytest.fixture
def filled(store: Store) -> Store:
    async def work() -> None:
        entries = [
            quarantined(
                mail_id=f"number{number:06}",
                time=NOW + number,
                recipients=(recipient(f"user{number % 9}@home.example"),),
                body_text=f"golden ticket rare{number % 100}",
                score=number / 10,
            )
            for number in range(MESSAGES)
        ]
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))

    asyncio.run(work())
    with_rights = store.database.connect(writing=True)
    kind = store.database.dialect.kind
    analyse = {
        "mariadb": "ANALYZE TABLE msgs, msgrcpt, lz_msgs, lz_text",
        "postgresql": "VACUUM ANALYZE",
    }.get(kind, "ANALYZE")
    with_rights.execute(analyse).fetchall()
    with_rights.close()
    return store


def plans(store: Store, query: str) -> dict[str, str]:
    """What is read for a page: statement -> plan."""

    def work(connection: Connection) -> dict[str, str]:
        recording: Any = Recording(connection)
        listing.page(recording, condition(recording, query, Scope(), NOW, most=50), 50, "")
        return {asked: explained(connection, asked, values) for asked, values in recording.asked}

    return asyncio.run(store.reader.run(work, limited=True))


def explained(connection: Connection, statement: str, values: Values) -> str:
    verb = "EXPLAIN QUERY PLAN" if connection.dialect.kind == "sqlite" else "EXPLAIN"
    # MariaDB names the indexes that it could use before the one that it does.
    rows: Sequence[Any] = connection.execute(f"{verb} {statement}", values).fetchall()
    first = 5 if connection.dialect.kind == "mariadb" else 0
    return "\n".join(" ".join(map(str, row[first:])) for row in rows)


def test_the_newest_are_read_in_the_order_of_an_index(filled: Store) -> None:
    for query in ("", "-score:>3", "size:>1"):
        (page,) = (plan for asked, plan in plans(filled, query).items() if "ORDER BY m.time_num" in asked)
        assert "msgs_idx_quarantine" in page, page
        assert SORTED.search(page) is None, page


def test_a_range_of_scores_is_read_from_an_index(filled: Store) -> None:
    scores = [plan for asked, plan in plans(filled, "score:>9.3 score:<9.6").items() if ":low" in asked]
    assert len(scores) == 2, "counted, and read"
    for plan in scores:
        assert "msgs_idx_score" in plan
        assert "msgs_idx_quarantine" not in plan


def test_what_a_word_is_in_is_put_in_order_without_a_look_at_the_messages(
    filled: Store, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "mariadb":
        pytest.skip("it keeps the rows of a table in the order of its key")
    monkeypatch.setattr(conditions, "SAMPLE", 0)
    found = plans(filled, "golden")
    (keys,) = (plan for asked, plan in found.items() if "JOIN lz_msgs o" in asked)
    (ordered,) = (plan for asked, plan in found.items() if "m.time_num  FROM msgs m" in asked)
    if kind == "postgresql":
        assert "lz_text_idx_words" in keys, keys
    alone = "USING COVERING INDEX " if kind == "sqlite" else "Index Only Scan using "
    assert alone + "lz_msgs_idx_key" in keys, keys
    assert alone + "msgs_idx_moment" in ordered, ordered


def test_a_domains_messages_come_from_one_index_in_the_order_of_time(filled: Store) -> None:
    found = plans(filled, "from:spam.example")
    (keys,) = (plan for asked, plan in found.items() if asked.startswith("SELECT s.partition_tag"))
    assert "msgs_idx_sid" in keys, keys
    assert not any("m.time_num  FROM msgs m" in asked for asked in found)


def test_what_is_read_ahead_is_read_from_indexes_alone(filled: Store, kind: str) -> None:
    warming = filled.database.dialect.warming

    def work(connection: Connection) -> list[str]:
        for statement in warming.setting:
            connection.execute(statement)
        whole = (one for one in (*warming.ours, *warming.theirs) if "ORDER BY" not in one)
        asked = (f"{one} LIMIT :some" for one in whole)
        return [explained(connection, one, {"some": 1}) for one in asked]

    plans = asyncio.run(filled.reader.run(work))
    alone = {"sqlite": "COVERING INDEX", "postgresql": "Index Only Scan"}.get(kind, "Using index")
    assert all(alone in plan or "on lz_text t" in plan for plan in plans), plans
    filled.warm()
    asyncio.run(filled.rehearse())


def test_the_newest_of_many_with_a_word_are_read_in_the_order_of_an_index(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "_frequency", lambda *given, **more: 0.0)
    monkeypatch.setattr(listing, "narrowed", lambda connection, wanted: replace(wanted, is_wide=True))
    (page,) = (plan for asked, plan in plans(filled, "golden").items() if "ORDER BY m.time_num" in asked)
    assert SORTED.search(page) is None, page


def test_the_words_of_messages_lie_beside_their_rows(store: Store, kind: str) -> None:
    if kind != "postgresql":
        pytest.skip("a choice that only PostgreSQL gives")
    text = " ".join(f"word{number}" for number in range(300))
    asyncio.run(store.journal.keep(quarantined(mail_id="wordy0000001", body_text=text)))

    def size(connection: Connection) -> int:
        statement = "SELECT pg_relation_size(c.reltoastrelid) FROM pg_class c WHERE c.relname = 'lz_text'"
        (octets,) = connection.execute(statement).fetchone()
        return int(octets)

    assert asyncio.run(store.reader.run(size)) > 0


def test_no_look_for_orphans_sorts_a_table(filled: Store) -> None:
    def work(connection: Connection) -> list[str]:
        if connection.dialect.kind == "postgresql":
            connection.execute("SET enable_seqscan = off")
        paths = [*walk.orphans(connection.dialect), walk.ADDRESSES]
        return [
            explained(connection, path.statement, {**path.start, **path.values, "look": 20}) for path in paths
        ]

    for plan in asyncio.run(filled.reader.run(work)):
        assert not SORTED.search(plan), plan
        assert "hash" not in plan.lower(), plan


def test_few_messages_are_not_looked_for_among_the_members_of_a_large_campaign(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "FEW", 50)
    writing = filled.database.connect(writing=True)
    writing.execute("UPDATE lz_msgs SET campaign = 7")
    writing.close()
    found = plans(filled, "campaign:0000000000000007 rare3")
    asked = {statement: plan for statement, plan in found.items() if "l.campaign + 0" in statement}
    assert asked
    assert not any("lz_msgs_idx_campaign" in plan for plan in asked.values()), asked

    async def count() -> int:
        return len([one async for one in filled.quarantine.find("campaign:0000000000000007 rare3")])

    assert asyncio.run(count()) == MESSAGES // 100


def test_the_journal_of_lessons_is_not_read_to_know_how_far_it_goes(file_store: Store) -> None:
    """The learner asks twice a second."""
    connection = file_store.database.connect()
    plan = connection.execute(f"EXPLAIN QUERY PLAN {learned._PENDING}", {"after": 0}).fetchall()
    connection.close()
    assert not [step for *_, step in plan if step.startswith("SCAN lz_learned")]
