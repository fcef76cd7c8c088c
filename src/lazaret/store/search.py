"""From the terms of a query to one SQL condition; every value travels as a parameter, never in the text.

The statement around it calls `msgs` m, and l the row of `lz_msgs`, which a row of amavisd lacks.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lazaret.model import words
from lazaret.model.person import ALL, Sight
from lazaret.model.verdict import Action, Category
from lazaret.store import releases, sight
from lazaret.store.condition import (
    EVERY_TEXT,
    NEVER,
    Condition,
    Source,
    escaped,
    joined,
    like,
    of_numbers,
    one_of,
    text,
)
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.query import Term, parse
from lazaret.store.rows import DS_LETTERS
from lazaret.store.search_addresses import addressed
from lazaret.store.values import compared_number, compared_size, moment

_COMPARISONS = {
    ">": "$COLUMN > :number",
    ">=": "$COLUMN >= :number",
    "<": "$COLUMN < :number",
    "<=": "$COLUMN <= :number",
    "=": "ABS($COLUMN - :number) < 0.0005",
}
_HALF = 0.0005
"""Scores have three decimals, and a server keeps them as the nearest single-precision number."""
_BETWEEN = {">": _HALF, ">=": -_HALF, "<": -_HALF, "<=": _HALF, "=": 0.0}
# A sum is in no index: pages are read in the order of time, and only what is rare by its score.
_SCORE = "(m.spam_level + 0)"
_OF_SCORES = (
    "SELECT s.partition_tag, s.mail_id FROM msgs s"
    " WHERE s.quar_type = 'Q' AND s.spam_level >= :low AND s.spam_level <= :high"
)
_MOST = 1e9
"""Beyond every score."""
# $SEEN: which copies the reader may know of (store.sight).
# BETWEEN, as an equality would let servers make a list of all copies there are, to show one page: they do not
# see that the first fifty messages will do.
_OF_MESSAGE = "r.mail_id = m.mail_id AND r.partition_tag BETWEEN m.partition_tag AND m.partition_tag"
_COPY = sql("EXISTS (SELECT 1 FROM msgrcpt r WHERE", _OF_MESSAGE, "AND $SEEN AND ")
_KEPT = sql(
    "m.quar_type = 'Q' AND EXISTS (SELECT 1 FROM msgrcpt r WHERE",
    _OF_MESSAGE,
    "AND $SEEN AND r.ds IN ('D', 'R', 'B') AND NOT EXISTS (SELECT 1 FROM lz_msgrcpt x",
    "WHERE x.msg = l.id AND x.rseqnum = r.rseqnum AND x.stored <> 'Y') AND ",
)
_STATES = {
    "quarantined": _KEPT + "r.rs NOT IN ('R', 'D'))",
    "viewed": _KEPT + "r.rs IN ('V', 'v', 'S', 'H'))",
    "pending": _KEPT + "r.rs = 'p')",
    "released": _COPY + "r.rs = 'R')",
    "deleted": _COPY + "r.rs = 'D')",
    "delivered": _COPY + "r.ds = 'P' AND r.rs NOT IN ('R', 'D'))",
    "refused": _COPY + "r.ds IN ('R', 'B', 'D') AND r.rs NOT IN ('R', 'D')) AND NOT (" + _KEPT + "1 = 1))",
    "deferred": _COPY + "r.ds = 'T')",
}
_NOT_DELETED = _COPY + "r.rs <> 'D' AND r.ds <> 'P') OR NOT " + _COPY + "r.rs = 'D')"
_SYMBOLS = "SELECT s.id FROM lz_symbols s WHERE UPPER(s.name) LIKE :pattern ESCAPE '!' ORDER BY s.id"
_HITS = "SELECT h.msg FROM lz_hits h WHERE $SYMBOLS"
# With a LIMIT, or servers would make a list of all messages with a hit of the rule to show fifty of them.
_WITH_HIT = "(SELECT 1 FROM lz_hits h WHERE h.msg = l.id AND $SYMBOLS LIMIT 1) = 1"
# Of a row that amavisd wrote only the letter of its action is known. Not a LEFT JOIN: MariaDB makes IN of
# EXISTS, and then finds too much where the condition of such a join speaks of the query around it.
_WITH_ACTION = sql(
    "EXISTS (SELECT 1 FROM msgrcpt r WHERE",
    _OF_MESSAGE,
    "AND $SEEN AND (EXISTS (SELECT 1 FROM lz_msgrcpt x WHERE x.msg = l.id AND x.rseqnum = r.rseqnum",
    "AND x.action = :action) OR r.ds = :ds AND NOT EXISTS (SELECT 1 FROM lz_msgrcpt x",
    "WHERE x.msg = l.id AND x.rseqnum = r.rseqnum)))",
)
_OF_CAMPAIGN = "SELECT c.id AS msg FROM lz_msgs c WHERE c.campaign = :campaign"
_CLIENT_NAMES = ("l.client_name", "l.helo")
_ID = re.compile(r"([^\[\]]*)(?:\[([0-9]{1,9})\])?")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which messages are searched."""

    everything: bool = False
    """The whole history, not only what lies in the quarantine and is not deleted."""
    foreign: bool = False
    """Rows that amavisd wrote may be among them: without words of their own."""
    sight: Sight = ALL
    """Whose copies may be found, and may have a say in whether a message is."""


