"""Charsets of languages that are not read here."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

ENGLISH = {"ok_locales": ("en",)}


@pytest.mark.parametrize(
    ("expected", "locales", "charset"),
    [
        ("", "all", b"koi8-r"),
        ("koi8-r", "en", b"koi8-r"),
        ("", "en ru", b"koi8-r"),
        ("", "en", b"iso-8859-15"),
        ("", "en", b"UTF-8"),
        ("gb2312", "ru", b"gb2312"),
        ("", "zh", b"gb2312"),
    ],
)
def test_the_charset_of_a_subject_tells(call: Call, expected: str, locales: str, charset: bytes) -> None:
    raw = b"Subject: =?" + charset + b"?B?8PLl5A==?=\n\n\n"
    found = call(raw, "check_for_faraway_charset_in_headers", settings={"ok_locales": (locales,)})
    assert expected == (found or "")


def test_the_charset_of_a_body_counts_where_it_is_used(call: Call) -> None:
    head = b"Content-Type: text/plain; charset=koi8-r\n\n"
    assert call(head + b"\xf0\xf2\xe9\xf7\xe5\xf4\n", "check_for_faraway_charset", settings=ENGLISH)
    assert not call(head + b"hello\n", "check_for_faraway_charset", settings=ENGLISH)
    assert call(head + b"hello\n", "check_for_mime", "mime_faraway_charset", settings=ENGLISH)


def test_the_charset_of_a_page_counts(call: Call) -> None:
    page = b'Content-Type: text/html\n\n<meta http-equiv="Content-Type" content="text/html; charset=%s">x\n'
    assert call(page % b"koi8-r", "html_charset_faraway", settings=ENGLISH)
    assert not call(page % b"utf-8", "html_charset_faraway", settings=ENGLISH)
