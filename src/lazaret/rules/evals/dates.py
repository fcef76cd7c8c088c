"""Dates that do not fit together: Date against Received, Received against the one above it."""

import math
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from lazaret.rules.evals import Settings, Subject, Test, eval_test
from lazaret.rules.evals.ranges import number, within

_USUAL = re.compile(
    r"\s*(?:[A-Za-z]{3}(?:, *| +))?([0-9]{1,2} +[A-Z][a-z]{2} +[0-9]{4})"
    r" +([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) +([-+][0-9]{4})(?: +\([A-Z]{3,4}\))?\s*"
)
"""As RFC 5322 has it, and nearly every program. What else dates look like takes ten times as long to read."""
_USUAL_END = re.compile(
    r"\s(?:[A-Za-z]{3}, +)?([0-9]{1,2} [A-Z][a-z]{2} [0-9]{4})"
    r" ([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) ([-+][0-9]{4})(?!\S)"
)
"""What follows the last semicolon of nearly every Received field."""
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
_MONTH_NUMBERS = {month.capitalize(): number for number, month in enumerate(_MONTHS, 1)}
_YEARS = (1970, 2037)
_EPOCH = date(1970, 1, 1).toordinal()
_IN_RECEIVED = re.compile(r"(\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+)")
_FETCHED = re.compile(r"\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)|qmail \d+ invoked by uid \d+")
_SIGNS_OF_FETCHING = ("localhost", "127.0.0.1", "qmail")
_FETCHMAIL = re.compile(r"\bby localhost with \w+ \(fetchmail-[\d.]+")
"""All that either expression matches has one of the signs in it."""
_FIRST_FIELDS = 3
_HOUR = 3600
_MONTH_SECONDS = 31_556_952 / 12


def parse_date(text: str) -> float | None:
    """Seconds since 1970 of a date as mail has them, read as SpamAssassin does; None when it is none.

    What cannot be is bent to what can: 25 o'clock is 23, the 31st of June the first of July.
    """
    usual = _USUAL.fullmatch(text)
    time = _usual_time(usual) if usual else None
    return _any_time(text) if time is None else time


def _usual_time(found: re.Match[str]) -> float | None:
    """None for a day that does not exist."""
    day, hour, minute, second, zone = found.groups()
    midnight = _usual_midnight(day)
    if midnight is None:
        return None
    return max(0.0, midnight + 3600 * int(hour) + 60 * int(minute) + int(second) - _usual_offset(zone))


@lru_cache(maxsize=1024)
def _usual_midnight(written: str) -> float | None:
    """Of `1 Jan 2000`. A message is on its way on one day as a rule, or on two."""
    day, month, year = written.split()
    if month not in _MONTH_NUMBERS or not _YEARS[0] <= int(year) <= _YEARS[1]:
        return None
    try:
        return 86400.0 * (date(int(year), _MONTH_NUMBERS[month], int(day)).toordinal() - _EPOCH)
    except ValueError:
        return None


@lru_cache(maxsize=128)
def _usual_offset(zone: str) -> int:
    """Seconds east of Greenwich."""
    seconds = 3600 * int(zone[1:3]) + 60 * int(zone[3:])
    return -seconds if zone[0] == "-" else seconds


def _any_time(text: str) -> float | None:
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


class Shift(NamedTuple):
    """How far Date is from the hand-over that is nearest to it."""

    most: float
    """Hours from the last hand-over, which is not the nearest one perhaps. Most messages are on their way for
    less time than any rule looks for: their other hand-overs need not be read."""
    subject: Subject

    @property
    def hours(self) -> float:
        """From the nearest hand-over to Date; 0 when either is missing."""
        return self.subject.once(_hours)


class _Nearest:
    """Hours from 0 to where the range of some rule begins: of less, no rule wants to know."""

    def __init__(self, _settings: Settings) -> None:
        self.hours = math.inf


def _shift(subject: Subject) -> Shift | None:
    """None when no rule wants to know, as of nearly all mail."""
    sent, last = subject.once(_sent), _newest(subject)
    most = 0.0 if sent is None or last is None else abs(sent - last) / _HOUR
    return Shift(most, subject) if most >= subject.settings.once(_Nearest).hours else None


