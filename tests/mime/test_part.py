"""A part knows its name, its type and its octets."""

import pytest

from lazaret.mime import structure
from lazaret.mime.part import Part


def part(header: bytes, body: bytes = b"x\n") -> Part:
    return structure.parse(header + b"\n\n" + body).root


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (b'Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf"),
        (b"Content-Type: application/pdf; name=a.pdf", "a.pdf"),
        (b"Content-Disposition: attachment; filename*=utf-8''na%C3%AFve.exe", "naïve.exe"),
        (
            b"Content-Disposition: attachment;\n filename*0*=utf-8''%E2%82;"
            b"\n filename*1*=%ACuro;\n filename*2=.exe",
            "€uro.exe",
        ),
        (b"Content-Disposition: attachment; filename*0=one.; filename*1=zip", "one.zip"),
        (b'Content-Disposition: attachment; filename="=?utf-8?q?=C3=A9t=C3=A9.txt?="', "été.txt"),
        (b'Content-Disposition: attachment; filename="a\\"b.txt"', 'a"b.txt'),
        (b'Content-Disposition: attachment; filename="x\x1b[31m\xe2\x80\xaetxt.exe"', "x [31m txt.exe"),
        (b"Content-Type: text/plain", ""),
    ],
)
def test_file_names_are_decoded_for_people(header: bytes, filename: str) -> None:
    assert filename == part(header).filename


def test_what_is_named_html_is_read_as_html() -> None:
    assert "text/html" == part(b'Content-Type: application/octet-stream; name="a.SHTML"').effective_type
    assert (
        "application/octet-stream"
        == part(b'Content-Type: application/octet-stream; name="a.html.exe"').effective_type
    )


def test_the_last_of_several_fields_counts() -> None:
    assert "text/html" == part(b"Content-Type: text/plain\nContent-Type: text/html").content_type


@pytest.mark.parametrize(
    ("header", "body", "octets"),
    [
        (b"Content-Transfer-Encoding: base64", b"b25lDQp0d28=\n", b"one\ntwo"),
        (b"Content-Type: image/png\nContent-Transfer-Encoding: base64", b"b25lDQp0d28=\n", b"one\r\ntwo"),
        (b"Content-Transfer-Encoding: Quoted-Printable", b"a=3Db=\nc\n", b"a=bc\n"),
        (b"Content-Transfer-Encoding: x-unknown", b"a=3D\n", b"a=3D\n"),
    ],
)
def test_the_transfer_encoding_comes_off(header: bytes, body: bytes, octets: bytes) -> None:
    assert octets == part(header, body).octets


def test_disposition_and_parameters_are_told() -> None:
    found = part(
        b'Content-Type: text/plain; Format=flowed; charset="utf-8"\nContent-Disposition: ATTACHMENT; x=y'
    )
    assert "attachment" == found.disposition
    assert {"format": "flowed", "charset": "utf-8"} == found.params
    assert "utf-8" == found.charset
