"""MariaDB 10.11 and later, and MySQL 8 by its manual: connections, settings, and errors in words."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions
from pymysql.cursors import SSCursor

from lazaret.model.partition import WEEKS
from lazaret.store.column_words import token, tokens
from lazaret.store.connection import TEXT_NAMES, Connection, Cursor, DatabaseError, Fault, Values
from lazaret.store.database import BUSY_S
from lazaret.store.dialect import COLUMNS, NEWEST, Dialect, Warming, sql
from lazaret.store.inserting import one_row
from lazaret.store.parameters import formatted
from lazaret.store.result import Result, number
from lazaret.store.server import ANSWER_S, CONNECT_S, NoDatabase, ServerDatabase

OLDEST = {"MariaDB": (10, 11), "MySQL": (8, 0)}

STREAMED = 200
"""Rows read at a time; those of stored texts have 16 KB each."""

_ACCESS_DENIED, _NO_DATABASE, _NO_RIGHTS = 1045, 1049, 1044
_CONFLICTS = (1205, 1213, 1020)
"""Waited too long for a lock, a deadlock, a row that has changed; with Galera 1213 stands for all three."""
_STOPPED = (1969, 3024, 1317)
_LIMIT_MARIADB = "SET SESSION max_statement_time = ?"
_LIMIT_MYSQL = "SET SESSION max_execution_time = ?"
_ENDED = (1053, 1927, 2003)
"""The server is being stopped, it ended the connection, it does not answer."""
_CAUSES = {
    1021: "the server's disk is full",
    1114: "the server's disk is full",
    1040: "the server has as many connections as it takes; see max_connections",
    1129: "the server refuses this host after too many errors; `FLUSH HOSTS` there lets it in again",
    1130: "the server does not let this host in",
    1142: "the user lacks the right to do this",
    1205: "another transaction kept rows locked for too long",
    1213: "other transactions were in the way",
    1227: "the user lacks the right to do this",
    1290: "the server is read-only",
    1836: "the server is read-only",
    2006: "the connection was lost",
    2013: "the connection was lost",
}
_DOWN = frozenset(_CAUSES) - frozenset(_CONFLICTS) | {_ACCESS_DENIED, _NO_DATABASE, _NO_RIGHTS, *_ENDED}


# A fifth of the time that a regular expression takes. `:place_N` are what is looked for in a column each.
_HAS = " OR ".join(
    f"(:place_{n} <> '' AND LOCATE(:place_{n}, CONCAT(' ', CAST(t.words AS BINARY), ' ')) > 0)"
    for n in range(len(COLUMNS))
)


class FullTextIndex:
    """A FULLTEXT index of InnoDB over words made by us (`column_words.py`)."""

    matching = "SELECT t.msg FROM lz_text t WHERE MATCH (t.words) AGAINST (:match IN BOOLEAN MODE)"
    among = "l.id IN ($MATCHING)"
    in_row = sql("COALESCE((SELECT", _HAS, "FROM lz_text t WHERE t.msg = l.id), FALSE)")
    # The others come as a join, which reads and sorts all of them.
    among_newest = in_recent = in_row
    entries = 0.0
    sample = sql(
        "SELECT SUM(",
        _HAS,
        "), SUM(CASE WHEN :every = '' THEN",
        _HAS,
        "ELSE t.words REGEXP :every END) FROM (SELECT words FROM lz_text ORDER BY msg DESC LIMIT :some) t",
    )
    closer = 5
    row_cost = 0.5
    phrase_cost = 0.5
    columns = ("msg", "words")
    drop_index = "ALTER TABLE lz_text DROP INDEX lz_text_idx_words"
    make_index = "ALTER TABLE lz_text ADD FULLTEXT INDEX lz_text_idx_words (words)"
    add = "INSERT INTO lz_text (msg, words) VALUES (:id, :words)"
    is_removed_by_words = False
    remove = "DELETE FROM lz_text"

    def values(self, msg: int, columns: Sequence[str]) -> dict[str, object]:
        return {"id": msg, "words": " ".join(tokens(columns))}

    def tend(self, connection: Connection) -> bool:
        return False  # the server sees to it

    def match(self, columns: Sequence[str], words: Sequence[str], prefix: bool) -> dict[str, object]:
        """Boolean mode: alternatives stand side by side in a pair of parentheses that must be fulfilled.

        The places say the same of a row's words, which are of letters, digits and `_` alone, with blanks
        between.
        """
        phrases = [[token(column, word) for word in words] for column in columns]
        end, boundary = ("", "") if prefix else (" ", r"\b")
        places = [f" {' '.join(phrase)}{end}" for phrase in phrases] + [""] * (len(COLUMNS) - len(phrases))
        every = "".join(rf"(?=.*\b(?:{'|'.join(one)}){boundary})" for one in zip(*phrases, strict=True))
        values: dict[str, object] = {f"place_{number}": place for number, place in enumerate(places)}
        values["every"] = f"^{every}" if len(words) > 1 else ""
        if len(words) > 1:
            quoted = " ".join(f'"{" ".join(phrase)}"' for phrase in phrases)
        else:
            quoted = " ".join(phrase[0] + ("*" if prefix else "") for phrase in phrases)
        return values | {"match": f"+({quoted})"}


class RangePartitions:
    """By ranges of one number each: MySQL knows no partition for whatever no list names."""

    is_made = (
        "SELECT count(*) FROM information_schema.partitions WHERE table_schema = DATABASE()"
        " AND table_name = 'quarantine' AND partition_name = 'week_1'"
    )
    make = (
        "ALTER TABLE quarantine PARTITION BY RANGE (partition_tag) ("
        + ", ".join(f"PARTITION week_{week} VALUES LESS THAN ({week + 1})" for week in range(WEEKS + 1))
        + ", PARTITION others VALUES LESS THAN MAXVALUE)",
    )

    def clear(self, tag: int) -> str:
        return f"ALTER TABLE quarantine TRUNCATE PARTITION week_{tag:d}"


MARIADB = Dialect(
    kind="mariadb",
    schema_words={
        "SERIAL": "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
        "MAIL_ID": "varbinary(16)",
        "EMAIL": "varbinary(255)",
        "ORDERED": "varchar(255)",
        "BLOB": "blob",
        "TEXT": "mediumtext",
        "DIGEST": "varbinary(32)",
        "KEY": "varbinary(1000)",
        "CLUSTERED": "",
        "OF_STORED": "",
        "FEWER_PAGES": "",
        "LEAVES": "",
        "KEYS": "",
        "MOMENTS": (
            "ALTER TABLE msgs DROP INDEX msgs_idx_sid, ADD INDEX msgs_idx_sid (sid, time_num),"
            " DROP INDEX msgs_idx_quarantine,"
            " ADD INDEX msgs_idx_quarantine (quar_type, time_num, mail_id, partition_tag, spam_level);"
        ),
        "PATIENCE": "",
        "CHAIN_AS_OCTETS": "",
        "WORDS_IN_LOWER_CASE": (
            "UPDATE lz_text SET words = REPLACE(REPLACE(words, '_X', '__'), '_Y', '__y')"
            " WHERE words REGEXP '_[XY]';"
        ),
        "FULLTEXT": (
            "CREATE TABLE lz_text (msg bigint NOT NULL PRIMARY KEY, words mediumtext NOT NULL,"
            " FULLTEXT INDEX lz_text_idx_words (words));"
        ),
    },
    table_options="ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    begin="START TRANSACTION",
    begin_snapshot="START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    insert_new="INSERT IGNORE INTO",
    on_known="",
    lock="FOR UPDATE",
    share="LOCK IN SHARE MODE",
    tables="SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    renumber="",
    columns=(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name = :table"
    ),
    full_text=FullTextIndex(),
    division=RangePartitions(),
    # No number is negative. What depends on m alone would be asked of each message before l is looked for.
    after_words="OR l.id < 0",
    by_key=True,
    warming=Warming(
        busy=("SHOW STATUS WHERE Variable_name = 'Innodb_buffer_pool_load_status' AND Value LIKE 'Load%'"),
        ours=(
            "SELECT sum(length(l.mail_id)) FROM lz_msgs l FORCE INDEX (mail_id)",
            "SELECT sum(length(t.words)) FROM (SELECT words FROM lz_text ORDER BY msg DESC LIMIT 3000) t",
        ),
        theirs=NEWEST,
    ),
)


class MariaConnection:
    """A connection of PyMySQL that speaks the common statements."""

    dialect = MARIADB

    def __init__(self, raw: "pymysql.Connection[Any]") -> None:
        self._raw = raw
        self._open_transaction = False

    @property
    def in_transaction(self) -> bool:
        return self._open_transaction

    @property
    def version(self) -> str:
        return str(self._raw.get_server_info())

    def execute(self, statement: str, values: Values = (), /) -> Cursor:
        with self._errors(), self._raw.cursor() as cursor:
            cursor.execute(*formatted(statement, values))
            self._note(statement)
            rows = list(cursor.fetchall()) if cursor.description else []
            return Result(_as_text(rows, cursor.description), cursor.rowcount)

    def executemany(self, statement: str, rows: Sequence[Values], /) -> Cursor:
        with self._errors(), self._raw.cursor() as cursor:
            text, _ = formatted(statement, ())
            cursor.executemany(text, rows)
            return Result([], cursor.rowcount)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> None:
        self.executemany(one_row(table, columns), rows)

    def stream(self, statement: str, /) -> Iterator[tuple[Any, ...]]:
        with self._errors(), self._raw.cursor(SSCursor) as cursor:
            cursor.execute(*formatted(statement, ()))
            while rows := cursor.fetchmany(STREAMED):
                yield from _as_text(list(rows), cursor.description)

    def close(self) -> None:
        self._open_transaction = False
        try:
            self._raw.close()
        except pymysql.Error:
            pass  # It was closed already, by the server or by an error.

    def _note(self, statement: str) -> None:
        if statement.startswith("START TRANSACTION"):
            self._open_transaction = True
        elif statement in ("COMMIT", "ROLLBACK"):
            self._open_transaction = False

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (pymysql.Error, OSError) as error:
            found = translated(error)
            if not self._raw.open:
                self._open_transaction = False
            raise found from error


@dataclass(frozen=True, slots=True)
class MariaDatabase(ServerDatabase):
    """A database on a server of MariaDB or MySQL."""

    dialect = MARIADB

    def connect(self, *, writing: bool = False, patient: bool = False) -> MariaConnection:
        with self.trouble():
            raw = self._open(patient)
        connection = MariaConnection(raw)
        try:
            version = connection.version
            product = "MariaDB" if "MariaDB" in version else "MySQL"
            self.require_version(product, numbers(version.removeprefix("5.5.5-")), OLDEST[product])
            with self.trouble():
                _set_up(connection, writing)
        except BaseException:
            connection.close()
            raise
        return connection

    def make_durable(self, connection: Connection, durable: bool) -> None:
        """That is for the whole server: innodb_flush_log_at_trx_commit = 1 is its default, and durable."""

    @contextmanager
    def limited(self, connection: Connection, seconds: float) -> Iterator[None]:
        assert isinstance(connection, MariaConnection)
        maria = "MariaDB" in connection.version
        limit = _LIMIT_MARIADB if maria else _LIMIT_MYSQL
        connection.execute(limit, (seconds if maria else int(seconds * 1000),))
        try:
            yield
        finally:
            try:
                connection.execute(limit, (0,))
            except DatabaseError:
                connection.close()  # The next who wants it finds it closed, and opens another.

    def _open(self, patient: bool) -> "pymysql.Connection[Any]":
        server = self.server
        try:
            connection = pymysql.connect(
                host=None if server.socket else server.host,
                port=server.port,
                unix_socket=server.socket or None,
                user=server.user,
                password=server.password,
                database=server.database,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=CONNECT_S,
                read_timeout=CONNECT_S,
                write_timeout=CONNECT_S,
                ssl=server.tls_context(),
                ssl_disabled=server.tls == "off",
                client_flag=CLIENT.FOUND_ROWS,
                conv=_CONVERSIONS,
                program_name="lazaret",
            )
        except (pymysql.Error, OSError) as error:
            raise self._refused(error) from error
        # What a server may take for its greeting is not what it may take for an answer.
        connection._read_timeout = connection._write_timeout = None if patient else ANSWER_S
        return connection

    def _refused(self, error: Exception) -> Exception:
        code = error.args[0] if error.args else 0
        server = self.server
        if code == _NO_DATABASE:
            return NoDatabase(
                f"there is no database {server.name}; make it there: CREATE DATABASE {server.database}"
            )
        if code in (_ACCESS_DENIED, 1698):
            # MariaDB says the same of a server that takes nobody without TLS.
            plain = ", and may one come without TLS" if server.tls == "off" else ""
            return DatabaseError(
                Fault.DOWN, f"the server refuses {server.user!r}: is the password right{plain}?"
            )
        if code == _NO_RIGHTS:
            return NoDatabase(
                f"{server.user!r} has no rights on the database {server.database!r}, or there is none;"
                f" there: CREATE DATABASE {server.database};"
                f" GRANT ALL ON {server.database}.* TO {server.user}"
            )
        if isinstance(error, pymysql.err.OperationalError) and code == 2003:
            reason = getattr(error, "original_exception", None) or error
            return self.no_answer(str(reason))
        return translated(error)


def translated(error: Exception) -> DatabaseError:
    """An error of the driver as one of ours."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if isinstance(error, OSError) or (code == 0 and isinstance(error, pymysql.err.InterfaceError)):
        return DatabaseError(Fault.DOWN, "the connection was lost" if code == 0 else f"{error}")
    text = _CAUSES.get(code) or (str(error.args[1]) if len(error.args) > 1 else str(error))
    if code in _CONFLICTS:
        return DatabaseError(Fault.CONFLICT, text)
    if code in _STOPPED:
        return DatabaseError(Fault.STOPPED, text)
    return DatabaseError(Fault.DOWN if code in _DOWN else Fault.WORK, text)


def numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")[:2])


def _set_up(connection: MariaConnection, writing: bool) -> None:
    """A column of one character keeps its blank; the rest is what a fresh installation has."""
    connection.execute(
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,PAD_CHAR_TO_FULL_LENGTH',"
        " innodb_lock_wait_timeout = ?",
        (int(BUSY_S),),
    )
    # A transaction that writes must see what others committed while it waited for their locks.
    if writing:
        connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    else:
        connection.execute("SET SESSION TRANSACTION READ ONLY")


def _as_text(rows: list[Any], description: Any) -> list[Any]:
    at = [place for place, column in enumerate(description or ()) if column[0] in TEXT_NAMES]
    if not at or not rows:
        return rows
    return [tuple(_decoded(value) if n in at else value for n, value in enumerate(row)) for row in rows]


def _decoded(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


_CONVERSIONS: Mapping[Any, Any] = {
    **conversions,
    FIELD_TYPE.DECIMAL: number,
    FIELD_TYPE.NEWDECIMAL: number,
    FIELD_TYPE.TIMESTAMP: str,
    FIELD_TYPE.DATETIME: str,
}
