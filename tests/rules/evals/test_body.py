"""The text as a whole."""

from collections.abc import Callable

from lazaret.mime import message
from lazaret.rules.evals import Settings, Subject, functions
from lazaret.rules.views import HeaderValues

Call = Callable[..., float | str]

ALTERNATIVE = (
    b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n%s\n--b\n"
    b"Content-Type: text/html\n\n<p>%s</p>\n--b--\n"
)


def test_a_short_body_is_seen(call: Call) -> None:
    assert call(b"Subject: s\n\n12345\n", "check_body_length", "6")
    assert not call(b"Subject: s\n\n12345\n", "check_body_length", "5")


def test_alternatives_that_differ_are_seen(call: Call) -> None:
    name = "multipart_alternative_difference"
    assert call(ALTERNATIVE % (b"one two", b"three four"), name, "99", "100")
    assert not call(ALTERNATIVE % (b"one two", b"one two"), name, "99", "100")
    assert call(ALTERNATIVE % (b"a b c d", b"a"), name + "_count", "3", "0")


def test_blank_lines_are_measured(call: Call) -> None:
    raw = b"Subject: s\n\n" + b"x\n\n\n" * 6
    assert call(raw, "check_blank_line_ratio", "60", "90", "4")
    assert not call(raw, "check_blank_line_ratio", "90", "100", "4")


def test_letters_with_blanks_between_are_seen(call: Call) -> None:
    assert call(b"Subject: s\n\nv i a g r a n o w\n", "tvd_vertical_words", "80", "100")
    assert not call(b"Subject: s\n\nnothing special here\n", "tvd_vertical_words", "80", "100")
    assert not call(b"Subject: s\n\nnothing special here\n", "tvd_vertical_words", "0", "10")
    assert call(b"Subject: s\n\nwithoutanyblank\n\nhere\n", "tvd_vertical_words", "0", "10")


def test_the_range_of_one_rule_does_not_hide_a_line_from_another() -> None:
    parsed = message.parse(b"Subject: s\n\nnothing special here\n\nv i a g r a n o w\n")
    subject = Subject(parsed, Settings({}), HeaderValues(parsed), 0.0)
    blanks = functions()["tvd_vertical_words"]
    tests = [blanks.prepare(subject.settings, *ends) for ends in (("0", "10"), ("80", "100"))]
    found = subject.once(blanks.question)
    assert [False, True] == [test is not None and test(found) for test in tests]
