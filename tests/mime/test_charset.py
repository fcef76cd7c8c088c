"""Octets become characters in SpamAssassin's order: UTF-8, the declared charset, Windows-1252."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.mime import charset
from lazaret.mime.charset import Text


@pytest.mark.parametrize(
    ("octets", "declared", "characters"),
    [
        (b"caf\xc3\xa9", "iso-8859-1", "café"),
        (b"caf\xe9", "utf-8", "café"),
        (b"caf\xe9", "us-ascii", "café"),
        (b"\x93x\x94", "ISO-8859-1", "“x”"),
        (b"\xcf\xd2", "koi8-r", "ор"),
        (b"\xcf\xd2", "KOI8R", "ор"),
        (b"\xb1\xbe", "GB2312_CHARSET", "本"),
        (b"\xb1\xbe", "gb18030", "本"),
        (b"\xa7\xda", "big5", "我"),
        (b"\x82\xa0", "x-sjis", "あ"),
        (b'\x1b$B$"\x1b(B', "iso-2022-jp", "あ"),
        (b"a\x00b\x00 \x00", "utf-16", "ab "),
        (b"+AOk-", "unicode-1-1-utf-7", "é"),
        (b"x\x81", "no-such-charset", "x\ufffd"),
        (b"\xef\xb7\x90", "utf-8", "ï·\ufffd"),
        (b"68656c6c6f", "hex", "68656c6c6f"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
    ],
)
def test_the_characters_that_are_meant(octets: bytes, declared: str, characters: str) -> None:
    assert characters == charset.decode(octets, declared).characters


def test_plain_ascii_is_not_wide_unless_a_charset_was_applied() -> None:
    assert Text("a", False) == charset.decode(b"a", "utf-8")
    assert Text("a", False) == charset.decode(b"a", "no-such-charset")
    assert Text("a", True) == charset.decode(b"a", "macintosh")
    assert charset.decode(b"\xe9", "utf-8").wide


def test_encoded_words_believe_what_they_declare() -> None:
    assert "Ã©" == charset.decode(b"\xc3\xa9", "iso-8859-1", insist=True).characters
    assert "a\ufffd" == charset.decode(b"a\xe9", "utf-8", insist=True).characters


@given(
    st.binary(max_size=60),
    st.sampled_from(["utf-7", "utf-16", "hz", "iso-2022-kr", "idna", "x", "gbk", "cp932"]),
)
def test_no_octets_raise_and_all_can_be_written(octets: bytes, declared: str) -> None:
    for insist in (False, True):
        charset.decode(octets, declared, insist=insist).characters.encode("utf-8")


@pytest.mark.parametrize("character", ["\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"])
def test_text_with_a_noncharacter_is_no_utf8(character: str) -> None:
    octets = f"ü{character}".encode()
    assert octets.decode("cp1252", "replace") == charset.decode(octets, "").characters
    assert "\ufdcf" == charset.decode("\ufdcf".encode(), "").characters
