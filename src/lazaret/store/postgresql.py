"""PostgreSQL 15 and later: connections, settings, and errors in words.

The driver is asynchronous and by far the quickest; each connection has an event loop of its own, which runs
in the thread that uses the connection, for as long as a statement takes.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

import asyncpg
import uvloop

from lazaret.model.partition import WEEKS
from lazaret.store.column_words import token, tokens
from lazaret.store.connection import TEXT_NAMES, Connection, Cursor, DatabaseError, Fault, Values
from lazaret.store.database import BUSY_S
from lazaret.store.dialect import NEWEST, Dialect, Warming, sql
from lazaret.store.parameters import numbered
from lazaret.store.result import Result, number
from lazaret.store.server import ANSWER_S, CONNECT_S, NoDatabase, ServerDatabase

OLDEST = (15,)
PREPARED = 512
"""Statements that a connection keeps prepared."""
MAX_POSITION = 16_383
"""PostgreSQL knows no position of a word beyond."""

T = TypeVar("T")
Prepared = tuple[Any, tuple[int, ...]]
"""A prepared statement, and the places of octets in its rows that hold text."""

_CAUSES = {
    "25006": "the server is read-only",
    "40001": "other transactions were in the way",
    "40P01": "other transactions were in the way",
    "42501": "the user lacks the right to do this",
    "53100": "the server's disk is full",
    "53200": "the server has no memory left",
    "53300": "the server has as many connections as it takes; see max_connections",
    "55P03": "another transaction kept rows locked for too long",
    "57P01": "the server is being stopped",
    "57P02": "the server crashed",
    "57P03": "the server is starting or stopping",
}
# The words of a message lie beside its row: to read all of them seems cheap to the server, and never is. The
# numbers of some hundred thousand messages are to be asked for quickly, which takes memory.
_LIMIT = (
    "SELECT set_config('statement_timeout', ?, false), set_config('enable_seqscan', 'off', false),"
    " set_config('work_mem', '32MB', false)"
)
_NO_LIMIT = (
    "SELECT set_config('statement_timeout', '0', false), set_config('enable_seqscan', NULL, false),"
    " set_config('work_mem', NULL, false)"
)
_NEXT = "FETCH 200 FROM streamed"
"""Rows read at a time; those of stored texts have 16 KB each."""
_OF_OCTETS = (
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = :table AND data_type = 'bytea'"
)
_COPIED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_CONFLICTS = ("40", "55P03")
_DOWN = ("08", "25006", "28", "3D", "42501", "53", "57P", "58")


_PENDING = (
    "SELECT gin_clean_pending_list(CAST(c.oid AS regclass)) FROM pg_class c"
    " WHERE c.oid = to_regclass('lz_text_idx_words') AND pg_has_role(c.relowner, 'USAGE')"
)
"""What was written lately stands in a list, which each search reads; whoever fills it up to 4 MB would sort
all of it in, for seconds, before his message is stored."""


class TsVector:
    """A tsvector with a GIN index over words made by us (`column_words.py`)."""

    # Without OFFSET it may take all rows in their order for cheaper than the index: it does not count the
    # words that lie elsewhere.
    matching = "SELECT t.msg FROM lz_text t WHERE t.words @@ CAST(CAST(:match AS text) AS tsquery) OFFSET 0"
    among = "l.id IN ($MATCHING)"
    # Not a join: it would put all of them in order to show fifty.
    among_newest = "COALESCE(l.id IN ($MATCHING), FALSE)"
    # COALESCE, or it takes every word for a rare one, and reads all messages instead of the newest.
    in_row = sql(
        "COALESCE((SELECT t.words FROM lz_text t WHERE t.msg = l.id)",
        "@@ CAST(CAST(:match AS text) AS tsquery), FALSE)",
    )
    # The words themselves lie elsewhere, those of each message on a page of their own. By the OR it puts two
    # indexes together, and does not read the words of all that are recent.
    in_recent = sql(
        "CASE WHEN l.id > :floor THEN l.id IN (SELECT t.msg FROM lz_text t",
        "WHERE t.words @@ CAST(CAST(:match AS text) AS tsquery) AND (t.msg > :floor OR t.msg < 0))",
        "ELSE",
        in_row,
        "END",
    )
    entries = 1000.0
    sample = (
        "SELECT count(*) FILTER (WHERE t.words @@ CAST(CAST(:match AS text) AS tsquery)),"
        " count(*) FILTER (WHERE t.words @@ CAST(CAST(:every AS text) AS tsquery))"
        " FROM (SELECT words FROM lz_text ORDER BY msg DESC LIMIT :some) t"
    )
    closer = 0
    row_cost = 10.0
    phrase_cost = 1.0
    columns = ("msg", "words")
    drop_index = "DROP INDEX lz_text_idx_words"
    # Of a million messages it writes parts of the index as often as this memory is full.
    make_index = (
        "SET maintenance_work_mem = '256MB'; CREATE INDEX lz_text_idx_words ON lz_text USING gin (words)"
    )
    add = "INSERT INTO lz_text (msg, words) VALUES (:id, CAST(CAST(:words AS text) AS tsvector))"
    is_removed_by_words = False
    remove = "DELETE FROM lz_text"

    def values(self, msg: int, columns: Sequence[str]) -> dict[str, object]:
        """The words with their positions, as PostgreSQL writes a tsvector."""
        placed = (f"{word}:{min(at, MAX_POSITION)}" for at, word in enumerate(tokens(columns), 1))
        return {"id": msg, "words": " ".join(placed)}

    def tend(self, connection: Connection) -> bool:
        connection.execute(_PENDING).fetchone()
        return False

    def match(self, columns: Sequence[str], words: Sequence[str], prefix: bool) -> dict[str, object]:
        end = ":*" if prefix else ""
        phrases = (" <-> ".join(token(column, word) for word in words) + end for column in columns)
        some = (" | ".join(token(column, word) for column in columns) for word in words)
        every = " & ".join(f"({one})" for one in some)
        if prefix:
            every = " | ".join(token(column, words[-1]) + ":*" for column in columns)
        return {"match": " | ".join(f"({phrase})" for phrase in phrases), "every": every}


class ListPartitions:
    """A table for each week, and one for all other tags."""

    is_made = (
        "SELECT count(*) FROM pg_class WHERE relname = 'quarantine' AND relkind = 'p'"
        " AND relnamespace = CAST(current_schema() AS regnamespace)"
    )
    make = (
        "LOCK TABLE quarantine",
        "ALTER TABLE quarantine RENAME TO quarantine_whole",
        "CREATE TABLE quarantine (LIKE quarantine_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
        " INCLUDING STORAGE) PARTITION BY LIST (partition_tag)",
        "ALTER TABLE quarantine ADD PRIMARY KEY (partition_tag, mail_id, chunk_ind)",
        *(
            f"CREATE TABLE quarantine_week_{week} PARTITION OF quarantine FOR VALUES IN ({week})"
            for week in range(1, WEEKS + 1)
        ),
        "CREATE TABLE quarantine_others PARTITION OF quarantine DEFAULT",
        "INSERT INTO quarantine SELECT * FROM quarantine_whole",
        "DROP TABLE quarantine_whole",
    )

    def clear(self, tag: int) -> str:
        return f"TRUNCATE TABLE quarantine_week_{tag:d}"


POSTGRESQL = Dialect(
    kind="postgresql",
    schema_words={
        "SERIAL": "bigserial PRIMARY KEY",
        "MAIL_ID": "bytea",
        "EMAIL": "bytea",
        "ORDERED": 'varchar(255) COLLATE "C"',
        "BLOB": "bytea",
        "TEXT": "text",
        "DIGEST": "bytea",
        "KEY": "bytea",
        "CLUSTERED": "",
        "OF_STORED": "WHERE quar_type = 'Q'",
        "PATIENCE": "",
        "CHAIN_AS_OCTETS": "",
        "WORDS_IN_LOWER_CASE": (
            "UPDATE lz_text SET words = CAST(REPLACE(REPLACE(CAST(words AS text), '_X', '__'), '_Y', '__y')"
            " AS tsvector) WHERE CAST(words AS text) ~ '_[XY]';"
        ),
        # Words of more than 2 KB lie elsewhere. What an index of words gives is the place of a row here: few
        # pages have them all, and remain in memory.
        "FEWER_PAGES": (
            "SET LOCAL maintenance_work_mem = '256MB';\n"
            "ALTER TABLE lz_text SET (toast_tuple_target = 128);\n"
            # Puts them there: all rows are written anew.
            "ALTER TABLE lz_text ALTER COLUMN words TYPE tsvector USING words || CAST('' AS tsvector);\n"
            "CREATE INDEX lz_msgs_idx_key ON lz_msgs (id) INCLUDE (partition_tag, mail_id);\n"
        ),
        "LEAVES": (
            "CREATE INDEX msgs_idx_moment ON msgs (partition_tag, mail_id) INCLUDE (time_num);\n"
            "DROP INDEX msgs_idx_sid;\n"
            "CREATE INDEX msgs_idx_sid ON msgs (sid) INCLUDE (partition_tag, mail_id);\n"
            "DROP INDEX msgrcpt_idx_rid;\n"
            "CREATE INDEX msgrcpt_idx_rid ON msgrcpt (rid) INCLUDE (partition_tag, mail_id);\n"
            # What its WHERE says the server does not look for: with quar_type in front it read all of it.
            "DROP INDEX msgs_idx_score;\n"
            "CREATE INDEX msgs_idx_score ON msgs (spam_level, mail_id, partition_tag) WHERE quar_type = 'Q';"
        ),
        "KEYS": "",
        "MOMENTS": (
            "DROP INDEX msgs_idx_sid;\n"
            "CREATE INDEX msgs_idx_sid ON msgs (sid) INCLUDE (partition_tag, mail_id, time_num);"
        ),
        "FULLTEXT": (
            "CREATE TABLE lz_text (msg bigint NOT NULL PRIMARY KEY, words tsvector NOT NULL);\n"
            # Words that lie elsewhere make the table seem small, and reading all of it cheap.
            "ALTER TABLE lz_text ALTER COLUMN words SET STORAGE MAIN;\n"
            "CREATE INDEX lz_text_idx_words ON lz_text USING gin (words);"
        ),
    },
    table_options="",
    begin="BEGIN",
    begin_snapshot="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    insert_new="INSERT INTO",
    on_known="ON CONFLICT DO NOTHING",
    lock="FOR UPDATE",
    share="FOR KEY SHARE",
    tables="SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    renumber="SELECT setval(pg_get_serial_sequence(:table, 'id'), (SELECT COALESCE(max(id), 1) FROM",
    columns=(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = :table"
    ),
    full_text=TsVector(),
    division=ListPartitions(),
    load_from=4,
    warming=Warming(
        # It would read the tables themselves: quicker, if it were for the result.
        setting=(
            "SET enable_seqscan = off",
            "SET enable_bitmapscan = off",
            "SET max_parallel_workers_per_gather = 0",
        ),
        ours=(
            "SELECT sum(length(o.mail_id)) FROM lz_msgs o WHERE o.id > 0",
            "SELECT sum(length(l.mail_id)) FROM lz_msgs l WHERE l.mail_id >= ''",
            # The rows, whose words lie elsewhere: an index of words gives their places.
            "SELECT count(t.words) FROM lz_text t WHERE t.msg > 0",
        ),
        theirs=(
            "SELECT sum(m.time_num) FROM msgs m WHERE m.partition_tag >= 0",
            "SELECT sum(length(r.mail_id)) FROM msgrcpt r WHERE r.mail_id >= ''",
            *NEWEST,
        ),
    ),
)


class PostgresConnection:
    """A connection of asyncpg that speaks the common statements, one after the other."""

    dialect = POSTGRESQL

    def __init__(self, loop: asyncio.AbstractEventLoop, raw: "asyncpg.Connection[Any]") -> None:
        self._loop = loop
        self._raw = raw
        self._prepared: dict[str, Prepared] = {}
        self._of_octets: dict[str, set[str]] = {}
        self._lost = False

    @property
    def in_transaction(self) -> bool:
        return not self._raw.is_closed() and self._raw.is_in_transaction()

    @property
    def version(self) -> int:
        return int(self._raw.get_server_version().major)

    def execute(self, statement: str, values: Values = (), /) -> Cursor:
        text, arguments = numbered(statement, values)
        with self._errors():
            if not arguments and not statement.startswith("SELECT"):
                status = run(self._loop, self._raw.execute(text))
                return Result([], _count(status))
            return run(self._loop, self._fetch(text, arguments))

    def executemany(self, statement: str, rows: Sequence[Values], /) -> Cursor:
        if not rows:
            return Result([], 0)
        text, _ = numbered(statement, rows[0])
        with self._errors():
            run(self._loop, self._raw.executemany(text, [numbered(statement, row)[1] for row in rows]))
            return Result([], len(rows))

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> None:
        if table not in self._of_octets:
            self._of_octets[table] = {name for (name,) in self.execute(_OF_OCTETS, {"table": table})}
        octets = [column in self._of_octets[table] for column in columns]
        source = BytesIO("".join(copied(row, octets) for row in rows).encode())
        with self._errors():
            run(self._loop, self._raw.copy_to_table(table, source=source, columns=columns))

    def stream(self, statement: str, /) -> Iterator[tuple[Any, ...]]:
        self.execute(sql("DECLARE streamed NO SCROLL CURSOR FOR", statement))
        with self._errors():
            prepared = run(self._loop, self._describe(_NEXT))
            while rows := run(self._loop, _rows(prepared, ())):
                yield from rows
        self.execute("CLOSE streamed")

    def close(self) -> None:
        """Says good-bye, unless the server is gone: it would be waited for."""
        if self._loop.is_closed():
            return
        if self._lost:
            self._raw.terminate()
        else:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                run(self._loop, self._raw.close(timeout=CONNECT_S))
        run(self._loop, _end_tasks())
        self._loop.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            found = translated(error)
            self._lost = self._lost or found.fault == Fault.DOWN
            raise found from error

    async def _fetch(self, text: str, arguments: Sequence[Any]) -> Result:
        prepared = self._prepared.get(text)
        if prepared is None:
            if len(self._prepared) >= PREPARED:
                self._prepared.clear()
            prepared = self._prepared[text] = await self._describe(text)
        rows = await _rows(prepared, arguments)
        return Result(rows, _count(prepared[0].get_statusmsg()))

    async def _describe(self, text: str) -> Prepared:
        prepared = await self._raw.prepare(text)
        octets = (n for n, one in enumerate(prepared.get_attributes()) if one.type.name == "bytea")
        return prepared, tuple(n for n in octets if prepared.get_attributes()[n].name in TEXT_NAMES)


@dataclass(frozen=True, slots=True)
class PostgresDatabase(ServerDatabase):
    """A database on a server of PostgreSQL."""

    dialect = POSTGRESQL

    def connect(self, *, writing: bool = False, patient: bool = False) -> PostgresConnection:
        loop = uvloop.new_event_loop()
        try:
            with self.trouble():
                connection = PostgresConnection(loop, run(loop, self._open(writing, patient)))
        except BaseException:
            loop.close()
            raise
        try:
            self.require_version("PostgreSQL", (connection.version,), OLDEST)
        except BaseException:
            connection.close()
            raise
        return connection

    def make_durable(self, connection: Connection, durable: bool) -> None:
        connection.execute("SET synchronous_commit = on" if durable else "SET synchronous_commit = off")

    @contextmanager
    def limited(self, connection: Connection, seconds: float) -> Iterator[None]:
        connection.execute(_LIMIT, (str(int(seconds * 1000)),))
        try:
            yield
        finally:
            try:
                connection.execute(_NO_LIMIT)
            except DatabaseError:
                connection.close()  # The next who wants it finds it closed, and opens another.

    async def _open(self, writing: bool, patient: bool) -> "asyncpg.Connection[Any]":
        server = self.server
        try:
            raw = await asyncpg.connect(
                host=server.socket or server.host,
                port=server.port,
                user=server.user,
                password=server.password or None,
                database=server.database,
                ssl=server.tls_context() or "disable",
                timeout=CONNECT_S,
                command_timeout=None if patient else ANSWER_S,
                statement_cache_size=0,
                server_settings={
                    "application_name": "lazaret",
                    "client_encoding": "UTF8",
                    "TimeZone": "UTC",
                    "lock_timeout": f"{BUSY_S:.0f}s",
                    # A page ends early: to compile what would read all there is takes longer than the page.
                    "jit": "off",
                    "default_transaction_read_only": "off" if writing else "on",
                },
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise self._refused(error) from error
        await _set_codecs(raw)
        return raw

    def _refused(self, error: Exception) -> Exception:
        code = getattr(error, "sqlstate", "")
        server = self.server
        if code == "3D000":
            return NoDatabase(
                f"there is no database {server.name}; make it there: CREATE DATABASE {server.database}"
                f" OWNER {server.user} ENCODING 'UTF8' TEMPLATE template0"
            )
        if code == "28P01":
            return DatabaseError(Fault.DOWN, f"the server refuses {server.user!r}: is the password right?")
        if code == "28000":
            return DatabaseError(Fault.DOWN, f"the server refuses {server.user!r}: {error}")
        if isinstance(error, OSError):
            reason = error.strerror or str(error) or "no answer"
            return self.no_answer(reason)
        return translated(error)


async def _rows(prepared: Prepared, arguments: Sequence[Any]) -> list[Any]:
    statement, text = prepared
    rows = [tuple(row) for row in await statement.fetch(*arguments)]
    if text:
        rows = [tuple(_decoded(value) if n in text else value for n, value in enumerate(row)) for row in rows]
    return rows


def copied(row: Sequence[Any], octets: Sequence[bool]) -> str:
    """A row as COPY takes it; `octets` tells which of its values are such, even where they come as text."""
    return "\t".join(map(_copied, row, octets)) + "\n"


def _copied(value: Any, is_octets: bool) -> str:
    if value is None:
        return r"\N"
    if is_octets:
        return r"\\x" + _octets(value).hex()
    return value.translate(_COPIED) if isinstance(value, str) else repr(value)


def run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Runs the loop until the work is done; in a thread of its own where another loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return loop.run_until_complete(work)
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(loop.run_until_complete, work).result()


def translated(error: Exception) -> DatabaseError:
    """An error of the driver as one of ours."""
    code = getattr(error, "sqlstate", None) or ""
    if isinstance(error, ValueError):
        return DatabaseError(Fault.WORK, str(error))
    if isinstance(error, OSError) or not code:
        lost = isinstance(error, OSError | asyncpg.InterfaceError) and "closed" not in str(error)
        reason = f" ({error})" if lost and str(error) else ""
        return DatabaseError(Fault.DOWN, f"the connection was lost{reason}")
    text = _CAUSES.get(code, str(error))
    if code == "57014":
        return DatabaseError(Fault.STOPPED, text)
    if code.startswith(_CONFLICTS):
        return DatabaseError(Fault.CONFLICT, text)
    return DatabaseError(Fault.DOWN if code.startswith(_DOWN) else Fault.WORK, text)


async def _end_tasks() -> None:
    """What the driver still has to do on a connection that is no more, such as cancelling a statement."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


async def _set_codecs(raw: "asyncpg.Connection[Any]") -> None:
    """Octets may be given as text; numbers and times come as the other databases give them."""
    for name, encoder, decoder, form in (
        ("bytea", _octets, bytes, "binary"),
        ("float4", repr, float, "text"),
        ("numeric", str, number, "text"),
        ("timestamptz", str, str, "text"),
    ):
        await raw.set_type_codec(name, schema="pg_catalog", encoder=encoder, decoder=decoder, format=form)


def _octets(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def _decoded(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _count(status: str) -> int:
    """`UPDATE 3` -> 3."""
    word = status.rpartition(" ")[2] if status else ""
    return int(word) if word.isdigit() else 0
