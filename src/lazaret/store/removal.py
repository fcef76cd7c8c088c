"""Taking messages out of the database, wholly or their text alone.

Many at a time: each statement costs a server a round trip, and every process waits for the transaction.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from lazaret.store import fulltext
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import marks, padded, portions, repeated
from lazaret.store.keys import Key
from lazaret.store.rows import padded_words

AT_ONCE = 100
"""Messages to a statement."""
HITS_AT_ONCE = 50

_OF_KEYS = "partition_tag = ? AND mail_id IN ("
_CHUNKS = "DELETE FROM quarantine WHERE"
_ROWS = (
    _CHUNKS,
    "DELETE FROM msgrcpt WHERE",
    "DELETE FROM lz_releases WHERE",
    "DELETE FROM lz_msgs WHERE",
    "DELETE FROM msgs WHERE",
)
_FORGET_TEXT = "UPDATE msgs SET quar_type = ' ', quar_loc = '' WHERE"
_THERE = "SELECT mail_id FROM msgs WHERE"
_SUBJECTS = (
    "SELECT l.id, m.subject FROM lz_msgs l LEFT JOIN msgs m ON m.partition_tag = l.partition_tag"
    " AND m.mail_id = l.mail_id WHERE l.partition_tag = ? AND l.mail_id IN ("
)
_HITS = "SELECT id, hits FROM lz_msgs WHERE"
_HIT = "DELETE FROM lz_hits WHERE symbol = ? AND msg = ?"
_OR_HIT = "OR symbol = ? AND msg = ?"
_ATTACHMENTS = "DELETE FROM lz_attachments WHERE msg IN ("
_DETAILS = (
    _ATTACHMENTS,
    "DELETE FROM lz_addresses WHERE msg IN (",
    "DELETE FROM lz_msgrcpt WHERE msg IN (",
)


def remove_texts(
    connection: Connection, messages: Iterable[Key], cleared: Collection[int] = frozenset()
) -> None:
    """Removes what is stored of the messages; their history stays, and is found by subject and address.

    `cleared`: partitions of which all texts are going to be taken away in one step.
    """
    for tag, ids in _by_tag(messages):
        if tag not in cleared:
            _run(connection, sql(_CHUNKS, _OF_KEYS), tag, ids)
        _run(connection, sql(_FORGET_TEXT, _OF_KEYS), tag, ids)
        # Another host may have removed a message since it was found due.
        subjects = _run(connection, _SUBJECTS, tag, ids)
        if subjects:
            _remove_words(connection, {msg: subject or "" for msg, subject in subjects})


def remove_messages(connection: Connection, messages: Iterable[Key]) -> None:
    """Removes every row of the messages."""
    for tag, ids in _by_tag(messages):
        hits = dict(_run(connection, sql(_HITS, _OF_KEYS), tag, ids))
        if hits:
            numbers = padded(sorted(hits))
            fulltext.remove(connection, numbers)
            _remove_hits(connection, hits)
            for statement in _DETAILS:
                connection.execute(sql(statement, marks(len(numbers)), ")"), numbers)
        for statement in _ROWS:
            _run(connection, sql(statement, _OF_KEYS), tag, ids)


def remove_orphans(connection: Connection, messages: Iterable[Key]) -> None:
    """Removes the rows of those messages that have no row in `msgs`, looking once more."""
    for tag, ids in _by_tag(messages):
        there = {mail_id for (mail_id,) in _run(connection, sql(_THERE, _OF_KEYS), tag, ids)}
        remove_messages(connection, [Key(mail_id, tag) for mail_id in ids if mail_id not in there])


def _by_tag(messages: Iterable[Key]) -> Iterator[tuple[int, Sequence[str]]]:
    """The ids of a partition, at most AT_ONCE at a time, in the order in which indexes have them."""
    ordered = sorted((message.partition_tag, message.mail_id) for message in messages)
    for tag, keys in groupby(ordered, key=lambda one: one[0]):
        for ids in portions([mail_id for _, mail_id in keys], AT_ONCE):
            yield tag, ids


def _run(connection: Connection, statement: str, tag: int, ids: Sequence[str]) -> list[Any]:
    """A statement that ends with `partition_tag = ? AND mail_id IN (`."""
    ids = padded(ids)
    return connection.execute(sql(statement, marks(len(ids)), ")"), [tag, *ids]).fetchall()


def _remove_hits(connection: Connection, hits: dict[int, str]) -> None:
    """By symbol and message: the table has no other way in. `hits`: id -> the column of lz_msgs."""
    lines = ((line, msg) for msg, some in hits.items() for line in some.split("\n") if line)
    found = sorted({(int(line.split(" ", 1)[0]), msg) for line, msg in lines})
    for some in portions(found, HITS_AT_ONCE):
        pairs = padded(some)
        # Pairs of values in an IN make SQLite read the whole table.
        statement = sql(_HIT, repeated(_OR_HIT, len(pairs) - 1))
        connection.execute(statement, list(chain.from_iterable(pairs)))


def _remove_words(connection: Connection, subjects: dict[int, str]) -> None:
    """What is searched of these messages from now on is their subject."""
    numbers = padded(sorted(subjects))
    fulltext.remove(connection, numbers)
    connection.execute(sql(_ATTACHMENTS, marks(len(numbers)), ")"), numbers)
    words = [(msg, padded_words(subjects[msg])) for msg in numbers]
    statement = sql(
        "UPDATE lz_msgs SET indexed = 'N', subject_words = CASE id",
        repeated("WHEN ? THEN ?", len(words)),
        "ELSE subject_words END WHERE id IN (",
        marks(len(numbers)),
        ")",
    )
    connection.execute(statement, [*chain.from_iterable(words), *numbers])
