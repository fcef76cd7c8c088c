"""Dates that do not fit together: Date against Received, Received against the one above it."""

import re
from calendar import monthrange
from datetime import UTC, datetime
from itertools import pairwise

from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import number, within

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY_FIRST = re.compile(rf" (\d+) {_MONTH} (\d{{4}}) ")
_MONTH_FIRST = re.compile(rf" {_MONTH} +(\d+) (?=\d+:\d+:\d+ (\d{{4}}) )")
_SHORT_YEAR = re.compile(rf" (\d+) {_MONTH} (\d{{2,3}}) ")
_CLOCK = re.compile(r" (\d?\d):(\d\d)(?::(\d\d))? ")
_OFFSET = re.compile(r" ([-+])(\d\d)(\d\d) ")
_ZONE = re.compile(r"\b([A-Z]{2,4}(?:-DST)?)\b")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ZONES = {
    **dict.fromkeys(["GMT", "UT", "UTC", "WET"], 0),
    **{"NDT": -2.5, "NST": -3.5, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5},
    **{
        "MST": -7,
        "MDT": -6,
        "PST": -8,
        "PDT": -7,
        "HST": -10,
        "AKST": -9,
        "AKDT": -8,
        "HADT": -9,
        "HAST": -10,
    },
    **{"BST": 1, "IST": 1, "WEST": 1, "CET": 1, "MET": 1, "MEZ": 1, "CEST": 2, "MEST": 2, "MESZ": 2},
    **{"EET": 2, "EEST": 3, "MSK": 3, "MSD": 4, "BRT": -3, "BRST": -2},
    **{"AEST": 10, "AEDT": 11, "ACST": 9.5, "ACDT": 10.5, "AWST": 8},
}
_YEARS = (1970, 2037)
_IN_RECEIVED = re.compile(r"(\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+)")
_FETCHED = re.compile(r"\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)|qmail \d+ invoked by uid \d+")
_FETCHMAIL = re.compile(r"\bby localhost with \w+ \(fetchmail-[\d.]+")
_HOUR = 3600
_MONTH_SECONDS = 31_556_952 / 12


def parse_date(text: str) -> float | None:
    """Seconds since 1970 of a date as mail has them, read as SpamAssassin does; None when it is none.

    What cannot be is bent to what can: 25 o'clock is 23, the 31st of June the first of July.
    """
    line = f" {' '.join(text.replace(',', ' ').split())} "
    folded = line.lower()
    found = _DAY_FIRST.search(folded)
    if found:
        day, month, year = found.groups()
    elif found := _MONTH_FIRST.search(folded):
        month, day, year = found.groups()
    elif found := _SHORT_YEAR.search(folded):
        day, month, year = found.groups()
    else:
        return None
    rest = f"{line[: found.start()]} {line[found.end() :]}"
    clock = _CLOCK.search(rest)
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    if not day.strip("0"):
        return None
    midnight = _midnight(_full_year(year), _MONTHS.index(month) + 1, int(day[:4]))
    local = midnight + 3600 * min(hour, 23) + 60 * min(minute, 59) + min(second, 59)
    if clock:
        rest = f"{rest[: clock.start()]} {rest[clock.end() :]}"
    return max(0.0, local - _offset(rest))


def _full_year(digits: str) -> int:
    """Two and three digits as RFC 5322, section 4.3, has them."""
    year = int(digits)
    if len(digits) == 2 and year < 50:
        year += 2000
    elif len(digits) < 4:
        year += 1900
    return min(max(year, _YEARS[0]), _YEARS[1])


def _midnight(year: int, month: int, day: int) -> float:
    if day > monthrange(year, month)[1]:
        day, month = 1, month + 1
    if month > 12:
        year, month = year + 1, 1
    return datetime(year, month, day, tzinfo=UTC).timestamp()


def _offset(text: str) -> float:
    """Seconds east of Greenwich; a zone that is not known counts as Greenwich."""
    numeric = _OFFSET.search(text)
    if numeric:
        seconds = (int(numeric[2]) * 60 + int(numeric[3])) * 60
        return -seconds if numeric[1] == "-" else seconds
    named = _ZONE.search(text)
    return 3600 * _ZONES.get(named[1], 0) if named else 0


@eval_function("check_for_shifted_date")
def shifted_date(subject: Subject, low: str, high: str) -> int:
    """Date is so many hours after (negative: before) the time at which the message was handed over."""
    return within(subject.once(_shift) / _HOUR, low, high)


@eval_function("received_within_months")
def received_within_months(subject: Subject, low: str, high: str) -> int:
    """It was handed over so many months ago, as far as its dates agree."""
    sent, times = subject.once(_sent), subject.once(_received_times)
    dates = [time for time in (sent, *times[:1]) if time is not None]
    if sent is not None and times:
        dates.append(sent - subject.once(_shift))
    dates.sort(reverse=True)
    age = subject.now - (dates[(len(dates) - 1) // 2] if dates else 0)
    return within(age / _MONTH_SECONDS, low, high)


@eval_function("lz_received_backwards")
def received_backwards(subject: Subject, hours: str) -> str:
    """Some hand-over is dated later than the one after it by more than so many hours."""
    times = subject.once(_received_times)
    for newer, older in pairwise(times):
        if older - newer > number(hours) * _HOUR:
            return f"{(older - newer) / _HOUR:.0f} hours"
    return ""


def _sent(subject: Subject) -> float | None:
    """The time in Resent-Date or Date."""
    return next(
        (
            time
            for selector in ("Resent-Date", "Date")
            for value in subject.values(selector)
            if (time := parse_date(value)) is not None
        ),
        None,
    )


def _shift(subject: Subject) -> float:
    """Seconds from the nearest hand-over to Date; 0 when either is missing."""
    sent, times = subject.once(_sent), subject.once(_received_times)
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
