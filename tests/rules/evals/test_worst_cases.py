"""The time of eval functions grows with the message, and with nothing else."""

import time
from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

QUOTED = b"Content-Transfer-Encoding: quoted-printable\n\n"
BASE64 = b"Content-Transfer-Encoding: base64\n\n"
TO_MANY = b"To: " + b"".join(b"u%d@h%d.example.com,\n " % (i, i) for i in range(10_000)) + b"\n\nx\n"
LATE = b"Date: Thu, 22 Aug 2002 22:34:53 +0100\n\nx"
LONG_CHARSET = b"Content-Type: text/plain; charset=" + b"koi" * 2000 + b"!\n\nx"
RECEIVED = b"Received: from a.example by b.example with SMTP; Thu, 22 Aug 2002 12:34:53 +0100\n"


@pytest.mark.parametrize(
    ("function", "arguments", "raw"),
    [
        ("check_for_mime", ("mime_qp_count",), QUOTED + b"=20" * 100_000 + b"x"),
        ("check_for_mime", ("mime_qp_count",), QUOTED + b"=20\n" * 100_000),
        ("check_for_mime", ("mime_base64_blanks",), BASE64 + b"\n \t" * 100_000),
        ("check_for_uppercase", ("25", "50"), b"Subject: s\n\n" + b"A b\x1b$B" * 100_000),
        ("check_for_uppercase", ("25", "50"), LONG_CHARSET),
        ("sorted_recipients", (), TO_MANY),
        ("similar_recipients", ("0.5", "undef"), TO_MANY),
        ("check_freemail_header", ("To",), TO_MANY),
        ("check_for_shifted_date", ("3", "6"), RECEIVED * 5_000 + LATE),
        ("multipart_alternative_difference", ("0", "9"), b"Subject: s\n\n" + b"word " * 100_000),
    ],
)
def test_a_message_made_to_be_slow_is_not(
    call: Call, function: str, arguments: tuple[str, ...], raw: bytes
) -> None:
    began = time.process_time()
    call(raw, function, *arguments, settings={"freemail_domains": ("free.example *.free.*",)})
    assert time.process_time() - began < 2


def test_a_list_of_many_stars_is_searched_in_linear_time(call: Call) -> None:
    settings = {"blocklist_from": ("*".join("a" * 50) + "@b.example",)}
    began = time.process_time()
    call(b"From: " + b"a" * 4000 + b"@c.example\n\n", "check_from_in_blocklist", settings=settings)
    assert time.process_time() - began < 0.5
