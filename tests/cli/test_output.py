"""Tables and text that no message can spoil."""

import json
import sys

import pytest

from lazaret.cli.output import plain, print_json, print_octets, table


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x07", "\r", "\n", "\t", "\x9b31m", "\u202e", "\u2066", "\ud800", "\u2028", "\x7f", "\x85"],
)
def test_nothing_that_a_terminal_acts_on_is_printed(hostile):
    assert f"a{'�' * len(hostile)}b" == plain(f"a{hostile}b") or plain(f"a{hostile}b").isprintable()
    assert plain(f"a{hostile}b").isprintable()


def test_text_in_any_script_stays_as_it_is():
    for text in ("Grüße", "発票", "שלום", "😀", ""):
        assert text == plain(text)


def test_columns_are_as_wide_as_their_longest_cell():
    rows = [("xxx", "1"), ("y", "22")]

    assert "A    BB\nxxx   1\ny    22" == table(("A", "BB"), rows, right=(1,))


def test_wide_characters_count_twice_and_combining_marks_not():
    lines = table(("A", "B"), [("発票", "1"), ("abcd", "2"), ("e\u0301e\u0301", "3")]).split("\n")

    assert ["A     B", "発票  1", "abcd  2", "e\u0301e\u0301    3"] == lines


def test_json_keeps_the_octets_of_a_file_name(capfdbinary):
    print_json({"file": b"caf\xe9.eml".decode("utf-8", "surrogateescape")})
    import sys

    sys.stdout.flush()

    assert b'{"file": "caf\xe9.eml"}\n' == capfdbinary.readouterr().out


def test_half_a_surrogate_pair_is_escaped(capfdbinary):
    print_json({"subject": "\ud83d"})
    import sys

    sys.stdout.flush()

    assert {"subject": "\ud83d"} == json.loads(capfdbinary.readouterr().out)


def test_json_has_nothing_that_a_terminal_acts_on_and_means_the_same(capfdbinary):
    hostile = "a\x1b[2Jb\x9b2Jc\x7fd\u202ee\u2028f\r\n"
    print_json({"subject": hostile})
    octets = capfdbinary.readouterr().out
    assert {"subject": hostile} == json.loads(octets)
    assert octets[:-1].decode().isprintable()


def test_octets_are_exact_in_a_pipe_and_harmless_on_a_terminal(capfdbinary, monkeypatch):
    hostile = b"Subject: \x1b]0;owned\x07\r\n\tx\xff \xc2\x9b2J\r\n"
    print_octets(hostile)
    sys.stdout.flush()
    assert hostile == capfdbinary.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_octets(hostile)
    assert "Subject: \ufffd]0;owned\ufffd\n    x\ufffd \ufffd2J\n".encode() == capfdbinary.readouterr().out
