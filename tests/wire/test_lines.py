"""Whole lines out of pieces, and none beyond the limit."""

from lazaret.wire.lines import TOO_LONG, Lines


def test_lines_come_whole_with_their_ends():
    lines = Lines(10)
    lines.feed(b"one\r\ntw")
    assert [b"one\r\n", None] == [lines.pop(), lines.pop()]

    lines.feed(b"o\nthree")
    assert [b"two\n", None] == [lines.pop(), lines.pop()]
    assert b"three" == lines.take_all()


def test_a_line_beyond_the_limit_is_told_once_and_the_next_one_is_whole():
    for step in (1, 3, 100):
        lines = Lines(10)
        found = []
        octets = b"123456789\n" + b"x" * 50 + b"\nok\n"
        for at in range(0, len(octets), step):
            lines.feed(octets[at : at + step])
            while (line := lines.pop()) is not None:
                found.append(line)

        assert [b"123456789\n", TOO_LONG, b"ok\n"] == found


def test_what_waits_can_be_thrown_away():
    lines = Lines(5)
    lines.feed(b"too long to keep")
    assert lines.pop() is None
    lines.clear()
    lines.feed(b"ok\n")

    assert b"ok\n" == lines.pop()
