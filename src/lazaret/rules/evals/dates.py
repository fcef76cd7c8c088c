"""Dates that do not fit together: Date against Received, Received against the one above it."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import number, within

_DATE = re.compile(
    r"(?:^|[\s,])(\d{1,2})\s+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{2,4})\s+"
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:[ap]m)?\s*([+-]\d{2}:?\d{2}|[a-z]{1,5})?",
    re.IGNORECASE | re.ASCII,
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ZONES = {
    **dict.fromkeys(["gmt", "ut", "utc", "z", "wet"], 0),
    **{"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8},
    **{"bst": 1, "cet": 1, "met": 1, "cest": 2, "mest": 2, "eet": 2, "eest": 3, "msk": 3, "jst": 9},
}
_IN_RECEIVED = re.compile(r"(\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+)")
_FETCHED = re.compile(r"\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)|qmail \d+ invoked by uid \d+")
_FETCHMAIL = re.compile(r"\bby localhost with \w+ \(fetchmail-[\d.]+")
_HOUR = 3600


def parse_date(text: str) -> float | None:
    """Seconds since 1970 of an RFC 5322 date, leniently read: AM and PM say nothing; None when it is none."""
    found = _DATE.search(text)
    if not found:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    years = int(year)
    if len(year) < 4:
        years += 2000 if years < 70 else 1900
    try:
        local = datetime(
            years, _MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), tzinfo=UTC
        )
    except ValueError:
        return None
    return local.timestamp() + int(second or 0) - _offset(zone or "").total_seconds()


def _offset(zone: str) -> timedelta:
    if zone[:1] in ("+", "-"):
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return -offset if zone[0] == "-" else offset
    return timedelta(hours=_ZONES.get(zone.lower(), 0))


@eval_function("check_for_shifted_date")
def shifted_date(subject: Subject, low: str, high: str) -> int:
    """Date is so many hours after (negative: before) the time at which the message was handed over."""
    return within(subject.once(_shift) / _HOUR, low, high)


@eval_function("lz_received_backwards")
def received_backwards(subject: Subject, hours: str) -> str:
    """Some hand-over is dated later than the one after it by more than so many hours."""
    times = subject.once(_received_times)
    for newer, older in pairwise(times):
        if older - newer > number(hours) * _HOUR:
            return f"{(older - newer) / _HOUR:.0f} hours"
    return ""


def _shift(subject: Subject) -> float:
    """Seconds from the nearest hand-over to Date; 0 when either is missing."""
    sent = next(
        (
            time
            for selector in ("Resent-Date", "Date")
            if (value := subject.first(selector)) and (time := parse_date(value)) is not None
        ),
        None,
    )
    times = subject.once(_received_times)
    if sent is None or not times:
        return 0.0
    shifts = [sent - time for time in times]
    if len(shifts) > 1 and shifts[-1] == 0:
        shifts.pop()  # The first hop copied the date: that says nothing.
    return min(shifts, key=abs)


def _received_times(subject: Subject) -> list[float]:
    """The dates of Received, newest first, without what a fetchmail on this machine added."""
    fields = subject.values("Received")
    local: list[str] = []
    if fields and _FETCHED.search(fields[0]):
        local.append(fields.pop(0))
    if fields and _FETCHMAIL.search(fields[0]):
        fields.pop(0)
    else:
        fields = local + fields
    found = [_IN_RECEIVED.search(field) for field in fields]
    times = [parse_date(match[1]) for match in found if match]
    return [time for time in times if time is not None]
