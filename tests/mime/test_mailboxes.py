"""Addresses and names in From, To and Cc."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.mime import mailboxes


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"kim@example.com", [(b"kim@example.com", None)]),
        (b"<kim@example.com>", [(b"kim@example.com", None)]),
        (b"Kim Ito <kim@example.com>", [(b"kim@example.com", b"Kim Ito ")]),
        (b'"Ito, Kim" <kim@example.com>', [(b"kim@example.com", b"Ito, Kim ")]),
        (b'"Kim \\"K\\" Ito"<kim@example.com>', [(b"kim@example.com", b'Kim "K" Ito')]),
        (b"kim@example.com (Kim Ito)", [(b"kim@example.com", b"Kim Ito")]),
        (b"Kim (in Rome) <kim@example.com>", [(b"kim@example.com", b"Kim  ")]),
        (b"kim@(home)example.com", [(b"kim@example.com", b"home")]),
        (b"<kim@(home)example.com(now)>", [(b"kim@example.com", None)]),
        (b'"kim ito"@example.com', [(b'"kim ito"@example.com', None)]),
        (b'"kim@example.com"', [(b"kim@example.com", None)]),
        (b"a@example.com, B <b@example.com>", [(b"a@example.com", None), (b"b@example.com", b"B ")]),
        (b"friends: a@example.com, b@example.com;", [(b"a@example.com", None), (b"b@example.com", None)]),
        (b"undisclosed-recipients:;", []),
        (b"<a@example.com> <a@example.com>", [(b"a@example.com", None)]),
        (b"A <a@example.com> odd, B <b@example.com>", [(b"a@example.com", None), (b"b@example.com", None)]),
        (b'"A <a@example.com>', [(b"a@example.com", None)]),
        (b"Nobody", [(None, b"Nobody")]),
        (b"<>", [(None, None)]),
        (b"", []),
    ],
)
def test_mailboxes_are_read_as_mail_programs_show_them(
    value: bytes, found: list[tuple[bytes | None, bytes | None]]
) -> None:
    assert found == [tuple(mailbox) for mailbox in mailboxes.parse(value)]


@given(st.lists(st.sampled_from([b'"', b"<", b">", b"(", b")", b"\\", b"@", b",", b"a", b" ", b"\xff"])))
def test_no_octets_raise(pieces: list[bytes]) -> None:
    mailboxes.parse(b"".join(pieces))


@given(
    st.lists(
        st.sampled_from(
            [
                b"a@b.c",
                b" ",
                b"<",
                b">",
                b'"',
                b",",
                b";",
                b"Kim",
                b"<a@b.c>",
                b"(Kim)",
                b"@",
                b"\n ",
                b"]",
                b"\xff",
            ]
        ),
        max_size=12,
    )
)
def test_plain_entries_are_read_like_any_other(pieces: list[bytes]) -> None:
    value = b"".join(pieces).rstrip()
    assert mailboxes._read(value) == tuple(mailboxes._read_any(value.replace(b"\\\\", b"")))


@pytest.mark.parametrize(
    "piece",
    [
        b'"',
        b'"\\',
        b'\\"',
        b"<",
        b"(",
        b"((",
        b"<a@",
        b"a@",
        b"<a@b> ",
        b",",
        b"a:",
        b'"<',
        b"a@b(",
        b" ",
        b"a,",
    ],
)
def test_a_hostile_field_costs_little(piece: bytes) -> None:
    value = piece * (8192 // len(piece))
    began = time.process_time()
    mailboxes.parse(value)
    mailboxes.parse(b"a <a@b.com> b " + value)
    assert time.process_time() - began < 0.3
