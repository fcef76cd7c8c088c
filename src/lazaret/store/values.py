"""What stands behind a field of a query: numbers, sizes, dates; all errors point at the value."""

import re
from datetime import datetime, timedelta

from lazaret.store.query import QueryError, Term

_COMPARED = re.compile(r"(>=|<=|>|<|=)?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,3})?)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_AGE = re.compile(r"([0-9]{1,6})(mo|[smhdwy])", re.IGNORECASE)

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "mo": 30 * 86_400,
    "y": 365 * 86_400,
}


def compared_number(term: Term) -> tuple[str, float]:
    """(operator, number) of `>6`, `<=2.5`, `-1`; without a sign the operator is `=`."""
    sign, rest = _split(term)
    if _NUMBER.fullmatch(rest) is None:
        raise term.wrong(f"{term.field}: takes a number, as in {term.field}:>6")
    return sign, float(rest)


def compared_size(term: Term) -> tuple[str, int]:
    """(operator, octets) of `>1M`, `<=300k`; 1k are 1024 octets."""
    sign, rest = _split(term)
    found = _SIZE.fullmatch(rest)
    if found is None:
        raise term.wrong("size: takes octets, or k, M, G, as in size:>1M")
    return sign, int(float(found[1]) * _UNITS[found[2].lower()])


def moment(term: Term, now: float) -> int:
    """Seconds since 1970 of `7d` (ago), `today`, `yesterday`, `2026-01-31`, `2026-01-31T12:00+01:00`.

    What says no zone is in the local zone of this process.
    """
    text = term.value.lower()
    age = _AGE.fullmatch(text)
    if age is not None:
        return int(now - int(age[1]) * _SECONDS[age[2]])
    try:
        if text in ("today", "yesterday"):
            midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
            return int((midnight - timedelta(days=text == "yesterday")).timestamp())
        return int(datetime.fromisoformat(term.value).timestamp())
    except (ValueError, OverflowError, OSError):
        raise _no_moment(term) from None


def _no_moment(term: Term) -> QueryError:
    return term.wrong(f"{term.field}: takes an age (7d, 12h) or a date (2026-01-31, 2026-01-31T12:00)")


def _split(term: Term) -> tuple[str, str]:
    found = _COMPARED.fullmatch(term.value)
    return (found[1] or "=", found[2].strip()) if found else ("=", term.value)
