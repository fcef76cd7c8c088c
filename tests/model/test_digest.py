"""When a digest is due: on the reader's clock, without drift, and once for all that was missed."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lazaret.model.digest import Interval, Told, Wish

BERLIN = "Europe/Berlin"
DAILY = Wish(hours=(7, 16), time_zone=BERLIN)


def at(text: str, zone: str = BERLIN) -> float:
    """The moment that a clock on the wall of this zone shows."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-02-04 07:00", "2026-02-04 07:00"),
        ("2026-02-04 06:59", "2026-02-03 16:00"),
        ("2026-02-04 15:59", "2026-02-04 07:00"),
        ("2026-02-04 23:59", "2026-02-04 16:00"),
    ],
)
def test_the_last_moment_is_the_last_full_hour_that_was_chosen(now: str, due: str):
    assert at(due) == DAILY.last_due(at(now))


def test_a_weekly_digest_comes_on_monday_and_one_for_workdays_not_on_sunday():
    sunday = at("2026-02-08 12:00")
    assert at("2026-02-02 16:00") == Wish(Interval.WEEKLY, (7, 16), BERLIN).last_due(sunday)
    assert at("2026-02-06 16:00") == Wish(Interval.WORKDAYS, (7, 16), BERLIN).last_due(sunday)
    assert at("2026-02-09 07:00") == Wish(Interval.WEEKLY, (7, 16), BERLIN).next_due(sunday)


def test_just_before_its_hour_a_weekly_digest_is_due_for_the_week_before():
    monday = at("2026-02-09 06:59")
    assert at("2026-02-02 07:00") == Wish(Interval.WEEKLY, (7,), BERLIN).last_due(monday)


def test_who_wants_none_is_never_due():
    for wish in (Wish(Interval.NEVER), Wish(hours=())):
        assert (None, None) == (wish.last_due(at("2026-02-04 12:00")), wish.next_due(at("2026-02-04 12:00")))


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"])
def test_it_is_the_hour_on_the_wall_when_the_clocks_change(day: str):
    assert at(f"{day} 07:00") == DAILY.last_due(at(f"{day} 09:00"))


def test_there_is_one_moment_a_day_in_every_zone_over_the_whole_year():
    for zone in (BERLIN, "Pacific/Apia", "Asia/Kolkata", "America/St_Johns", "UTC"):
        wish = Wish(hours=(2,), time_zone=zone)
        moment, count = at("2025-12-31 12:00", zone), 0
        while (following := wish.next_due(moment)) is not None and following < at("2027-01-01 00:00", zone):
            assert 22 * 3600 <= following - moment <= 26 * 3600 or count == 0
            assert following == wish.last_due(following)
            moment, count = following, count + 1
        assert 365 == count


def test_a_zone_that_the_machine_lost_stops_nobody():
    assert Wish(time_zone="Mars/Olympus").last_due(at("2026-02-04 12:00")) is not None


def test_viruses_are_told_of_only_to_those_who_ask():
    assert [True, True, False] == [Wish().tells_of(letter) for letter in "SBV"]
    assert Wish(categories=(Told.VIRUS,)).tells_of("V")
