"""The compiled kernel reads a header section as plain Python does, and no octet astray."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.mime import header_block, kernel
from lazaret.mime.header_section import HeaderSection, regular, regular_plain

needs_kernel = pytest.mark.skipif(not kernel.header, reason="the kernel is not compiled: gcc, python3-dev")

PIECES = [
    *(b"Received:", b"from", b"a", b":", b": ", b"X-Spam-Level: ", b"x-spam", b"=?", b"=", b"?", b"\xe9"),
    *(b"\n", b"\r\n", b"\n ", b"\r\n\t", b"\r", b" ", b"\t", b"\v", b"\n\n", b"\r\n\r\n", b"--", b"\0"),
    *(b"To: one\n", b"to: two\r\n", b"Subject: =?utf-8?q?=C3=BC?=\n three\n", b"B" * 300, b"b" * 5000),
]


def shown(section: HeaderSection | None) -> list[object] | None:
    if section is None:
        return None
    written = [*(name.decode("latin-1") for name in section.written_names), "subject", "TO", "\u212a", "none"]
    return [
        *(section.body_start, section.crlf, section.missing_separator, section.truncated, section.whole),
        *(section.names, set(section.present), section.fields, section.spans, section.raw_fields()),
        *(section.decoded(place) for place in range(len(section.names))),
        *(section.all_text("x-spam-", 9_999), section.all_text("to", 1_000_000), section.all_text("a", 40)),
        *((name in section, section.values(name), section.decoded_values(name)) for name in written),
        *((section.last_decoded(name), section.named(name)) for name in written),
        *((list(section.places(name.lower())), section.text(name.lower())) for name in written),
    ]


@needs_kernel
@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=4)).map(b"".join),
    st.integers(0, 9),
    st.integers(-9, 9),
    st.booleans(),
    st.sampled_from([3, 10_000]),
)
def test_the_same_with_and_without_it(raw: bytes, start: int, limit: int, crlf: bool, lines: int) -> None:
    limit = limit if limit > 0 else len(raw) + limit
    plain = regular_plain(raw, start, limit, crlf=crlf, most_lines=lines)
    compiled = regular(raw, start, limit, crlf=crlf, most_lines=lines)
    assert shown(plain) == shown(compiled)


@needs_kernel
def test_what_is_near_a_limit_is_the_same() -> None:
    for name, value, line_end in (
        (size, length, end)
        for size in (255, 256, 257)
        for length in (7_930, 7_933, 7_934, 7_935, 7_936)
        for end in (b"\n", b"\r\n")
    ):
        raw = b"n" * name + b":" + b"v" * value + line_end + b"To: b" + line_end * 2
        plain = regular_plain(raw, 0, len(raw), crlf=True, most_lines=100)
        assert shown(plain) == shown(regular(raw, 0, len(raw), crlf=True, most_lines=100))


@needs_kernel
def test_there_is_no_field_beyond_the_last() -> None:
    section = regular(b"A: b\n\n", 0, 6, crlf=False)
    assert section is not None
    for place in (-1, 1, 2**62):
        with pytest.raises(IndexError):
            section.decoded(place)


@needs_kernel
def test_a_section_comes_from_nowhere_but_the_octets() -> None:
    section = regular(b"A: b\n\n", 0, 6, crlf=False)
    with pytest.raises(TypeError):
        type(section)()
    with pytest.raises(TypeError):
        kernel.header.read(dict, b"A: b\n\n", 0, 6, False, 9, 9, 9)


@pytest.mark.parametrize("start", [-1, 7, 2**60])
def test_nothing_is_read_outside_the_octets(start: int) -> None:
    assert regular(b"A: b\n\n", start, 2**60, crlf=False) is None


def test_a_white_run_is_one_that_begins_with_a_line_end() -> None:
    for text, expected in (
        *(
            (b"\n" * 20, True),
            (b"\n" * 19, False),
            (b" " * 30 + b"\n" * 19, False),
            (b"a\n" + b" " * 19, True),
        ),
        *(
            (b"x" * 33 + b"\t" * 9 + b"\n" + b"\v" * 19 + b"x", True),
            (b"", False),
            (b"\n" * 19 + b"x\n", False),
        ),
    ):
        for before in range(25):
            assert expected == header_block.has_white_run(b"x" * before + text, 20), (before, text)


@needs_kernel
@given(st.lists(st.sampled_from([b"\n", b" ", b"\t\r\f\v", b"x", b"\n" * 18])).map(b"".join))
def test_white_runs_are_the_same_with_and_without_it(text: bytes) -> None:
    assert header_block.has_white_run_plain(text, 20) == header_block.has_white_run(text, 20)


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"a line", b"\x00"]), max_size=12).map(b"".join)
)
def test_line_ends_become_lf_from_any_place_on(octets: bytes) -> None:
    for start in range(len(octets) + 1):
        assert octets[start:].replace(b"\r\n", b"\n") == header_block.with_lf(octets, start)


@needs_kernel
def test_a_place_outside_is_refused() -> None:
    for start in (-1, 4):
        with pytest.raises(ValueError, match="no place"):
            kernel.header.lf(b"abc", start)
