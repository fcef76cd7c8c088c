"""A header section as one text."""

from lazaret.mime import header_text, headers

HEADER = headers.parse(
    b"X-Top: 1\r\nReceived: a\r\n by b\r\nReceived: c\r\n"
    b"X-Spam-Flag: NO\r\nSubject:  =?utf-8?q?x=C3=BC?=\r\n\r\nbody"
)


def test_fields_are_decoded_and_on_one_line_without_what_another_filter_thought() -> None:
    assert [
        b"X-Top: 1\n",
        b"Received: a by b\n",
        b"Received: c\n",
        "Subject: xü\n".encode(),
    ] == header_text.lines(HEADER, raw=False)


def test_raw_fields_are_as_they_came() -> None:
    assert b"Received: a\r\n by b\r\n" == header_text.lines(HEADER, raw=True)[1]


def test_the_received_at_the_boundary_is_on_both_sides() -> None:
    lines = header_text.lines(HEADER, raw=False)
    assert lines[:3] == header_text.above(lines, 1)
    assert lines[2:] == header_text.below(lines, 1)


def test_without_a_boundary_everything_is_ours() -> None:
    lines = header_text.lines(HEADER, raw=False)
    assert (lines, []) == (header_text.above(lines, 2), header_text.below(lines, 2))


def test_a_huge_header_section_is_cut() -> None:
    header = headers.parse(b"X: %b\n" % (b"a" * 8000) * 100 + b"\n")
    assert sum(map(len, header_text.lines(header, raw=False))) <= header_text.LENGTH_LIMIT
