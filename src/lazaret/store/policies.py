"""Policies and lists of senders, as the filter reads them (the Protocol `flow.needs.Policies`).

The tables may be those of another program: columns may be missing, values may be anything.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lazaret.model.policies import ListEntry, PoliciesFound, PoliciesState, PolicyRow
from lazaret.policy.settings import SETTINGS
from lazaret.store.addresses import from_octets
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import marks, portions
from lazaret.store.lookup import Lookup

CHANGES = "policies"
"""Our row of `lz_changes`."""

_STATE = (
    "SELECT number, EXISTS (SELECT 1 FROM users), EXISTS (SELECT 1 FROM wblist)"
    " FROM lz_changes WHERE name = 'policies'"
)
_SELECT = "SELECT u.id, u.email, u.priority, p.id,"
_FROM = "FROM users u LEFT JOIN policy p ON p.id = u.policy_id"
IMPLIED = "CASE WHEN u.email IN ('@.', '@') THEN NULL ELSE 'Y' END"
"""Tables without `users.local` say by a row that the address is ours, as in amavis; but not for everybody."""
_SENDERS = "SELECT id FROM mailaddr WHERE email IN ("
ENTRIES = (
    "SELECT w.rid, u.email, w.sid, m.email, m.priority, w.wb, l.wb, l.networks, l.expires, l.note, l.who,"
    " l.time_num FROM wblist w JOIN users u ON u.id = w.rid JOIN mailaddr m ON m.id = w.sid"
    " LEFT JOIN lz_lists l ON l.rid = w.rid AND l.sid = w.sid"
)
_ENTRIES_OF = sql(ENTRIES, "WHERE w.rid IN (")
_AND_SENDERS = ") AND w.sid IN ("

USED = tuple(setting.column for setting in SETTINGS.values())
"""Columns of `policy` that mean something here; older tables lack some."""
_FALSE = ("N", "n", "F", "f", "0", " ", "", "\0")


class SqlPolicies:
    """Reads some rows by their keys."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._select: str | None = None

    async def state(self) -> PoliciesState:
        return await self._lookup.run(state)

    async def rows(self, keys: Sequence[str], sender_keys: Sequence[str]) -> PoliciesFound:
        def work(connection: Connection) -> PoliciesFound:
            if self._select is None:
                self._select = rows_statement(connection)
            found = tuple(rows_of(connection, keys, self._select))
            users = [row.user for row in found]
            return PoliciesFound(found, tuple(entries_of(connection, users, sender_keys)))

        return await self._lookup.run(work)

    async def entries(self, users: Sequence[int], sender_keys: Sequence[str]) -> tuple[ListEntry, ...]:
        return await self._lookup.run(lambda connection: tuple(entries_of(connection, users, sender_keys)))


def state(connection: Connection) -> PoliciesState:
    """How it stands with the tables."""
    number, policies, lists = connection.execute(_STATE).fetchone()
    return PoliciesState(number, bool(policies), bool(lists))


def columns_of(connection: Connection, table: str) -> set[str]:
    """Names of the columns that the table has in this database."""
    return {name for (name,) in connection.execute(connection.dialect.columns, {"table": table})}


def rows_statement(connection: Connection, columns: Sequence[str] = USED) -> str:
    """SELECT of what `read_row` takes, with NULL where this database has no such column."""
    there = columns_of(connection, "policy")
    found = ["p." + column if column in there else "NULL" for column in columns]
    local = "u.local" if "local" in columns_of(connection, "users") else IMPLIED
    name = "p.policy_name" if "policy_name" in there else "NULL"
    return " ".join([_SELECT, local, ",", name, ",", ", ".join(found), _FROM])


def rows_of(connection: Connection, keys: Sequence[str], select: str) -> Iterator[PolicyRow]:
    """Rows of `users` with these keys, in no order."""
    for some in portions(keys):
        statement = " ".join([select, "WHERE u.email IN (", marks(len(some)), ")"])
        yield from map(read_row, connection.execute(statement, some))


def read_row(row: Sequence[Any], columns: Sequence[str] = USED) -> PolicyRow:
    """What `rows_statement` gives."""
    user, key, priority, policy, local, name, *values = row
    return PolicyRow(
        user=user,
        key=_text(key),
        priority=priority,
        policy=policy or 0,
        name=_text(name),
        local=None if local is None else local not in _FALSE,
        values={column: value for column, value in zip(columns, values, strict=True) if value is not None},
    )


def entries_of(
    connection: Connection, users: Sequence[int], sender_keys: Sequence[str]
) -> Iterator[ListEntry]:
    """What the lists of these users say of these senders."""
    if not users:
        return
    senders: list[int] = []
    for some in portions(sender_keys):
        senders += (found for (found,) in connection.execute(sql(_SENDERS, marks(len(some)), ")"), some))
    if not senders:
        return
    for few in portions(users):
        for several in portions(senders, 100):
            statement = sql(_ENTRIES_OF, marks(len(few)), _AND_SENDERS, marks(len(several)), ")")
            yield from map(read_entry, connection.execute(statement, (*few, *several)))


def read_entry(row: Sequence[Any]) -> ListEntry:
    """What `ENTRIES` gives."""
    user, owner, sender, key, priority, wb, our_wb, networks, expires, note, who, since = row
    ours = our_wb is not None and our_wb == wb
    return ListEntry(
        user=user,
        owner=_text(owner),
        sender=sender,
        key=_text(key),
        priority=priority,
        wb=wb,
        ours=ours,
        networks=tuple(networks.split()) if ours else (),
        expires=expires if ours else 0,
        note=note if ours else "",
        who=who if ours else "",
        since=since if ours else 0,
    )


def _text(value: str | bytes | None) -> str:
    """Other databases have octets where SQLite has text."""
    return from_octets(value) if isinstance(value, bytes) else value or ""
