"""The full-text index of stored messages: what goes in, and how it is taken out again."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from lazaret.model import words
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import marks


@dataclass(frozen=True, slots=True)
class Searchable:
    """The text of one message, column by column; in the index as words with blanks between them."""

    subject: str
    sender: str
    """Envelope sender, header From, Reply-To."""
    recipients: str
    """Envelope recipients, header To and Cc."""
    body: str
    attachments: str


def add(connection: Connection, texts: Sequence[tuple[int, Searchable]]) -> None:
    """Indexes messages, each beside its `lz_msgs.id`."""
    index, indexed, packed = connection.dialect.full_text, [], []
    for msg, text in texts:
        columns = [" ".join(words.split(column)) for column in astuple(text)]
        indexed.append(index.values(msg, columns))
        packed.append({"id": msg, "packed": zlib.compress("\n".join(columns).encode(), 1)})
    _each(connection, index.add, indexed)
    _each(connection, "INSERT INTO lz_words (msg, packed) VALUES (:id, :packed)", packed)


def _each(connection: Connection, statement: str, rows: Sequence[Mapping[str, object]]) -> None:
    """One alone is a statement that the connection keeps prepared."""
    if len(rows) == 1:
        connection.execute(statement, rows[0])
    elif rows:
        connection.executemany(statement, rows)


def unpacked(packed: bytes) -> list[str]:
    """The columns of a message out of its row in lz_words."""
    return zlib.decompress(packed).decode().split("\n")


def remove(connection: Connection, numbers: Sequence[int]) -> None:
    """Takes messages out of the index; nothing happens when they are not in it."""
    index = connection.dialect.full_text
    among = sql("WHERE msg IN (", marks(len(numbers)), ")")
    if index.is_removed_by_words:
        found = connection.execute(sql("SELECT msg, packed FROM lz_words", among), numbers).fetchall()
        connection.executemany(index.remove, [index.values(msg, unpacked(packed)) for msg, packed in found])
    else:
        connection.execute(sql(index.remove, among), numbers)
    connection.execute(sql("DELETE FROM lz_words", among), numbers)
