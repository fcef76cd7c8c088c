"""Pieces of a WHERE clause with their values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from lazaret.model import words
from lazaret.store.connection import Connection

_PARAMETER = re.compile(r":([a-z_0-9]+)")

_BY_ID = "SELECT o.partition_tag, o.mail_id FROM ($NUMBERS) w JOIN lz_msgs o $THEIR_KEYS ON o.id = w.msg"
"""The key of messages by their `lz_msgs.id`, one after the other: whoever wants a few waits for no more."""
PAGE = 50
"""Messages that are wanted at once, as a rule."""
SAMPLE = 100
"""Of so many new messages it is counted how many have a word; a few milliseconds on MariaDB."""
RECENT = 10_000
"""Messages indexed last, of which an index may be asked at once."""
EVERY_TEXT = "subject sender recipients body"
"""The columns of the full-text index that free words search."""


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL with named parameters (`:value`), and the values. The SQL is always a constant of this room."""

    sql: str
    values: dict[str, object] = field(default_factory=dict)
    sources: tuple["Source", ...] = ()
    """Where all messages that may fulfil it can be read from an index: one of them is enough."""
    few: bool = False
    """The keys of all messages that may fulfil it stand in it."""
    narrow: "Narrow | None" = None
    """What it consists of, where the keys of all that may fulfil it were read."""
    is_wide: bool = False
    """Its sources were asked, and have too many messages."""
    frequent: bool = False
    """It asks for a word that many messages have: where others are rare, a page of them may take long."""
    first: str = ""
    """What of it indexes tell of each message in the order of time; nothing: no part of it."""
    by_steps: bool = False
    """So much of `first` fails that a message's rows are better read when it is fulfilled."""

    def numbered(self, number: int) -> "Condition":
        """The same with `:value_3` for `:value`, so that conditions can stand side by side."""
        values = {f"{name}_{number}": value for name, value in self.values.items()}
        sources = tuple(
            replace(
                one,
                rest=_numbered(one.rest, number),
                whole=_numbered(one.whole, number),
                by_no_index=_numbered(one.by_no_index, number),
            )
            for one in self.sources
        )
        return Condition(
            _numbered(self.sql, number),
            values,
            sources,
            few=self.few,
            frequent=self.frequent,
            first=_numbered(self.first, number),
            by_steps=self.by_steps,
        )

    def negated(self) -> "Condition":
        """Its opposite; what is unknown (NULL) counts as not fulfilled."""
        return Condition("NOT COALESCE((" + self.sql + "), FALSE)", self.values, frequent=self.frequent)


@dataclass(frozen=True, slots=True)
class Source:
    """SELECT of `partition_tag` and `mail_id` of messages, and its values."""

    sql: str
    values: dict[str, object]
    rest: str = "1 = 1"
    """What else the condition asks of them, with its values."""
    whole: str = ""
    """A condition that exactly its messages fulfil, so that they need not be asked for it."""
    by_no_index: str = ""
    """The same condition as no index has it, for messages that were found otherwise."""
    numbers: str = ""
    """SELECT of the `lz_msgs.id` of the same messages, where that costs much less than their keys."""
    timed: str = ""
    """The same with their `time_num`, or NULL, as a third column; one message may stand there twice."""
    by_row: bool = False
    """Each message is asked for it, where these are too many."""
    scattered: bool = False
    """In an order in which the messages lie here and there: to read many of them so takes long."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Messages, and what is asked of them."""

    keys: Mapping[tuple[int, str], int | None]
    """`partition_tag` and `mail_id`, and `time_num` as far as it is known."""
    rest: Condition


NEVER = Condition("1 = 0")
ALL = Condition("1 = 1")


def joined(conditions: Sequence[Condition], word: str) -> Condition:
    """The conditions with AND or OR between them."""
    parts = [condition.numbered(number) for number, condition in enumerate(conditions)]
    values = {name: value for part in parts for name, value in part.values.items()}
    sources = tuple(_sources(parts)) if word == "AND" else ()
    sql = f" {word} ".join("(" + part.sql + ")" for part in parts)
    few = word == "AND" and any(part.few for part in parts)
    return Condition(
        sql,
        values,
        sources,
        few=few,
        frequent=any(part.frequent for part in parts),
        first=" AND ".join(f"({part.first})" for part in parts if part.first) if word == "AND" else "",
        by_steps=word == "AND" and any(part.by_steps for part in parts),
    )


