"""Queries that links put together: a term added, changed or taken out, the rest as the reader wrote it."""

from lazaret.store.query import QueryError, Term, parse


def written(field: str, value: str, negated: bool = False) -> str:
    """A term as one types it, quoted where it must be."""
    value = value.replace('"', " ").strip()
    if any(c.isspace() for c in value) or (not field and (":" in value or value.startswith("-"))):
        value = f'"{value}"'
    return f"{'-' if negated else ''}{f'{field}:' if field else ''}{value}"


def with_term(query: str, field: str, value: str) -> str:
    """The query with this value for the field, in the place of any that it had."""
    kept = [term for term in _terms(query) if term.field != field or term.negated]
    return " ".join([*map(_as_typed, kept), written(field, value)]).strip()


def without_field(query: str, field: str) -> str:
    """The query without the field."""
    return " ".join(_as_typed(term) for term in _terms(query) if term.field != field or term.negated)


def value_of(query: str, field: str) -> str:
    """The value that the query has for the field; "" when it has none."""
    found = [t.value for t in _terms(query) if t.field == field and not t.negated]
    return found[-1].lower() if found else ""


def _terms(query: str) -> list[Term]:
    try:
        return parse(query)
    except QueryError:
        return []


def _as_typed(term: Term) -> str:
    return written(term.field, term.value, term.negated)
