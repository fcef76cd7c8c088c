"""Policies as people list and change them (the Protocol `flow.needs.PolicyTables`).

A policy may serve many: a change for one of them first gives him a copy of his own, named after him.
"""

from collections.abc import Mapping, Sequence

from lazaret.model.errors import UserError
from lazaret.model.policies import NamedPolicy, PolicyChange, PolicyRow
from lazaret.policy.keys import in_words, priority
from lazaret.policy.settings import IGNORED
from lazaret.store.addresses import plain
from lazaret.store.condition import NEVER, Condition, escaped, joined, like
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks
from lazaret.store.policies import USED, columns_of, read_row, rows_of, rows_statement
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

EX_NOINPUT = 66
LISTS_ONLY = "(lists only)"
"""The name of the policy without a setting that those have who only have a list of senders."""

_SET = {column: " ".join(["UPDATE policy SET", column, "= :value WHERE id = :id"]) for column in USED}
_INSERT = "INSERT INTO policy (policy_name,"
ALL = (*USED, *IGNORED)
"""Every column of amavis' table that says something."""
TAGS = ("spam_subject_tag", "spam_subject_tag2", "spam_subject_tag3")
_CHANGES = "SELECT time_num, who, act, detail FROM lz_audit WHERE act IN ('policy set', 'policy unset') AND"
# By the time first: no database is then tempted to walk over all acts from the last one on.
_NEWEST = "ORDER BY time_num DESC, id DESC LIMIT :limit"
_USERS = Table("users", ("priority", "policy_id", "email"), skip_known=True)
_NUMBER = "(SELECT count(*) FROM users u WHERE u.policy_id = p.id)"
_IS_USED = "SELECT count(*) FROM users WHERE policy_id = :id"
_HAS_LIST = "SELECT count(*) FROM wblist WHERE rid = :id"