def _newest(subject: Subject) -> float | None:
    """The first of `_times`; one of the first fields has it as a rule, and the others need not be read."""
    first = b"\n".join(subject.header("Received").split(b"\n", _FIRST_FIELDS)[:_FIRST_FIELDS])
    fields = first.decode("utf-8", "replace").split("\n")
    for field in _hand_overs(tuple(map(str.strip, fields))):
        time = _time_in_received(field)
        if time is not None:
            return time
    return next(_times(subject), None)


def _hours(subject: Subject) -> float:
    sent, times = subject.once(_sent), subject.once(_received_times)
    if sent is None or not times:
        return 0.0
    shifts = [sent - time for time in times]
    if len(shifts) > 1 and shifts[-1] == 0:
        shifts.pop()  # The first hop copied the date: that says nothing.
    return min(shifts, key=abs) / _HOUR


def _sent(subject: Subject) -> float | None:
    """When it was sent, or sent on."""
    header = subject.message.header
    for name in ("Resent-Date", "Date"):
        for value in subject.values(name) if name in header else ():
            time = parse_date(value)
            if time is not None:
                return time
    return None


def _age(subject: Subject) -> float:
    """Months since the middle one of the dates that are known."""
    sent, times = subject.once(_sent), subject.once(_received_times)
    dates = [time for time in (sent, *times[:1]) if time is not None]
    if sent is not None and times:
        dates.append(sent - _HOUR * subject.once(_hours))
    dates.sort(reverse=True)
    return (subject.now - (dates[(len(dates) - 1) // 2] if dates else 0)) / _MONTH_SECONDS


def _received_times(subject: Subject) -> list[float]:
    """The dates of Received, newest first."""
    return list(_times(subject))


def _times(subject: Subject) -> Iterator[float]:
    """The same, read as far as is asked for."""
    for field in _hand_overs(subject.values("Received")):
        time = _time_in_received(field)
        if time is not None:
            yield time


def _hand_overs(fields: Sequence[str]) -> Sequence[str]:
    """Without what a fetchmail on this machine added."""
    local = any(map(fields[0].__contains__, _SIGNS_OF_FETCHING)) if fields else False
    begin = 1 if local and _FETCHED.search(fields[0]) else 0
    if "fetchmail-" in "".join(fields[begin : begin + 1]) and _FETCHMAIL.search(fields[begin]):
        return fields[begin + 1 :]
    return fields


def _time_in_received(field: str) -> float | None:
    """The first time in it. Before the last semicolon there is none when there are not even two colons."""
    end = field.rfind(";")
    if end >= 0 and field.count(":", 0, end) < 2:
        usual = _USUAL_END.match(field, end + 1)
        time = _usual_time(usual) if usual else None
        if time is not None:
            return time
    found = _IN_RECEIVED.search(field)
    return parse_date(found[1]) if found else None


@eval_test("check_for_shifted_date", of=_shift)
def shifted_date(settings: Settings, low: str, high: str) -> Callable[[Shift], bool]:
    """Date is so many hours after (negative: before) the time at which the message was handed over."""
    fits = within(low, high)
    begin = -math.inf if low == "undef" else number(low)
    end = math.inf if high == "undef" else number(high)
    nearest = max(begin, -end)
    known = settings.once(_Nearest)
    known.hours = min(known.hours, nearest)
    return lambda shift: shift.most >= nearest and fits(shift.hours)


@eval_test("lz_received_backwards", of=_received_times)
def received_backwards(_settings: Settings, hours: str) -> Callable[[list[float]], str]:
    """Some hand-over is dated later than the one after it by more than so many hours."""
    most = number(hours) * _HOUR

    def backwards(times: list[float]) -> str:
        gaps = (older - newer for newer, older in pairwise(times))
        return next((f"{gap / _HOUR:.0f} hours" for gap in gaps if gap > most), "")

    return backwards


@eval_test("received_within_months", of=_age)
def received_within_months(_settings: Settings, low: str, high: str) -> Test:
    """It was handed over so many months ago, as far as its dates agree."""
    return within(low, high)