def condition(connection: Connection, query: str, scope: Scope, now: float, *, most: int = 0) -> Condition:
    """The condition that a query puts on m and l. QueryError when it cannot be understood.

    `most`: so many of the newest are wanted, 0: all of them. What is found is the same.
    """
    terms = parse(query)
    conditions = [_built(connection, term, scope, now, most=most) for term in terms]
    if not (scope.everything or scope.foreign):
        conditions += _scores(terms)
    if not scope.everything:
        conditions.append(Condition("m.quar_type = 'Q'", first="m.quar_type = 'Q'"))
        if not any(term.field == "state" for term in terms):
            conditions.append(sight.of_copies(sql(_NOT_DELETED, connection.dialect.after_words), scope.sight))
    if not scope.sight.everything:
        conditions.append(sight.of_messages(scope.sight))
    conditions.append(Condition("m.content IS NOT NULL"))
    return joined(conditions, "AND")


def _built(connection: Connection, term: Term, scope: Scope, now: float, *, most: int) -> Condition:
    if term.field in ("", "subject", "body", "attachment"):
        built = _text(connection, term, scope, most=most)
    elif term.field in ("since", "before"):
        compared = "m.time_num >= :time" if term.field == "since" else "m.time_num < :time"
        built = Condition(compared, {"time": moment(term, now)})
    elif term.field == "state":
        built = _state(connection, term, scope)
    elif term.field == "to" and not scope.sight.everything:
        built = sight.addressed_to(term.value, scope.sight)
    elif term.field == "rule":
        built = _rule(connection, term)
    elif term.field == "campaign":
        built = _campaign(connection, term)
    elif term.field == "action":
        built = _action(term, scope)
    else:
        built = _BY_FIELD[term.field](term)
    return built.negated() if term.negated else built


def _text(connection: Connection, term: Term, scope: Scope, *, most: int) -> Condition:
    if not words.phrase(term.value).words:
        raise term.wrong("there is no letter or digit to search for")
    if term.field in ("body", "attachment"):
        if not scope.sight.bodies:
            raise term.wrong(f"{term.field}: the texts of messages are closed to you")
        column = "body" if term.field == "body" else "attachments"
        return text(term.value, column, connection, most=most)
    indexed = text(term.value, term.field or _columns(scope.sight), connection, most=most)
    if not scope.sight.everything and not term.field:
        indexed = joined([indexed, sight.addressed_to(term.value, scope.sight)], "OR")
    if not (scope.everything or scope.foreign):
        return indexed
    return joined([indexed, _unindexed(term, scope)], "OR")


def _columns(seen: Sight) -> str:
    """The columns that free words search. Envelope recipients are among the indexed ones."""
    columns = EVERY_TEXT.split()
    hidden = ([] if seen.everything else ["recipients"]) + ([] if seen.bodies else ["body"])
    return " ".join(column for column in columns if column not in hidden)


def _unindexed(term: Term, scope: Scope) -> Condition:
    """The same words in messages whose text is not stored: by subject and addresses."""
    wanted = words.phrase(term.value)
    pattern = "% " + escaped(" ".join(wanted.words)) + ("%" if wanted.prefix else " %")
    found = [
        like("l.subject_words", pattern),
        joined(
            [Condition("l.id IS NULL"), like("LOWER(m.subject)", f"%{escaped(term.value.lower())}%")], "AND"
        ),
    ]
    if not term.field:
        to = addressed("to", term.value)
        if not scope.sight.everything:
            to = sight.addressed_to(term.value, scope.sight)
        found += [addressed("from", term.value), to]
    return joined([Condition("COALESCE(l.indexed, 'N') = 'N'"), joined(found, "OR")], "AND")


def _state(connection: Connection, term: Term, scope: Scope) -> Condition:
    state = term.value.lower()
    if state == "uncertain":
        crashed = releases.crashed(connection)
        return one_of("m.mail_id", sorted({m.mail_id for m, email in crashed if scope.sight.covers(email)}))
    if state not in _STATES:
        raise term.wrong("state: takes one of " + ", ".join([*_STATES, "uncertain"]))
    return sight.of_copies(_STATES[state], scope.sight)


