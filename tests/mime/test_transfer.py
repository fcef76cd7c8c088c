"""Damaged base64 and quoted-printable give what can be saved."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.mime import transfer


@given(st.binary(max_size=300))
def test_what_is_encoded_comes_back(octets: bytes) -> None:
    assert octets == transfer.base64(base64.encodebytes(octets))
    encoded = quopri.encodestring(octets.replace(b"\r", b"").replace(b"\n", b""), quotetabs=True)
    assert octets.replace(b"\r", b"").replace(b"\n", b"") == transfer.quoted_printable(encoded)


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        (b"b25l", b"one"),
        (b"b2\n 5\tl", b"one"),
        (b"b2!5l-", b"one"),
        (b"b25lYQ", b"onea"),
        (b"b25lY", b"one"),
        (b"b25l=", b"one"),
        (b"YQ==b25l", b"a\x00\x00one"),
        (b"!YQ==b25l", b"a\x0f\xffone"),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_base64_is_saved_as_far_as_it_goes(encoded: bytes, octets: bytes) -> None:
    assert octets == transfer.base64(encoded)


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        (b"a=3db=3D", b"a=b="),
        (b"a=\nb=\r\nc", b"abc"),
        (b"a  \nb\t\r\nc ", b"a\nb\r\nc "),
        (b"a=zz=4", b"a=zz=4"),
        (b"==41", b"=A"),
        (b"a= \nb", b"ab"),
        (b"a=\n=\nb=", b"ab="),
        (b"a==\r\n\nb", b"a=\nb"),
    ],
)
def test_quoted_printable_is_tolerant(encoded: bytes, octets: bytes) -> None:
    assert octets == transfer.quoted_printable(encoded)


def test_an_unknown_encoding_leaves_the_octets() -> None:
    assert b"a=3D" == transfer.decode(b"a=3D", "7bit")
    assert b"a=" == transfer.decode(b"a=3D", "quoted-printable")
    assert b"a" == transfer.decode(b"YQ==", "base64")
