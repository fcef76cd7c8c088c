"""The full-text index of stored messages: what goes in, and how it is taken out again."""

import zlib
from dataclasses import astuple, dataclass

from lazaret.model import words
from lazaret.store.connection import Connection


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


def add(connection: Connection, msg: int, text: Searchable) -> None:
    """Indexes message `msg` (lz_msgs.id)."""
    columns = [" ".join(words.split(column)) for column in astuple(text)]
    index = connection.dialect.full_text
    connection.execute(index.add, index.values(msg, columns))
    packed = zlib.compress("\n".join(columns).encode(), 1)
    connection.execute(
        "INSERT INTO lz_words (msg, packed) VALUES (:id, :packed)", {"id": msg, "packed": packed}
    )


def unpacked(packed: bytes) -> list[str]:
    """The columns of a message out of its row in lz_words."""
    return zlib.decompress(packed).decode().split("\n")


def remove(connection: Connection, msg: int) -> None:
    """Takes a message out of the index; nothing happens when it is not in it."""
    found = connection.execute("SELECT packed FROM lz_words WHERE msg = :id", {"id": msg}).fetchone()
    if found is None:
        return
    columns = unpacked(found[0])
    index = connection.dialect.full_text
    connection.execute(index.remove, index.values(msg, columns))
    connection.execute("DELETE FROM lz_words WHERE msg = :id", {"id": msg})
