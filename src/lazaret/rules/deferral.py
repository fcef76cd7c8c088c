"""Which rules can wait until a meta asks for them, and what it costs to ask.

A sub-rule (`__NAME`) matters only where some listed meta mentions it, and most metas are settled by the first
of the rules that they mention. So sub-rules that take work of their own, eval functions, values put together
from several header fields, matches to be confirmed, are worked out only on demand. A plain header field is
searched at once: where it is there, some meta nearly always asks, and one search answers all of its rules.

Expressions without a telling word take long to search. Those of them for which metas ask only when others
have hit are not searched at all before (`compile._guarded`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lazaret.rules import perl_regex, views, widen
from lazaret.rules.book import Book, Kind, Rule


@dataclass(frozen=True, slots=True)
class Price:
    """What it costs to look at a rule, about."""

    wake: int
    """How often it changes: what hangs on it alone is looked at that often."""
    work: int
    """How long it takes to work out its value."""


_EXACT = Price(1, 0)
_CANDIDATE = Price(2, 5)
_LONG, _PER_WAKE, _PER_WORK = 4000, 800, 40
"""Positions of a long expression, and how many of them make it dearer by one."""
_FIELD = Price(5, 0)
_FIELD_ON_DEMAND = Price(10, 8)
_OFTEN = 10
"""Fields that are there, or do not match, are no news."""
_ALONE = Price(19, 10)
"""What no database searches: all texts may match. Calls are dearer still."""
_CALL = Price(8, 0)
_CALL_ON_DEMAND = Price(20, 20)


def deferred(
    book: Book, names: Iterable[str], confirmed: Collection[str], capturing: Collection[str]
) -> set[str]:
    """The rules that wait. `confirmed`: those whose match in a database is only a candidate; `capturing`:
    those whose text stands in other expressions."""
    ending = {line.partition(" ")[0] for line in book.settings.get("shortcircuit", ())}
    rules = [book.rules[name] for name in names]
    known = {
        rule.name
        for rule in rules
        if not rule.name.startswith("__") or rule.name in ending or rule.name in capturing
    }
    wanted = {_field(rule) for rule in rules if rule.name in known}
    return {
        rule.name
        for rule in rules
        if rule.name not in known
        and (
            rule.kind is Kind.EVAL
            or rule.name in confirmed
            or (_takes_work(rule) and _field(rule) not in wanted)
        )
    }


def _takes_work(rule: Rule) -> bool:
    """Whether it looks at all parts, or at more than one field."""
    return rule.kind is Kind.MIMEHEADER or (rule.kind is Kind.HEADER and views.is_pseudo(rule.selector))


def can_run_alone(rule: Rule) -> bool:
    """Whether its expression need not be searched before somebody asks for its value."""
    return rule.regex is not None and not (rule.exists or rule.negated)


def prices(
    book: Book, names: Iterable[str], put_off: Collection[str], alone: Collection[str] = ()
) -> Mapping[str, Price]:
    """What each rule costs: a meta hangs on those that seldom change, and looks at the cheap ones first.

    `alone`: those that are not searched before a meta asks, since others have hit.
    """
    return {name: _price(book.rules[name], name in put_off, name in alone) for name in names}


def _price(rule: Rule, waits: bool, alone: bool) -> Price:
    if alone:
        return Price(_ALONE.wake, _ALONE.work + _candidate(rule).work)
    if rule.kind is Kind.EVAL:
        return _CALL_ON_DEMAND if waits else _CALL
    if rule.kind in (Kind.HEADER, Kind.MIMEHEADER):
        price = _FIELD_ON_DEMAND if waits and _takes_work(rule) else _FIELD
        return Price(price.wake + _OFTEN, price.work) if rule.exists or rule.negated else price
    return _candidate(rule) if waits else _EXACT


def _candidate(rule: Rule) -> Price:
    """A long expression is a candidate often, since little of it is searched, and takes long to confirm."""
    assert rule.regex is not None
    try:
        positions = widen.size(perl_regex.parse(rule.regex.source, rule.regex.modifiers))
    except perl_regex.RegexError:
        positions = _LONG
    return Price(
        _CANDIDATE.wake + min(positions, _LONG) // _PER_WAKE, _CANDIDATE.work + positions // _PER_WORK
    )


def _field(rule: Rule) -> tuple[Kind, str]:
    return rule.kind, views.alike(rule.selector)
