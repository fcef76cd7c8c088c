"""Header values are decoded for rules as SpamAssassin does it, and for people as they need it."""

import pytest

from lazaret.mime import words


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        (b" plain\n", "plain"),
        (b" one\n\ttwo\n", "one two"),
        (b" =?utf-8?q?caf=C3=A9_x?= y\n", "café x y"),
        (b" =?utf-8?b?Y2Fmw6k=?=\n", "café"),
        (b" =?utf-8?q?a?=\n =?utf-8?q?b?= =?utf-8?q?c?=\n", "abc"),
        (b" =?utf-8?b?4oI=?= =?utf-8?b?rA==?=\n", "€"),
        (b" =?iso-8859-1*de?q?=FC?=\n", "ü"),
        (b" =?no-such?q?=FCx?=\n", "üx"),
        (b" =?utf-8?x?abc?= =?\n", "=?utf-8?x?abc?= =?"),
        (b" caf\xe9\n", "café"),
        (b"\n", ""),
    ],
)
def test_values_are_unfolded_trimmed_and_decoded(value: bytes, decoded: str) -> None:
    assert decoded == words.decode(value, "Subject").decode("utf-8")


def test_some_fields_hold_no_encoded_words() -> None:
    assert b"<=?utf-8?q?a?=@x>" == words.decode(b" <=?utf-8?q?a?=@x>\n", "Message-ID")
    assert b"=?utf-8?q?a?=" == words.decode(b"=?utf-8?q?a?=", "List-Id")


def test_rules_see_utf16_as_it_is_and_people_read_it() -> None:
    value = b"=?utf-16?B?RABlAHMAaQBnAG4A?="
    assert b"D\0e\0s\0i\0g\0n\0" == words.decode(value, "Subject")
    assert "Design" == words.for_people(value, "Subject")


def test_people_get_one_line_without_control_characters() -> None:
    assert "a b c" == words.for_people(b"=?utf-8?q?a=0D=0Ab=1B=E2=80=AEc?=\n", "Subject")


def test_parameters_are_put_together_and_the_first_of_two_counts() -> None:
    value = b"attachment; FileName*1=\"b c\"; filename*0*=iso-8859-1'de'%FC; size=1; size=2; broken; =x"
    assert {"filename": "üb c", "size": "1"} == words.parameters(value)


@pytest.mark.parametrize(
    "value", [b"", b";", b"a; b", b'a; b="', b"a; b*=x''y''z", b"a; b*99999=1", b"a; b*=%zz%"]
)
def test_no_parameter_raises(value: bytes) -> None:
    words.parameters(value)
