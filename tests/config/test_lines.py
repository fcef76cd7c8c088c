"""The line of each key: for every TOML document that there is, or the error would send people astray."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.config.lines import key_lines, line_of


def test_each_key_has_its_line():
    document = "a = 1\n\n# comment\n[b]\nc = 2\nd.e = 3\n"

    assert {("a",): 1, ("b",): 4, ("b", "c"): 5, ("b", "d"): 6, ("b", "d", "e"): 6} == key_lines(document)


@pytest.mark.parametrize(
    "value",
    [
        '"""\n[b]\nkey = 1\n"""',
        "'''\n[b]\nkey = 1\n'''",
        '"""a\\"""\nkey = 1"""',
        '"""quotes at the end"""""',
        "'''it''s\n''''",
        '[\n  1, # ]\n  "]", \n  [2],\n]',
        '"# no comment"',
        "'[b]'",
        '"a\\\\"',
        "{ key = 1, b = [1,\n 2] }",
        "1979-05-27T07:32:00Z",
        "-1_000.5e6",
    ],
)
def test_a_value_is_never_taken_for_a_key(value):
    document = f"before = 0\nvalue = {value} # key = 2\nkey = 3\n"
    assert {"before", "value", "key"} == set(tomllib.loads(document))

    lines = key_lines(document)

    assert {("before",): 1, ("value",): 2, ("key",): 3 + value.count("\n")} == lines


def test_quoted_keys_are_read_as_toml_reads_them():
    document = '"a.b" = 1\n\'c"d\' = 2\n[ "e\\u0041" . f ]\n"g]" = 3\n'

    lines = key_lines(document)

    assert {("a.b",): 1, ('c"d',): 2, ("eA",): 3, ("eA", "f"): 3, ("eA", "f", "g]"): 4} == lines


def test_lines_of_windows_count_the_same():
    assert {("a",): 1, ("b",): 2} == key_lines("a = 1\r\nb = 2\r\n")


def test_a_table_that_comes_after_its_child_has_its_own_line():
    assert 2 == key_lines("[a.b]\n[a]\nc = 1\n")["a",]


def test_a_key_of_an_inline_table_stands_where_the_table_does():
    assert 2 == line_of(key_lines("x = 0\nlevels = { mark = 3 }\n"), ("levels", "mark"))


def test_a_key_that_is_nowhere_has_no_line():
    assert 0 == line_of({}, ("a",))


VALUES = st.sampled_from(
    [
        "1",
        "true",
        '"x"',
        "'#'",
        '"""\n# x\n[t]\nk = 1\n\\""""',
        "'''\n\nk1 = 2'''",
        "[\n1,\n2]",
        '["]",\n"}"]',
        "[[], [\n]]",
    ]
)
FILLER = st.sampled_from(["", "\n", "# [t]\n", "  # k = '''\n\n"])


@given(st.lists(st.tuples(FILLER, st.booleans(), VALUES, FILLER), max_size=20))
def test_any_document_gives_the_lines_it_was_written_with(rows):
    """The document is composed row by row, so that each line is known without a parser."""
    document, expected, table = "", {}, ()
    for number, (before, is_table, value, after) in enumerate(rows):
        document += before
        line = document.count("\n") + 1
        if is_table:
            table = (f"t{number}",)
            expected[table] = line
            document += f"[t{number}] # k = 1\n"
        else:
            expected[(*table, f"k{number}")] = line
            document += f"  k{number}={value}\n{after}"
    tomllib.loads(document)

    assert expected == key_lines(document)
