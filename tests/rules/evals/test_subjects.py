"""Subjects on a list."""

from collections.abc import Callable

Call = Callable[..., float | str]


def test_part_of_a_subject_is_enough(call: Call) -> None:
    raw = b"Subject: [Announce] New release 4.0\n\n\n"
    settings = {"welcomelist_subject": ("[announce]*RELEASE ?.0",)}
    assert call(raw, "check_subject_in_welcomelist", settings=settings)
    assert not call(raw, "check_subject_in_blocklist", settings=settings)
    assert not call(b"Subject: Announce release 40\n\n\n", "check_subject_in_welcomelist", settings=settings)
