"""The end of a message, and the way back: what is stuffed comes out as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.compiled import load
from lazaret.wire import dot
from lazaret.wire.dot import BareLf, BareLfReceived, DotReader, normalize, stuff

CRLF_TEXT = st.lists(st.sampled_from([b".", b"..", b"a", b"\r", b"\r\n", b"\r\n."]), max_size=30).map(
    b"".join
)


@given(CRLF_TEXT, st.integers(1, 9))
def test_a_stuffed_message_comes_back_as_it_was(text: bytes, step: int):
    text = text if not text or text.endswith(b"\r\n") else text + b"\r\n"
    wire = stuff(text) + b"NOOP\r\n"
    reader = DotReader(0, BareLf.REJECT)
    rest = None
    for at in range(0, len(wire), step):
        rest = reader.feed(wire[at : at + step]) if rest is None else rest + wire[at : at + step]

    assert b"NOOP\r\n" == rest
    assert text == reader.message()


@given(st.lists(st.sampled_from([b".", b"a", b"\r", b"\n", b"\r\n"]), max_size=30).map(b"".join))
def test_what_goes_out_ends_once_and_has_no_bare_lf(text: bytes):
    wire = stuff(text)
    end = (b"\r\n" + wire).find(b"\r\n.\r\n")

    assert len(wire) - len(b".\r\n") == end
    assert wire.count(b"\n") == wire.count(b"\r\n")
    assert b"\n.\n" not in wire


@pytest.mark.parametrize("octets", [b"\n", b"a\n", b"\r\n\n", b"\r\n.\n", b"\n.\r\n.\r\n"])
def test_a_bare_lf_is_refused(octets: bytes):
    with pytest.raises(BareLfReceived):
        DotReader(0, BareLf.REJECT).feed(octets)


def test_a_bare_lf_behind_the_end_is_not_of_this_message():
    assert b"NOOP\n" == DotReader(0, BareLf.REJECT).feed(b"a\r\n.\r\nNOOP\n")


def test_normalize_keeps_bare_cr():
    assert b"a\r\nb\rc\r\r\n\r\n" == normalize(b"a\nb\rc\r\r\n\n")


def test_the_size_counts_doubled_dots_once():
    reader = DotReader(3, BareLf.REJECT)
    reader.feed(b"..1\r\n.\r\n")

    assert reader.oversized
    assert 4 == reader.size


KERNEL = load("lazaret.wire._dot_kernel", 1)


@pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled")
@given(
    st.lists(st.sampled_from([b".", b"a", b"\r", b"\n", b"\r\n", b"\r\n."]), max_size=12).map(b"".join),
    st.integers(0, 16),
    st.integers(0, 40),
)
def test_the_kernel_sees_of_line_ends_what_python_sees(text: bytes, start: int, end: int):
    for octets in (text, bytearray(text)):
        expected = dot._line_ends_in_python(octets, start, end)
        assert expected == KERNEL.line_ends(octets, start, end)


@pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled")
@pytest.mark.parametrize(("start", "end"), [(-1, 99), (99, -1), (99, 99), (-5, -5)])
def test_the_kernel_reads_nothing_beyond_the_octets(start: int, end: int):
    inside = KERNEL.line_ends(b"a\r\n.\n", max(start, 0), min(end, 6))

    assert inside == KERNEL.line_ends(b"a\r\n.\n", start, end)


@pytest.mark.parametrize(
    "line_ends", [dot._line_ends_in_python, *([KERNEL.line_ends] if KERNEL is not None else [])]
)
def test_line_ends_are_looked_at_across_pieces(line_ends):
    assert (False, True) == line_ends(b"a\r\n.", 3, 4)
    assert (False, False) == line_ends(b"a\r\n.", 3, 3)
    assert (False, False) == line_ends(b"a\r\n", 2, 3)
    assert (True, False) == line_ends(b"\n.\r\n", 0, 4)
    assert (False, False) == line_ends(b"\n.\r\n", 1, 4)
