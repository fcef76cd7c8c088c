"""Addresses between brackets, friendly and hostile."""

import time

import pytest

from lazaret.wire.paths import decode, encode, is_sendable, parse_path


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("<a@b>", ("a@b", "")),
        ("<>", ("", "")),
        (" <a@b> SIZE=1", ("a@b", "SIZE=1")),
        ("a@b SIZE=1", ("a@b", "SIZE=1")),
        ("<@r1,@r2:a@b>", ("a@b", "")),
        ('<"a>b c"@d>', ('"a>b c"@d', "")),
        ('<"a\\"b"@d>', ('"a\\"b"@d', "")),
        ("<a\\ b@d>", ("a\\ b@d", "")),
        ("", None),
        ("  ", None),
        ("<a@b", None),
        ("<a@b>x", None),
        ('<"a@b>', None),
        ("<a@b\\>", None),
    ],
)
def test_a_path_is_parsed(text: str, parsed: tuple[str, str] | None):
    assert parsed == parse_path(text)


@pytest.mark.parametrize(
    "address", ["a@b>", "a b@c", "a\r@b", "a\n@b", "a\0@b", "a\x7f@b", '"a@b', "a\\", "<a@b"]
)
def test_what_would_be_read_otherwise_is_not_sendable(address: str):
    assert not is_sendable(address)


@pytest.mark.parametrize(
    "text", ['<"' + "\\a" * 500_000, "<" + '""' * 500_000, "<" + "a" * 1_000_000, " " * 1_000_000]
)
def test_a_hostile_path_is_linear(text: str):
    start = time.process_time()
    parse_path(text)
    is_sendable(text)

    assert time.process_time() - start < 1


def test_octets_survive():
    assert b"\xe4\xc3\xa4" == encode(decode(b"\xe4\xc3\xa4"))
    assert b"a?" == encode("a\ud800")
