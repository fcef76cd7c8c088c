"""The query language of command line, API and web page: from text to terms (docs: `lazaret find --help`).

hello "two words" from:spam.com score:>6 -subject:"your invoice" since:7d
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lazaret.model.errors import UserError

MAX_LENGTH = 4096
MAX_TERMS = 50

FIELDS = (
    *("from", "envelope-from", "header-from", "to", "subject", "body", "rule", "score", "size", "category"),
    *("state", "since", "before", "client", "id", "message-id", "queue-id", "attachment", "action"),
    "campaign",
)


class QueryError(UserError):
    """A query that cannot be understood. `position` counts the characters before the fault."""

    def __init__(self, problem: str, query: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.query = query
        self.position = position

    def rendered(self) -> str:
        """Three lines for a terminal: the problem, the query, a caret under the fault."""
        line = "".join(c if c.isprintable() else " " for c in self.query)
        start = max(0, self.position - 60)
        return f"{self.problem}\n  {line[start : start + 100]}\n  {' ' * (self.position - start)}^"

    def __str__(self) -> str:
        return self.rendered()


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. All terms of a query must hold."""

    field: str
    """One of FIELDS, or "" for free words."""
    value: str
    negated: bool
    position: int
    """Where its value begins in the query, its quote included."""
    query: str

    def wrong(self, problem: str) -> QueryError:
        """An error that points at this term's value."""
        return QueryError(problem, self.query, self.position)


def parse(query: str) -> list[Term]:
    """The terms of a query. QueryError names what is wrong, and where."""
    # Databases end a pattern at a NUL; to people it is nothing, so it separates words.
    query = query.replace("\0", " ")
    if len(query) > MAX_LENGTH:
        raise QueryError(f"a query has at most {MAX_LENGTH} characters", query, MAX_LENGTH)
    terms = list(_terms(query))
    if len(terms) > MAX_TERMS:
        raise terms[MAX_TERMS].wrong(f"a query has at most {MAX_TERMS} terms")
    return terms


def _terms(query: str) -> Iterator[Term]:
    at = 0
    while at < len(query):
        if query[at].isspace():
            at += 1
            continue
        start = at
        negated = query[at] == "-"
        field, position = _field(query, at + negated)
        value, at = _value(query, position)
        if not value:
            what = f"{field}: needs a value" if field else "there is no word here"
            raise QueryError(what, query, position if field else start)
        yield Term(field, value, negated, position, query)


def _field(query: str, at: int) -> tuple[str, int]:
    """The field that a term begins with, and where its value begins; "" for a free word."""
    end = at
    while end < len(query) and (query[end].isalpha() or query[end] == "-"):
        end += 1
    if end == at or end == len(query) or query[end] != ":":
        return "", at
    name = query[at:end].lower()
    if name in FIELDS:
        return name, end + 1
    import difflib  # costs a command that makes no mistake eight milliseconds

    close = difflib.get_close_matches(name, FIELDS, 1)
    hint = f"did you mean {close[0]}:?" if close else "put it into quotes to search for it as text"
    raise QueryError(f"there is no field {name}: ({hint})", query, at)


def _value(query: str, at: int) -> tuple[str, int]:
    """A quoted phrase or a word, and the place after it."""
    if query[at : at + 1] != '"':
        end = at
        while end < len(query) and not query[end].isspace():
            end += 1
        return query[at:end], end
    end = query.find('"', at + 1)
    if end < 0:
        raise QueryError("this quote is never closed", query, at)
    return query[at + 1 : end].strip(), end + 1
