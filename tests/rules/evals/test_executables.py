"""Attached programs, and names that do not fit the type."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]


def mail(content_type: str, body: str = "x", encoding: str = "7bit") -> bytes:
    part = f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n{body}\n"
    return f"Content-Type: multipart/mixed; boundary=b\n\n--b\n{part}--b--\n".encode()


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        (True, mail('application/octet-stream; name="a.EXE"')),
        (True, mail('application/octet-stream; name="a.pdf.scr"')),
        (False, mail('application/octet-stream; name="a.exe.pdf"')),
        (True, mail("application/octet-stream", "TVqQAAMAAAAEAAAA//8AALgA", "base64")),
        (False, mail("application/octet-stream", "TVqQAAMAAAAEAAAA//8AALgA")),
        (True, mail("text/plain", "begin 644 a\nM35J0``,````$````__\\``+@`")),
        (False, mail("image/png", "begin 644 a\nM35J0``,````$````__\\``+@`")),
    ],
)
def test_programs_are_known_by_name_or_by_their_first_octets(call: Call, expected: bool, raw: bytes) -> None:
    assert expected == bool(call(raw, "check_microsoft_executable"))


@pytest.mark.parametrize(
    ("expected", "content_type"),
    [
        ("a.txt", 'application/zip; name="a.txt"'),
        ("", 'text/plain; name="a.txt"'),
        ("a.jpg", 'text/plain; name="a.JPG"'),
        ("", 'image/x-what; name="a.jpg"'),
        ("", 'application/octet-stream; name="a.txt"'),
        ("", 'application/vnd.ms-excel; name="a.xls"'),
        ("a.xls", 'application/pdf; name="a.xls"'),
        ("", 'application/zip; name="a.zip"'),
    ],
)
def test_a_name_that_promises_another_type_is_found(call: Call, expected: str, content_type: str) -> None:
    assert expected == call(mail(content_type), "check_suspect_name")
