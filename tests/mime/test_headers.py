"""Header fields lie where they lie, whatever the line ends and however bad the lines."""

import pytest

from lazaret.mime import headers


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
