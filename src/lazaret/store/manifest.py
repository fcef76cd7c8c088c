"""What a database holds, table by table: the number of rows and a checksum over every value of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lazaret.store.connection import Connection
from lazaret.store.inserting import select
from lazaret.store.migrations import tables

TABLES = (
    "policy",
    "users",
    "mailaddr",
    "wblist",
    "maddr",
    "msgs",
    "msgrcpt",
    "quarantine",
    "lz_msgs",
    "lz_msgrcpt",
    "lz_addresses",
    "lz_symbols",
    "lz_hits",
    "lz_attachments",
    "lz_releases",
    "lz_audit",
    "lz_partial",
    "lz_words",
    "lz_learned",
    "lz_secrets",
    "lz_lists",
    "lz_changes",
    "lz_users",
    "lz_user_scopes",
    "lz_sessions",
    "lz_invitations",
    "lz_api_tokens",
    "lz_failed_logins",
    "lz_answers",
    "lz_searches",
    "lz_audit_head",
    "lz_digests",
    "lz_digest_items",
    "lz_digest_wishes",
    "lz_mail_logins",
    "lz_second_factors",
    "lz_recovery_codes",
    "lz_half_logins",
    "lz_campaign_marks",
    "lz_identities",
    "lz_passkeys",
    "lz_sign_ons",
    "lz_used_challenges",
    "lz_migrations",
)
"""What a backup holds: all tables but `lz_text`, which follows from `lz_words`."""

_TABLE = (
    "CREATE TABLE lz_manifest"
    " (name varchar(64) NOT NULL PRIMARY KEY, row_count bigint NOT NULL, checksum char(64) NOT NULL)"
)


_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Contents:
    """One table."""

    rows: int
    checksum: str
    """The sum of the SHA-256 of the rows, hexadecimal."""


def take(connection: Connection) -> dict[str, Contents]:
    """Table -> what is in it now; to be called inside a transaction."""
    there = tables(connection)
    return {table: _contents(connection, table) for table in TABLES if table in there}


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


def columns_of(connection: Connection, table: str) -> list[str]:
    """The names of its columns, in an order that is the same for every database."""
    found = connection.execute(connection.dialect.columns, {"table": table})
    return sorted(name for (name,) in found if name.isidentifier())


def _contents(connection: Connection, table: str) -> Contents:
    """The checksum is a sum over the rows: their order, which databases do not share, does not matter."""
    total, checksum = 0, 0
    # When it was received stands in time_num; each database has its own way to write it once more.
    names = [name for name in columns_of(connection, table) if name != "time_iso"]
    levels = [place for place, name in enumerate(names) if name.endswith("_level")]
    for row in connection.stream(select(table, names)):
        total += 1
        checksum += _digest(_with_three_decimals(row, levels) if levels else row)
    return Contents(total, f"{checksum % _MODULUS:064x}")


def _digest(row: Sequence[object]) -> int:
    written = b"".join(map(_written, row))
    return int.from_bytes(hashlib.sha256(written).digest(), "big")


def _written(value: object) -> bytes:
    octets = value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")
    return b"%s%d:%s" % (type(value).__name__.encode(), len(octets), octets)


def _with_three_decimals(row: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Scores as we make them: servers keep them as numbers of single precision."""
    exact = list(row)
    for place in places:
        if exact[place] is not None:
            exact[place] = round(float(exact[place]), 3)
    return exact
