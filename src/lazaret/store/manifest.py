"""What a database holds, table by table: the number of rows and a checksum over every value of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.migrations import tables

_KEYS = {
    "policy": "id",
    "users": "id",
    "mailaddr": "id",
    "wblist": "rid, sid",
    "maddr": "id",
    "msgs": "mail_id, partition_tag",
    "msgrcpt": "mail_id, partition_tag, rseqnum",
    "quarantine": "mail_id, partition_tag, chunk_ind",
    "lz_msgs": "id",
    "lz_msgrcpt": "msg, rseqnum",
    "lz_addresses": "msg, num",
    "lz_symbols": "id",
    "lz_hits": "symbol, msg",
    "lz_attachments": "msg, num",
    "lz_releases": "id",
    "lz_audit": "id",
    "lz_partial": "attempt, recipient",
    "lz_words": "msg",
    "lz_learned": "id",
    "lz_secrets": "name",
    "lz_lists": "rid, sid",
    "lz_changes": "name",
    "lz_users": "id",
    "lz_user_scopes": "user_id, kind, value",
    "lz_sessions": "digest",
    "lz_invitations": "digest",
    "lz_api_tokens": "digest",
    "lz_failed_logins": "id",
    "lz_answers": "digest",
    "lz_searches": "id",
    "lz_audit_head": "id",
    "lz_digests": "id",
    "lz_digest_items": "mail_id, partition_tag, digest",
    "lz_digest_wishes": "email",
    "lz_migrations": "number",
}
"""Each table with the columns that put its rows in order. lz_text follows from lz_words."""

_TABLE = (
    "CREATE TABLE lz_manifest"
    " (name varchar(64) NOT NULL PRIMARY KEY, row_count bigint NOT NULL, checksum char(64) NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """One table."""

    rows: int
    checksum: str
    """SHA-256, hexadecimal."""


def take(connection: Connection) -> dict[str, Contents]:
    """Table -> what is in it now; to be called inside a transaction when others may write."""
    there = tables(connection)
    return {table: _contents(connection, table, key) for table, key in _KEYS.items() if table in there}


def write(connection: Connection, manifest: dict[str, Contents]) -> None:
    """Puts the manifest into the database that it describes."""
    connection.execute(_TABLE)
    connection.executemany(
        "INSERT INTO lz_manifest (name, row_count, checksum) VALUES (?, ?, ?)",
        [(name, one.rows, one.checksum) for name, one in manifest.items()],
    )


def read(connection: Connection) -> dict[str, Contents]:
    """The manifest that a backup carries; empty for a database that is no backup."""
    if "lz_manifest" not in tables(connection):
        return {}
    rows = connection.execute("SELECT name, row_count, checksum FROM lz_manifest")
    return {name: Contents(number, checksum) for name, number, checksum in rows}


def drop(connection: Connection) -> None:
    """Takes the manifest out of a database that goes into service."""
    connection.execute("DROP TABLE IF EXISTS lz_manifest")


def differences(promised: dict[str, Contents], found: dict[str, Contents]) -> Iterator[str]:
    """One sentence for each table that is not as promised."""
    for name, one in promised.items():
        other = found.get(name)
        if other is None:
            yield f"table {name} is missing"
        elif other.rows != one.rows:
            yield f"table {name} has {other.rows} rows, the manifest says {one.rows}"
        elif other.checksum != one.checksum:
            yield f"table {name} holds other values than the manifest says"


def _contents(connection: Connection, table: str, key: str) -> Contents:
    total, digest = 0, hashlib.sha256()
    for row in connection.execute(sql("SELECT * FROM", table, "ORDER BY", key)):
        total += 1
        for value in row:
            octets = value if isinstance(value, bytes) else repr(value).encode()
            digest.update(b"%s%d:" % (type(value).__name__.encode(), len(octets)))
            digest.update(octets)
    return Contents(total, digest.hexdigest())
