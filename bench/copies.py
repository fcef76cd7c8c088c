"""Copies of the messages of a database in the same database, made by the server itself."""

from collections.abc import Iterator, Mapping

from lazaret.store.connection import Connection, transaction
from lazaret.store.dialect import sql
from lazaret.store.manifest import columns_of
from store import SPACING  # beside this file

BY_KEY = ("msgrcpt", "quarantine", "lz_msgs", "msgs")
BY_NUMBER = ("lz_msgrcpt", "lz_addresses", "lz_hits", "lz_attachments", "lz_words")
JOINED = "o JOIN msgs b ON b.partition_tag = o.partition_tag AND b.mail_id = o.mail_id WHERE b.time_num <"
NEW_ID = {
    "mariadb": "CONCAT(o.mail_id, '$N')",
    "postgresql": "o.mail_id || '$N'",
}
"""An id of ours has twelve characters, and there is room for sixteen."""


def multiply(connection: Connection, messages: int, copies: int, start: float) -> None:
    """All of them again and again, each time as if they came in after those that are there."""
    first, last = connection.execute("SELECT min(id), max(id) FROM lz_msgs").fetchone()
    for copy in range(1, copies):
        for statement in _statements(connection, copy, messages, start, last - first + 1, last):
            with transaction(connection):
                connection.execute(statement)
    if connection.dialect.renumber:
        connection.execute(sql(connection.dialect.renumber, "lz_msgs", "))"), {"table": "lz_msgs"}).fetchall()


def _statements(
    connection: Connection, copy: int, messages: int, start: float, span: int, last: int
) -> Iterator[str]:
    new_id = NEW_ID[connection.dialect.kind].replace("$N", str(copy))
    new = {
        "mail_id": new_id,
        "quar_loc": new_id.replace("o.mail_id", "o.quar_loc"),
        "time_num": f"o.time_num + {copy * messages * SPACING}",
        "id": f"o.id + {copy * span}",
        "msg": f"o.msg + {copy * span}",
    }
    for table in BY_KEY:
        yield _copied(
            connection, table, new, f"{JOINED} {int(start) + messages * SPACING} ORDER BY b.time_num"
        )
    for table in (*BY_NUMBER, "lz_text"):
        yield _copied(connection, table, new, f"o WHERE o.msg <= {last} ORDER BY o.msg")


def _copied(connection: Connection, table: str, new: Mapping[str, str], where: str) -> str:
    columns = columns_of(connection, table)
    values = ", ".join(new.get(name, "o." + name) for name in columns)
    return sql("INSERT INTO", table, "(" + ", ".join(columns) + ") SELECT", values, "FROM", table, where)
