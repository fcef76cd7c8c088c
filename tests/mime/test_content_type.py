"""Content-Type is read as leniently as SpamAssassin reads it."""

import pytest

from lazaret.mime.content_type import MISSING, ContentType


@pytest.mark.parametrize(
    ("value", "name", "boundary", "charset"),
    [
        (b"text/html; charset=utf-8", "text/html", None, b"utf-8"),
        (b"TEXT/X-Aol; charset='latin1'", "text/plain", None, b"latin1"),
        (b"text/calendar", "text/calendar", None, None),
        (b'multipart/mixed; boundary = "a b"', "multipart/mixed", b"a b", None),
        (b'multipart/mixed; boundary="never closed', "multipart/mixed", b"never closed", None),
        (b"multipart/mixed; boundary=x;y", "multipart/mixed", b"x", None),
        (b"text/html charset=iso-8859-1", "text/html", None, b"iso-8859-1"),
        (b"application/(x)y", "application/xy", None, None),
        (b"; charset=utf-8", "text/plain", None, b"utf-8"),
    ],
)
def test_type_boundary_and_charset(
    value: bytes, name: str, boundary: bytes | None, charset: bytes | None
) -> None:
    found = ContentType.parse(value)
    assert (name, boundary, charset) == (found.name_of_type, found.boundary, found.charset)


def test_what_is_missing_is_plain_ascii() -> None:
    assert MISSING == ContentType.parse(None)
    assert "text/plain" == MISSING.name_of_type
    assert ContentType.parse(b";").missing


def test_a_name_in_pieces_is_put_together() -> None:
    assert b"abc" == ContentType.parse(b"a/b; name*1=bc; name*0=a").name
    assert b"abc" == ContentType.parse(b'a/b; name="abc"').name