def _sources(parts: Sequence[Condition]) -> Iterator[Source]:
    """Those of all parts; beside each the other parts have to be asked."""
    for part in parts:
        others = [f"({other.sql})" for other in parts if other is not part]
        for source in part.sources:
            yield replace(source, rest=" AND ".join([f"({source.rest})", *others]))


def _numbered(sql: str, number: int) -> str:
    return _PARAMETER.sub(lambda name: f":{name[1]}_{number}", sql)


def one_of(column: str, values: Sequence[object]) -> Condition:
    """`column IN (…)`; NEVER for no values."""
    names = {f"item_{number}": value for number, value in enumerate(values)}
    if not names:
        return NEVER
    return Condition(column + " IN (" + ", ".join(f":{name}" for name in names) + ")", names)


def text(value: str, columns: str, connection: Connection, *, most: int) -> Condition:
    """Words that follow each other in one of the columns of the full-text index.

    `most`: so many of the newest are wanted, 0: all of them. An index gives all messages with a word before
    it gives one, so that what most messages have is asked of each by itself, from the newest on.
    """
    wanted = words.phrase(value)
    if not wanted.words:
        return NEVER
    index = connection.dialect.full_text
    values = dict(index.match(columns.split(), wanted.words, wanted.prefix))
    if most:
        last, messages = indexed(connection)
        if share := _frequency(connection, values, most, messages, of_words=len(wanted.words)):
            # An index has nothing of a phrase but the words, and all that have these would be read.
            read = share * messages if len(wanted.words) == 1 else inf
            asked = index.in_recent if read < index.entries * most / share else index.in_row
            values |= {"floor": last - RECENT}
            return Condition(asked, values, frequent=True, first=asked, by_steps=True)
    among = (index.among_newest if most else index.among).replace("$MATCHING", index.matching)
    source = of_numbers(connection, index.matching, values, whole=among)
    return Condition(among, values, (replace(source, by_row=among == index.in_row),))


def of_numbers(connection: Connection, numbers: str, values: dict[str, object], *, whole: str) -> Source:
    """The messages of which a statement gives the `lz_msgs.id`."""
    by_id = _BY_ID.replace("$THEIR_KEYS", connection.dialect.their_keys)
    return Source(by_id.replace("$NUMBERS", numbers), values, whole=whole, numbers=numbers)


def indexed(connection: Connection) -> tuple[int, int]:
    """The last `lz_msgs.id` that has a text, and about how many there are."""
    first, last = connection.execute(_SPAN).fetchone()
    return last or 0, (last or 0) - (first or 0)


# Apart, as SQLite finds only one of them in an index where both are asked for at once.
_SPAN = "SELECT (SELECT min(msg) FROM lz_words), (SELECT max(msg) FROM lz_words)"


def _frequency(
    connection: Connection, values: Mapping[str, object], most: int, messages: int, *, of_words: int
) -> float:
    """The share of messages that match where so many are sooner found row by row than the index has given
    all; 0 where the index is quicker.

    For words that follow each other it looks through all messages that have them anywhere.
    """
    index = connection.dialect.full_text
    phrase = of_words > 1
    row_cost = index.phrase_cost if phrase else index.row_cost
    # The index gives `share * messages`; `most / share` rows are enough.
    if messages <= most * row_cost:
        return 0.0
    looked = SAMPLE
    found, have = connection.execute(index.sample, {**values, "some": looked}).fetchone()
    if not (found or phrase) and index.closer:
        looked = SAMPLE * index.closer
        found, have = connection.execute(index.sample, {**values, "some": looked}).fetchone()
    # A sample without a phrase tells little of one whose words are everywhere.
    share = max(found or 0, 0.5 if phrase else 0) / looked
    return float(share) if share * (have or 0) / looked * messages > most * row_cost else 0.0


def like(column: str, pattern: str, name: str = "pattern") -> Condition:
    """`pattern` with `escaped` parts in it; `!` is the sign of escape, as the databases differ over `\\`."""
    return Condition(column + " LIKE :" + name + " ESCAPE '!'", {name: pattern})


def escaped(value: str) -> str:
    """A value as LIKE takes it literally."""
    return re.sub(r"([!%_])", r"!\1", value)
