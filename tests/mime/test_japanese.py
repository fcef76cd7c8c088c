"""Seven-bit Japanese is read as far as it is sound."""

import pytest

from lazaret.mime import japanese


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b'a\x1b$B$"$$\x1b(Bb', "aあいb"),
        (b'\x1b$@$"\x1b(Jx', "あx"),
        (b"\x1b(I1\x1b(B", "ｱ"),
        (b"a\xe3b", "a"),
        (b"a\x1b%Gb", "a"),
        (b"\x1b$B$", ""),
        (b'\x1b$B$"  $$\x1b(B', "あ  い"),
    ],
)
def test_text_is_read_to_the_first_octet_that_does_not_belong(octets: bytes, text: str) -> None:
    assert text == japanese.decode(octets)


def test_damage_is_written_as_octets() -> None:
    assert "あ\\xA4 x" == japanese.decode(b'\x1b$B$"$ \x1b(Bx')
