"""Line ends, chunks and the prefix of amavisd."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.store import text

OCTETS = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"a", b"\0", b"\xff"])).map(b"".join)


@given(OCTETS, OCTETS)
def test_what_is_stored_comes_back_octet_by_octet(prefix: bytes, message: bytes) -> None:
    stored, line_ends = text.to_stored(prefix + message)
    length = len(prefix) - (prefix.count(b"\r\n") if line_ends == text.AS_LF else 0)
    # A prefix is made of whole lines; between a CR and its LF there is no place to cut.
    if prefix.endswith(b"\r") and message.startswith(b"\n"):
        length = len(text.to_stored(prefix)[0])
        assert prefix + message == text.from_stored(stored, line_ends, 0).octets
        return
    found = text.from_stored(stored, line_ends, length)
    assert (prefix + message, len(prefix)) == (found.octets, found.prefix)


@given(st.binary(max_size=40_000))
def test_chunks_put_together_are_the_text(stored: bytes) -> None:
    chunks = list(text.chunks(stored))
    assert stored == b"".join(octets for _, octets in chunks)
    assert list(range(1, len(chunks) + 1)) == [number for number, _ in chunks]


@pytest.mark.parametrize(
    ("stored", "prefix"),
    [
        (b"Subject: none\n\nx", 0),
        (b"X-Envelope-From: <>\nSubject: x\n", 20),
        (b"x-spam-anything: 1\n\tfolded\nX-CRM114-Status: y\nFrom: z\n", 46),
        (b"Return-Path: <a@b>\nDelivered-To: x\nX-Amavis-Alert: y\nX-Amavis-Else: z\n", 53),
        (b"X-Spam-Flag YES\n", 0),
        (b"", 0),
    ],
)
def test_the_prefix_ends_with_the_last_known_field(stored: bytes, prefix: int) -> None:
    assert prefix == text.amavis_prefix(stored)


def test_a_last_newline_that_amavisd_left_out_is_there_again() -> None:
    assert b"Subject: x\r\n\r\nend\r\n" == text.from_amavis(b"Subject: x\n\nend").octets


@pytest.mark.parametrize(
    "hostile",
    [
        b"X-Spam-" * 200_000,
        b"X-Spam-A:\n" * 150_000,
        b"X-Spam-A:" + b"\n " * 700_000,
        b"Return-Path " * 100_000,
    ],
)
def test_a_megabyte_of_prefix_is_read_in_under_a_second(hostile: bytes) -> None:
    start = time.process_time()
    text.amavis_tests(text.from_amavis(hostile).octets)
    text.amavis_tests(b"X-Spam-Status: tests=[" + b"A=1," * 300_000 + b"]")
    assert time.process_time() - start < 1
