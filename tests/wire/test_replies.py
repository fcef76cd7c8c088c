"""Replies as octets, wrapped and harmless, and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.errors import Reply
from lazaret.wire.replies import MAX_LINES_RECEIVED, ReplyError, ReplyReader, encode


def read(octets: bytes) -> list[Reply]:
    return list(ReplyReader().receive(octets))


def test_a_long_reply_wraps_and_repeats_its_codes():
    octets = encode(Reply(550, "5.7.1", "word " * 300))
    lines = octets.splitlines(keepends=True)

    assert [b"550-5.7.1 word", b"550-5.7.1 word", b"550 5.7.1 word"] == [line[:14] for line in lines]
    assert max(map(len, lines)) <= 512
    assert "word " * 300 == "".join(line[10:-2].decode() for line in lines)


def test_no_character_is_cut_in_two():
    lines = encode(Reply(550, "5.7.1", "ä" * 1000)).splitlines()

    assert 1000 == sum(len(line[10:].decode()) for line in lines)


def test_line_breaks_are_lines_and_controls_are_blanks():
    """Foreign text in a reply must not begin a reply of its own."""
    assert b"250-a\r\n250 b\r\n" == encode(Reply(250, "", "a\nb"))
    assert b"450 4.0.0 a 250 b c\r\n" == encode(Reply(450, "4.0.0", "a\r250 b\x00c"))


@given(st.integers(200, 599), st.text(st.characters(exclude_categories=["Cs"]), max_size=1500))
def test_every_line_of_a_reply_is_short_and_bears_its_code(code: int, text: str):
    lines = encode(Reply(code, f"{code // 100}.0.0", text)).split(b"\r\n")

    assert b"" == lines.pop()
    assert max(map(len, lines)) <= 510
    assert [b"%d-" % code] * (len(lines) - 1) + [b"%d " % code] == [line[:4] for line in lines]
    assert [] == [line for line in lines if b"\n" in line or b"\r" in line]


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250 2.1.5 Ok\r\n", Reply(250, "2.1.5", "Ok")),
        (b"250 2.1.5\r\n", Reply(250, "2.1.5", "")),
        (b"250\r\n", Reply(250, "", "")),
        (b"250 ok\n", Reply(250, "", "ok")),
        (b"550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n", Reply(550, "5.1.1", "a\nb\nc")),
        (b"550 2.1.5 the classes disagree\r\n", Reply(550, "", "2.1.5 the classes disagree")),
        (b"220 2.13.0 is a version, 2.13.0beta is none\r\n", None),
        (b"250 caf\xe9\r\n", Reply(250, "", "caf\udce9")),
    ],
)
def test_replies_are_read(octets: bytes, reply: Reply | None):
    expected = reply or Reply(220, "2.13.0", "is a version, 2.13.0beta is none")

    assert [expected] == read(octets)


def test_replies_that_come_together_or_in_pieces_are_the_same():
    octets = b"250 2.1.0 Ok\r\n250-a\r\n250 b\r\n354 go\r\n"
    expected = [Reply(250, "2.1.0", "Ok"), Reply(250, "", "a\nb"), Reply(354, "", "go")]
    for step in (1, 5, 14, 100):
        reader = ReplyReader()
        pieces = [octets[at : at + step] for at in range(0, len(octets), step)]

        assert expected == [reply for piece in pieces for reply in reader.receive(piece)]
        assert [Reply(250, "2.1.5", "Ok")] * 2 == list(reader.receive(b"250 2.1.5 Ok\r\n" * 2))


def test_an_overlong_line_in_pieces_is_no_reply():
    reader = ReplyReader()
    assert [] == list(reader.receive(b"x" * 9999))
    with pytest.raises(ReplyError):
        list(reader.receive(b"250 2.1.5 Ok\r\n"))


@pytest.mark.parametrize(
    "octets", [b"\r\n", b"hello\r\n", b"25 x\r\n", b"250x\r\n", b"999 x\r\n", b"x" * 9999 + b"\n"]
)
def test_what_is_no_reply_is_an_error(octets: bytes):
    with pytest.raises(ReplyError):
        read(octets)


def test_a_reply_without_end_is_an_error():
    with pytest.raises(ReplyError):
        read(b"250-more\r\n" * (MAX_LINES_RECEIVED + 1))
