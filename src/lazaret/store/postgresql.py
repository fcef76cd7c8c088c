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

from lazaret.store.connection import TEXT_NAMES, Connection, Cursor, DatabaseError, Fault, Values
from lazaret.store.database import BUSY_S
from lazaret.store.dialect import sql
from lazaret.store.parameters import numbered
from lazaret.store.postgresql_dialect import POSTGRESQL
from lazaret.store.result import Result, number
from lazaret.store.server import ANSWER_S, CONNECT_S, NoDatabase, ServerDatabase

OLDEST = (15,)
PREPARED = 512
"""Statements that a connection keeps prepared."""

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
