"""Taking messages out of the database, wholly or their text alone."""

from collections.abc import Collection, Iterable

from lazaret.store import fulltext
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.keys import Key
from lazaret.store.rows import padded_words

_MESSAGE = "WHERE mail_id = :mail_id AND partition_tag = :tag"
_CHUNKS = sql("DELETE FROM quarantine", _MESSAGE)
_ROWS = (
    _CHUNKS,
    sql("DELETE FROM msgrcpt", _MESSAGE),
    sql("DELETE FROM lz_releases", _MESSAGE),
    sql("DELETE FROM lz_msgs", _MESSAGE),
    sql("DELETE FROM msgs", _MESSAGE),
)
_FORGET_TEXT = sql("UPDATE msgs SET quar_type = ' ', quar_loc = ''", _MESSAGE)
_SUBJECT = sql("SELECT subject FROM msgs", _MESSAGE)
_NUMBER = sql("SELECT id FROM lz_msgs", _MESSAGE)
_ATTACHMENTS = "DELETE FROM lz_attachments WHERE msg = :msg"
_DETAILS = (
    _ATTACHMENTS,
    "DELETE FROM lz_addresses WHERE msg = :msg",
    "DELETE FROM lz_msgrcpt WHERE msg = :msg",
)


def remove_texts(
    connection: Connection, messages: Iterable[Key], cleared: Collection[int] = frozenset()
) -> None:
    """Removes what is stored of the messages; their history stays, and is found by subject and address.

    `cleared`: partitions of which all texts are going to be taken away in one step.
    """
    for message in messages:
        if message.partition_tag not in cleared:
            connection.execute(_CHUNKS, message.values)
        connection.execute(_FORGET_TEXT, message.values)
        msg = _number(connection, message)
        if msg is not None:
            _remove_words(connection, message, msg)


def remove_messages(connection: Connection, messages: Iterable[Key]) -> None:
    """Removes every row of the messages."""
    for message in messages:
        msg = _number(connection, message)
        if msg is not None:
            fulltext.remove(connection, msg)
            _remove_hits(connection, msg)
            for statement in _DETAILS:
                connection.execute(statement, {"msg": msg})
        for statement in _ROWS:
            connection.execute(statement, message.values)


def remove_orphans(connection: Connection, messages: Iterable[Key]) -> None:
    """Removes the rows of those messages that have no row in `msgs`, looking once more."""
    gone = [one for one in messages if connection.execute(_SUBJECT, one.values).fetchone() is None]
    remove_messages(connection, gone)


def _number(connection: Connection, message: Key) -> int | None:
    found = connection.execute(_NUMBER, message.values).fetchone()
    return found[0] if found else None


def _remove_hits(connection: Connection, msg: int) -> None:
    """By symbol and message: the table has no other way in."""
    found = connection.execute("SELECT hits FROM lz_msgs WHERE id = :msg", {"msg": msg}).fetchone()
    (lines,) = found or ("",)
    symbols = {int(line.split(" ", 1)[0]) for line in lines.split("\n") if line}
    connection.executemany(
        "DELETE FROM lz_hits WHERE symbol = :symbol AND msg = :msg",
        [{"symbol": symbol, "msg": msg} for symbol in symbols],
    )


def _remove_words(connection: Connection, message: Key, msg: int) -> None:
    fulltext.remove(connection, msg)
    connection.execute(_ATTACHMENTS, {"msg": msg})
    # Another host may have removed the message since it was found due.
    (subject,) = connection.execute(_SUBJECT, message.values).fetchone() or ("",)
    connection.execute(
        "UPDATE lz_msgs SET indexed = 'N', subject_words = :words WHERE id = :msg",
        {"words": padded_words(subject or ""), "msg": msg},
    )
