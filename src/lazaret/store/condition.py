"""Pieces of a WHERE clause with their values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lazaret.model import words
from lazaret.store.dialect import Dialect

_PARAMETER = re.compile(r":([a-z_0-9]+)")

BY_ID = "SELECT o.partition_tag, o.mail_id FROM lz_msgs o WHERE o.id IN ("
"""The key of messages by their `lz_msgs.id`."""
EVERY_TEXT = "subject sender recipients body"
"""The columns of the full-text index that free words search."""


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL with named parameters (`:value`), and the values. The SQL is always a constant of this room."""

    sql: str
    values: dict[str, object] = field(default_factory=dict)
    sources: tuple["Source", ...] = ()
    """Where all messages that may fulfil it can be read from an index: one of them is enough."""

    def numbered(self, number: int) -> "Condition":
        """The same with `:value_3` for `:value`, so that conditions can stand side by side."""
        sql = _PARAMETER.sub(lambda name: f":{name[1]}_{number}", self.sql)
        values = {f"{name}_{number}": value for name, value in self.values.items()}
        return Condition(sql, values, self.sources)

    def negated(self) -> "Condition":
        """Its opposite; what is unknown (NULL) counts as not fulfilled."""
        return Condition("NOT COALESCE((" + self.sql + "), FALSE)", self.values)


@dataclass(frozen=True, slots=True)
class Source:
    """SELECT of `partition_tag` and `mail_id` of messages, and its values."""

    sql: str
    values: dict[str, object]


NEVER = Condition("1 = 0")


def joined(conditions: Sequence[Condition], word: str) -> Condition:
    """The conditions with AND or OR between them."""
    parts = [condition.numbered(number) for number, condition in enumerate(conditions)]
    values = {name: value for part in parts for name, value in part.values.items()}
    sources = tuple(source for part in parts for source in part.sources) if word == "AND" else ()
    return Condition(f" {word} ".join("(" + part.sql + ")" for part in parts), values, sources)


def one_of(column: str, values: Sequence[object]) -> Condition:
    """`column IN (…)`; NEVER for no values."""
    names = {f"item_{number}": value for number, value in enumerate(values)}
    if not names:
        return NEVER
    return Condition(column + " IN (" + ", ".join(f":{name}" for name in names) + ")", names)


def text(value: str, columns: str, dialect: Dialect) -> Condition:
    """Words that follow each other in one of the columns of the full-text index."""
    wanted = words.phrase(value)
    if not wanted.words:
        return NEVER
    index = dialect.full_text
    expression = index.match(columns.split(), wanted.words, wanted.prefix)
    values: dict[str, object] = {"match": expression}
    return Condition(
        "l.id IN (" + index.matching + ")", values, (Source(BY_ID + index.matching + ")", values),)
    )


def like(column: str, pattern: str, name: str = "pattern") -> Condition:
    """`pattern` with `escaped` parts in it; `!` is the sign of escape, as the databases differ over `\\`."""
    return Condition(column + " LIKE :" + name + " ESCAPE '!'", {name: pattern})


def escaped(value: str) -> str:
    """A value as LIKE takes it literally."""
    return re.sub(r"([!%_])", r"!\1", value)
