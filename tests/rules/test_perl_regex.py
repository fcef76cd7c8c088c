"""Perl's regular expressions: the tree, and the spellings that engines lack."""

import pcre2
import pytest

from lazaret.rules.perl_regex import Chars, RegexError, dialect, parse


def octets(source: bytes, modifiers: str = "") -> bytes:
    node = parse(source, modifiers)
    assert isinstance(node, Chars)
    return bytes(octet for octet in range(256) if node.mask >> octet & 1)


@pytest.mark.parametrize(
    ("source", "modifiers"),
    [
        (rb"[a-c]", ""),
        (rb"[^a-c]", "i"),
        (rb"[a-cX]", "i"),
        (rb"[]a]", ""),
        (rb"[\w-]", ""),
        (rb"[a\-z]", ""),
        (rb"[\x41-\x43\d]", ""),
        (rb"[[:alpha:][:^digit:]]", ""),
        (rb"[\]\\^]", ""),
        (rb"\W", ""),
        (rb".", ""),
        (rb".", "s"),
        (rb"\x{e4}", "i"),
        (rb"\101", ""),
        (rb"\h", ""),
        (rb"(?i:k)", ""),
        (rb"\e", ""),
        (rb"\/", ""),
        (rb"[\s\S]", ""),
        (rb" z", "x"),
    ],
)
def test_a_set_holds_the_octets_that_pcre2_matches(source: bytes, modifiers: str) -> None:
    prefix = f"(?{modifiers})".encode() if modifiers else b""
    engine = pcre2.compile(rb"\A(?:" + prefix + dialect(source) + rb")\z")
    expected = bytes(o for o in range(256) if engine.search(bytes([o])))
    assert expected == octets(source, modifiers)


@pytest.mark.parametrize(
    "source", [b"(a", b"a)", b"[a", b"*a", b"(?<x", b"\\", b"[z-a]", b"(?Rx)", b"[[:nope:]]", b"\\p{L}"]
)
def test_what_is_malformed_or_unknown_is_refused(source: bytes) -> None:
    with pytest.raises(RegexError):
        parse(source)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(RegexError):
        parse(b"(" * 100_000 + b")" * 100_000)


@pytest.mark.parametrize(
    ("expected", "source"),
    [
        (rb"\x0a\x41", rb"\x{a}\x{41}"),
        (rb"a{0,3}", rb"a{,3}"),
        (rb"[{,3}]", rb"[{,3}]"),
        (rb"[\x41]", rb"[\x{41}]"),
        (rb"(?i)x", rb"(?aa)(?i)x"),
        (rb"(?:x)", rb"(?aa:x)"),
        (rb"(?i-msx:x)", rb"(?^aai:x)"),
        (rb"\\x{41}", rb"\\x{41}"),
    ],
)
def test_spellings_of_perl_are_rewritten(expected: bytes, source: bytes) -> None:
    assert expected == dialect(source)
