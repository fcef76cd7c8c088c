"""Header fields lie where they lie, whatever the line ends and however bad the lines."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.mime import header_text, headers, words


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_fields_keep_their_offsets_and_folds(end: bytes) -> None:
    raw = end.join([b"From: a@example.org", b"subject :  one", b"\ttwo", b"", b"body"])
    section = headers.parse(raw)
    assert ["From", "subject"] == [field.name for field in section.fields]
    first, second = section.fields
    assert b"From: a@example.org" + end == raw[first.start : first.end]
    assert b" a@example.org" + end == raw[first.value_start : first.end]
    assert b"subject :  one" + end + b"\ttwo" + end == raw[second.start : second.end]
    assert b"body" == raw[section.body_start :]
    assert not section.missing_separator


def test_values_are_found_by_name_in_any_case_and_in_order() -> None:
    section = headers.parse(b"X-A: 1\r\nx-a:\r\n 2\r\nB: 3\r\n\r\n")
    assert [b" 1\n", b"\n 2\n"] == section.values("X-a")
    assert "x-A" in section
    assert "C" not in section
    assert [] == section.values("C")


def test_three_malformed_lines_are_stepped_over_and_the_fourth_is_body() -> None:
    section = headers.parse(b"A: 1\nno colon\nnor this\n\x01bad: x\nB: 2\nfourth\nC: 3\n\nbody\n")
    assert ["A", "\x01bad", "B"] == [field.name for field in section.fields]
    assert section.missing_separator
    assert b"fourth\nC: 3\n\nbody\n" == section.raw[section.body_start :]


def test_a_boundary_line_ends_the_header_even_where_it_looks_like_a_field() -> None:
    section = headers.parse(b"A: 1\n--=part:1\nB: 2\n")
    assert ["A"] == [field.name for field in section.fields]
    assert b"--=part:1\nB: 2\n" == section.raw[section.body_start :]
    assert section.missing_separator


def test_a_header_without_an_end_has_no_body() -> None:
    section = headers.parse(b"A: 1\nB: 2")
    assert 2 == len(section.fields)
    assert len(section.raw) == section.body_start
    assert section.missing_separator


def test_a_line_of_blanks_is_a_fold_and_no_end() -> None:
    section = headers.parse(b"A: 1\n \nB: 2\n\nbody")
    assert [b" 1\n \n"] == section.values("A")
    assert b"body" == section.raw[section.body_start :]


def test_long_values_are_cut_and_told() -> None:
    section = headers.parse(b"A: " + b"x" * 9000 + b"\nB: " + b"x" * 8190 + b"\n\n")
    assert 8192 == len(section.values("A")[0])
    assert section.truncated
    assert not headers.parse(b"B: " + b"x" * 8190 + b"\n\n").truncated


def test_a_header_of_colons_costs_no_memory_without_end() -> None:
    section = headers.parse(b"a:\r\n" * 50_000 + b"\r\nbody")
    assert headers.FIELD_LIMIT == len(section.fields)
    assert section.cut_off
    assert b"body" == section.raw[section.body_start :]


LINES = [
    b"Subject: one\n",
    b"A:\n",
    b" fold\n",
    b"\t\n",
    b" \n",
    b"To:  =?utf-8?q?=C3=BC?= \n",
    b"X: \xe9\r\n",
]
ODD_LINES = [
    b"\n",
    b"\r\n",
    b"no colon\n",
    b"--b: c\n",
    b"B : c\n",
    b": x\n",
    b" : y\r\n",
    b"\r",
    b"C: " + b"z" * 9000,
]


def decoded(section: headers.HeaderSection) -> list[bytes]:
    return [section.decoded(place) for place in range(len(section.names))]


def everything(section: headers.HeaderSection) -> list[object]:
    names = dict.fromkeys(["subject", *section.names])
    return [
        *(section.fields, section.names, list(section.written_names), section.raw_fields()),
        *([section.named(name), section.values(name), section.decoded_values(name)] for name in names),
        *([words.decode(section.value(f), f.name) for f in section.fields], decoded(section)),
        *([section.text(name) for name in names], header_text.whole(section), section.whole),
        *(section.body_start, section.missing_separator, section.crlf, section.cut_off, section.truncated),
    ]


@given(st.lists(st.sampled_from(LINES * 3 + ODD_LINES)).map(b"".join))
def test_a_section_reads_as_it_does_field_by_field(raw: bytes) -> None:
    section = headers.parse(raw)
    assert everything(headers._irregular(raw, 0, section.crlf)) == everything(section)


def test_a_decoded_value_is_what_words_make_of_it() -> None:
    section = headers.parse(b"A: =?utf-8?q?=C3=BC?=\n =?utf-8?q?x?=\nB:\xe9\nC: plain\n\n")
    expected = [words.decode(section.value(field), field.name) for field in section.fields]
    assert expected == decoded(section)
    assert "üx".encode() == section.last_decoded("a")
    assert section.last_decoded("d") is None


@pytest.mark.parametrize("piece", [b"a:\n", b"a:\n ", b"a: \r\n\t", b"a:b:", b"a:\n-", b"a: =?\n"])
def test_a_megabyte_of_header_costs_little(piece: bytes) -> None:
    raw = piece * (1_000_000 // len(piece)) + b"\n\n"
    began = time.process_time()
    section = headers.parse(raw)
    decoded(section)
    header_text.whole(section)
    section.values("a")
    assert time.process_time() - began < 1.0