class SqlPolicyTables:
    """Reads in the reader's threads, writes through the writer's."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def page(
        self, *, limit: int, after: str = "", within: Sequence[str] | None = None
    ) -> list[PolicyRow]:
        conditions = [Condition("u.email > :after", {"after": after})]
        if within is not None:
            conditions.append(_of_domains(within))
        wanted = joined(conditions, "AND")

        def work(connection: Connection) -> list[PolicyRow]:
            statement = " ".join(
                [rows_statement(connection), "WHERE", wanted.sql, "ORDER BY u.email LIMIT :limit"]
            )
            return [read_row(row) for row in connection.execute(statement, {**wanted.values, "limit": limit})]

        return await self._reader.run(work)

    async def changes(self, about: Sequence[str], *, limit: int) -> list[PolicyChange]:
        if not about:
            return []
        wanted = joined([like("detail", escaped(one) + ": %") for one in about], "OR")
        statement = " ".join([_CHANGES, "(", wanted.sql, ")", _NEWEST])

        def work(connection: Connection) -> list[PolicyChange]:
            rows = connection.execute(statement, {**wanted.values, "limit": limit})
            return [PolicyChange(*row) for row in rows]

        return await self._reader.run(work, limited=True)

    async def find(self, keys: Sequence[str]) -> list[PolicyRow]:
        def work(connection: Connection) -> list[PolicyRow]:
            statement = " ".join(
                [rows_statement(connection, ALL), "WHERE u.email IN (", marks(len(keys)), ")"]
            )
            return [read_row(row, ALL) for row in connection.execute(statement, keys)]

        return await self._reader.run(work)

    async def named(self) -> list[NamedPolicy]:
        return await self._reader.run(_named)

    async def subject_tags(self) -> list[str]:
        return await self._reader.run(_subject_tags)

    async def change(
        self, key: str, values: Mapping[str, object], *, local: bool | None, policy: str = ""
    ) -> PolicyRow:
        def work(connection: Connection) -> PolicyRow:
            user = _user(connection, key)
            if policy:
                _assign(connection, user, policy)
            if values:
                own = _own_policy(connection, user, key)
                for column, value in values.items():
                    connection.execute(_SET[column], {"value": value, "id": own})
            if local is not None:
                _set_local(connection, user, "Y" if local else "N")
            changed(connection)
            return _row(connection, key)

        return await self._writer.run(work, durable=True)

    async def change_named(self, name: str, values: Mapping[str, object]) -> None:
        def work(connection: Connection) -> None:
            number = _policy_named(connection, name) or _new_policy(connection, name)
            for column, value in values.items():
                connection.execute(_SET[column], {"value": value, "id": number})
            changed(connection)

        await self._writer.run(work, durable=True)

    async def reset(self, key: str, columns: Sequence[str], *, local: bool) -> bool:
        def work(connection: Connection) -> bool:
            found = _find(connection, key)
            if found is None:
                return False
            if columns:
                own = _own_policy(connection, found.user, key)
                for column in columns:
                    connection.execute(_SET[column], {"value": None, "id": own})
            if local:
                _set_local(connection, found.user, None)
            changed(connection)
            return True

        return await self._writer.run(work, durable=True)

    async def remove(self, key: str) -> bool:
        def work(connection: Connection) -> bool:
            found = _find(connection, key)
            if found is None or (found.name == LISTS_ONLY and found.local is None):
                return False
            if connection.execute(_HAS_LIST, {"id": found.user}).fetchone()[0]:
                _give(connection, found.user, _lists_only(connection))
                if found.local is not None:
                    _set_local(connection, found.user, None)
            else:
                connection.execute("DELETE FROM users WHERE id = :id", {"id": found.user})
            _drop_own(connection, found.policy, key)
            changed(connection)
            return True

        return await self._writer.run(work, durable=True)


def _of_domains(domains: Sequence[str]) -> Condition:
    """The keys that `policy.keys.lies_within` says may be spoken for by whoever has these domains."""
    trees = [one for one in domains if one.startswith(".")]
    patterns = ["%@" + escaped(one.removeprefix(".")) for one in domains]
    patterns += ["%@%" + escaped(one) for one in trees]
    return joined([like("u.email", one) for one in patterns], "OR") if patterns else NEVER


def changed(connection: Connection) -> None:
    """Lets every process read policies and lists anew; to be called in the transaction of the change."""
    connection.execute("UPDATE lz_changes SET number = number + 1 WHERE name = 'policies'")


def owner(connection: Connection, key: str) -> int:
    """`users.id` of whose list it is; the row is made when it is missing."""
    return _user(connection, key)


def drop_owner(connection: Connection, user: int) -> None:
    """Removes a row of `users` that was made for a list that is empty now."""
    connection.execute(
        "DELETE FROM users WHERE id = :id AND NOT EXISTS (SELECT 1 FROM wblist WHERE rid = :id)"
        " AND policy_id IN (SELECT id FROM policy WHERE policy_name = :name)",
        {"id": user, "name": LISTS_ONLY},
    )


def _find(connection: Connection, key: str) -> PolicyRow | None:
    return next(rows_of(connection, [key], rows_statement(connection)), None)


def _row(connection: Connection, key: str) -> PolicyRow:
    found = _find(connection, key)
    assert found is not None  # it was written in this transaction
    return found


def _user(connection: Connection, key: str) -> int:
    found = _find(connection, key)
    if found is not None:
        return found.user
    # Passes over a row that another process has put in since.
    insert(connection, _USERS, [(priority(key), _lists_only(connection), key)])
    return _row(connection, key).user


def _own_policy(connection: Connection, user: int, key: str) -> int:
    """A policy that nobody else has."""
    row = _row(connection, key)
    name = own_name(key)
    if row.policy and row.name == name:
        (others,) = connection.execute(_IS_USED, {"id": row.policy}).fetchone()
        if others == 1:
            return row.policy
    own = _new_policy(connection, name, row.policy)
    _give(connection, user, own)
    return own


def own_name(key: str) -> str:
    """How the policy of one person or domain is named."""
    return plain(in_words(key), 32)


def _new_policy(connection: Connection, name: str, like: int = 0) -> int:
    """`policy.id` of a new row, with all that another has."""
    if like:
        there = columns_of(connection, "policy")
        columns = ", ".join(column for column in ALL if column in there)
        connection.execute(
            " ".join([_INSERT, columns, ") SELECT :name,", columns, "FROM policy WHERE id = :id"]),
            {"name": name, "id": like},
        )
    else:
        connection.execute("INSERT INTO policy (policy_name) VALUES (:name)", {"name": name})
    (number,) = connection.execute(
        "SELECT max(id) FROM policy WHERE policy_name = :name", {"name": name}
    ).fetchone()
    return int(number)


def _give(connection: Connection, user: int, policy: int) -> None:
    connection.execute("UPDATE users SET policy_id = :policy WHERE id = :id", {"policy": policy, "id": user})


def _assign(connection: Connection, user: int, name: str) -> None:
    number = _policy_named(connection, name)
    if number is None:
        raise UserError(f'there is no policy "{name}"; `lazaret policy list --named` shows them', EX_NOINPUT)
    _give(connection, user, number)


def _lists_only(connection: Connection) -> int:
    return _policy_named(connection, LISTS_ONLY) or _new_policy(connection, LISTS_ONLY)


def _policy_named(connection: Connection, name: str) -> int | None:
    (number,) = connection.execute(
        "SELECT min(id) FROM policy WHERE policy_name = :name", {"name": name}
    ).fetchone()
    return number  # type: ignore[no-any-return]  # a number or NULL


def _set_local(connection: Connection, user: int, letter: str | None) -> None:
    if "local" not in columns_of(connection, "users"):
        raise UserError(
            "the table users of this database has no column `local`; "
            "there every address with a row is local, as in amavis"
        )
    connection.execute("UPDATE users SET local = :local WHERE id = :id", {"local": letter, "id": user})


def _drop_own(connection: Connection, policy: int, key: str) -> None:
    """Removes a policy that was made for one person or domain, when nobody has it any more."""
    connection.execute(
        "DELETE FROM policy WHERE id = :id AND policy_name = :name"
        " AND NOT EXISTS (SELECT 1 FROM users WHERE policy_id = :id)",
        {"id": policy, "name": own_name(key)},
    )


def _named(connection: Connection) -> list[NamedPolicy]:
    there = columns_of(connection, "policy")
    columns = ["p." + column if column in there else "NULL" for column in USED]
    name = "p.policy_name" if "policy_name" in there else "NULL"
    statement = " ".join(
        ["SELECT p.id,", name, ",", _NUMBER, ",", ", ".join(columns), "FROM policy p ORDER BY p.id"]
    )
    return [
        NamedPolicy(
            number,
            name or "",
            users,
            {c: v for c, v in zip(USED, values, strict=True) if v is not None},
        )
        for number, name, users, *values in connection.execute(statement)
    ]


def _subject_tags(connection: Connection) -> list[str]:
    there = columns_of(connection, "policy")
    found: set[str] = set()
    for column in TAGS:
        if column in there:
            rows = connection.execute(sql("SELECT DISTINCT", column, "FROM policy"))
            found.update(tag for (tag,) in rows if tag)
    return sorted(found)
