"""Rules that end the examination (Mail::SpamAssassin::Plugin::Shortcircuit).

Here all rules run at once, so that nothing is saved by stopping; but scores must be those that SpamAssassin
gives. So the order in which it would have run the rules is worked out, and hits behind the end are taken off.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lazaret.rules import expression
from lazaret.rules.book import Book, Kind
from lazaret.rules.expression import ExpressionError

FUNCTION = "check_shortcircuit"
"""The eval function of the symbol that says so."""

Place = tuple[int, int]
"""When a rule runs: its priority, and within that the kind of rule."""

_BY_KIND = {Kind.HEADER: 0, Kind.BODY: 2, Kind.URI: 3, Kind.MIMEHEADER: 4, Kind.RAWBODY: 5, Kind.FULL: 7}
_EVALS = {"header": 1, "body": 4, "uri_detail": 4, "rawbody": 6, "full": 8}
_EARLY = -200
"""Of rules that end it as ham or spam, unless the files say otherwise."""
_NETWORK = -100
_TOKEN = 0.0001
"""The points of the symbol when the rule that ended it has all the weight."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The rules that remain, and the points of the symbol that says so."""

    values: Mapping[str, float]
    symbol: str
    points: float


class Shortcuts:
    """The endings that a book knows."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._symbol = next((n for n, r in book.rules.items() if r.function == FUNCTION), "")
        self._kinds: dict[str, str] = {}
        for line in book.settings.get("shortcircuit", ()) if self._symbol else ():
            name, _, kind = line.partition(" ")
            self._kinds[name] = kind.strip()
        self._kinds = {name: kind for name, kind in self._kinds.items() if kind != "off"}
        self._places: dict[str, Place] = {}
        self._mentions: dict[str, list[str]] = {}
        if self._kinds:
            self._mentions = {n: _mentioned(r.text) for n, r in book.rules.items() if r.kind is Kind.META}
            self._priorities = self._in_order()

    def end(self, values: Mapping[str, float]) -> Ending | None:
        """What remains of the rules that hit; None when none of them ends the examination."""
        ending = [name for name in self._kinds if name in values]
        if not ending:
            return None
        last = min(ending, key=self._place)
        end = self._place(last)
        kept = {name: value for name, value in values.items() if self._place(name) <= end}
        return Ending(kept | {self._symbol: 1.0}, self._symbol, self._points(last))

    def _points(self, name: str) -> float:
        settings = self._book.settings
        match self._kinds[name]:
            case "ham":
                return float((settings.get("shortcircuit_ham_score") or ("-100",))[-1])
            case "spam":
                return float((settings.get("shortcircuit_spam_score") or ("100",))[-1])
            case _:
                return -_TOKEN if self._book.score(name) < 0 else _TOKEN

    def _place(self, name: str) -> Place:
        """A meta is known as soon as the last rule that it mentions is."""
        known = self._places.get(name)
        if known is None:
            rule = self._book.rules[name]
            own = self._priorities.get(name, 0)
            self._places[name] = known = (own, _BY_KIND.get(rule.kind, _EVALS.get(rule.scope, 0)))
            grounds = [self._place(n) for n in self._mentions.get(name, ()) if n in self._book.rules]
            self._places[name] = known = max([known, *grounds])
        return known

    def _in_order(self) -> dict[str, int]:
        """Priorities, where a rule that a meta mentions comes no later than the meta."""
        book = self._book
        priorities = {name: book.priorities.get(name, 0) for name in book.rules}
        for name, kind in self._kinds.items():
            if kind != "on" and not priorities.get(name):
                priorities[name] = _EARLY
        for name in sorted(priorities, key=lambda n: (priorities[n], n)):
            for ground in self._mentions.get(name, ()):
                if priorities.get(ground, priorities[name]) > priorities[name]:
                    asks = "net" in book.flags.get(ground, ())
                    priorities[ground] = max(priorities[name], _NETWORK) if asks else priorities[name]
        return priorities


def _mentioned(text: str) -> list[str]:
    try:
        return expression.names(expression.parse(text))
    except ExpressionError:
        return []