def _score(term: Term) -> Condition:
    sign, number = compared_number(term)
    compared = _COMPARISONS[sign].replace("$COLUMN", _SCORE)
    return Condition(compared, {"number": number + _BETWEEN[sign]}, first=compared, by_steps=True)


def _scores(terms: Sequence[Term]) -> list[Condition]:
    """Where all messages stand whose scores lie between those of the terms; none for no such term."""
    compared = [compared_number(term) for term in terms if term.field == "score" and not term.negated]
    if not compared:
        return []
    low = max((number for sign, number in compared if sign in (">", ">=", "=")), default=-_MOST)
    high = min((number for sign, number in compared if sign in ("<", "<=", "=")), default=_MOST)
    values: dict[str, object] = {"low": low - _HALF, "high": high + _HALF}
    return [Condition("1 = 1", sources=(Source(_OF_SCORES, values, scattered=True),))]


def _size(term: Term) -> Condition:
    sign, octets = compared_size(term)
    return Condition(_COMPARISONS[sign].replace("$COLUMN", "m.size"), {"number": octets})


def _category(term: Term) -> Condition:
    letters = {category.word: category.value for category in Category}
    letter = letters.get(term.value.lower(), term.value.upper())
    if letter not in letters.values():
        raise term.wrong("category: takes one of " + ", ".join(letters))
    return Condition("m.content = :letter", {"letter": letter})


def _action(term: Term, scope: Scope) -> Condition:
    try:
        action = Action(term.value.lower())
    except ValueError:
        raise term.wrong("action: takes one of " + ", ".join(Action)) from None
    return sight.of_copies(_WITH_ACTION, scope.sight, {"action": action.value, "ds": DS_LETTERS[action]})


def _rule(connection: Connection, term: Term) -> Condition:
    """A symbol; with `*` at its end all that begin with it."""
    name = term.value.upper()
    pattern = escaped(name[:-1]) + "%" if name.endswith("*") else escaped(name)
    symbols = one_of("h.symbol", [number for (number,) in connection.execute(_SYMBOLS, {"pattern": pattern})])
    hits = _HITS.replace("$SYMBOLS", symbols.sql)
    with_hit = _WITH_HIT.replace("$SYMBOLS", symbols.sql)
    source = of_numbers(connection, hits, symbols.values, whole=with_hit)
    return Condition(with_hit, symbols.values, (source,))


def _client(term: Term) -> Condition:
    """An address, the beginning of one (`192.0.2.`, `2001:db8:`), a name, or a domain that it is below."""
    value = term.value.lower()
    if value.endswith((".", ":")):
        return like("m.client_addr", escaped(value) + "%")
    names = [like(f"LOWER({column})", "%." + escaped(value)) for column in _CLIENT_NAMES]
    names += [like(f"LOWER({column})", escaped(value)) for column in _CLIENT_NAMES]
    return joined([Condition("m.client_addr = :client", {"client": value}), *names], "OR")


def _id(term: Term) -> Condition:
    found = _ID.fullmatch(term.value)
    if found is None:
        return NEVER
    wanted = Condition("m.mail_id = :id", {"id": found[1]})
    if found[2] is None:
        return wanted
    return joined([wanted, Condition("m.partition_tag = :tag", {"tag": int(found[2])})], "AND")


def _message_id(term: Term) -> Condition:
    bare = term.value.strip("<>")
    return one_of("m.message_id", [f"<{bare}>", bare])


def _campaign(connection: Connection, term: Term) -> Condition:
    """Sixteen hexadecimal digits, as a list shows them."""
    if re.fullmatch(r"[0-9a-fA-F]{16}", term.value) is None:
        return NEVER
    number = int.from_bytes(bytes.fromhex(term.value), "big", signed=True)
    values: dict[str, object] = {"campaign": number}
    alike = "l.campaign = :campaign"
    source = of_numbers(connection, _OF_CAMPAIGN, values, whole=alike)
    return Condition(alike, values, (replace(source, by_no_index="l.campaign + 0 = :campaign"),))


def _queue_id(term: Term) -> Condition:
    return Condition("l.queue_id = :queue_id", {"queue_id": term.value})


def _address(term: Term) -> Condition:
    return addressed(term.field, term.value)


_BY_FIELD: dict[str, Callable[[Term], Condition]] = {
    "from": _address,
    "envelope-from": _address,
    "header-from": _address,
    "to": _address,
    "score": _score,
    "size": _size,
    "category": _category,
    "client": _client,
    "id": _id,
    "message-id": _message_id,
    "queue-id": _queue_id,
}
