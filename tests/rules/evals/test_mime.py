"""The parts of a message and how they are encoded."""

import random
from collections.abc import Callable

import pytest

from lazaret.mime import kernel
from lazaret.rules.evals import mime

Call = Callable[..., float | str]

PARTS = (
    b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nhi\n--b\n"
    b"Content-Type: text/html\nContent-Transfer-Encoding: %s\n\n%s\n--b--\n"
)


def test_html_alone_is_told_from_html_beside_text(call: Call) -> None:
    both = PARTS % (b"7bit", b"<p>hi")
    assert call(both, "check_for_mime_html")
    assert not call(both, "check_for_mime_html_only")
    assert call(b"Content-Type: text/html\n\n<p>", "check_for_mime_html_only")


def test_counts_go_by_name(call: Call) -> None:
    long = PARTS % (b"quoted-printable", b"x" * 100)
    needless = PARTS % (b"quoted-printable", b"=41=42 line end=20\n=E4")
    assert 1 == call(needless, "check_for_mime", "mime_qp_count")
    assert 0 == call(long, "check_for_mime", "mime_qp_count")
    assert 1 == call(long, "check_for_mime", "mime_qp_long_line")
    assert 0 == call(PARTS % (b"quoted-printable", b"x" * 70), "check_for_mime", "mime_qp_long_line")
    unknown = PARTS % (b"quoted-printable;", b"x" * 100)
    assert call(unknown, "check_for_mime", "mime_qp_count")
    assert not call(unknown, "check_for_mime", "mime_qp_long_line")
    assert 0 == call(long, "check_for_mime", "mime_missing_boundary")
    assert 1 == call(long.replace(b"--b--", b""), "check_for_mime", "mime_missing_boundary")
    base64 = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGk=\n"
    assert 1 == call(base64, "check_for_mime", "mime_base64_encoded_text")


def test_capitals_are_measured(call: Call) -> None:
    raw = b"Subject: s\n\n" + b"SHOUT AT ME " * 40
    assert call(raw, "check_for_uppercase", "75", "100")
    assert not call(raw.lower(), "check_for_uppercase", "0", "100")


@pytest.mark.parametrize(
    ("expected", "lines"),
    [
        ((12, 2, 4), (b"A bC de1 .\t\n",)),
        ((0, 0, 0), (b"\n", b"WORD\n", b" Word \n", b"")),
        ((2, 0, 0), (b"\x1b$B%U%!\x1b(B -",)),
        ((0, 0, 0), ((b"A" * 60 + b" ") * 2 + b"\n",)),
        ((64, 61, 0), (b"A" * 61 + b" .\n",)),
    ],
)
def test_capitals_of_sentences_count(expected: tuple[int, int, int], lines: tuple[bytes, ...]) -> None:
    assert expected == mime._letters(lines)


@pytest.mark.skipif(not kernel.text, reason="the kernel is not compiled: gcc, python3-dev")
def test_the_kernel_counts_the_same_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    pieces = [
        b" ",
        b" ",
        b"\t",
        b"\v",
        b"\n",
        b"a",
        b"B",
        b"9",
        b".",
        b"\x1b$B",
        b"\x1b(B",
        b"Q" * 60,
        b"\xc4",
        b"\x1c",
    ]
    messages = [
        tuple(b"".join(rng.choices(pieces, k=rng.randrange(8))) for _ in range(rng.randrange(4)))
        for _ in range(5_000)
    ]
    compiled = [mime._letters(lines) for lines in messages]
    monkeypatch.setattr(kernel, "text", None)
    assert compiled == [mime._letters(lines) for lines in messages]


def test_an_alternative_that_is_no_text_is_seen(call: Call) -> None:
    raw = PARTS % (b"7bit", b"x")
    assert not call(raw, "check_ma_non_text")
    assert call(raw.replace(b"text/html", b"image/gif"), "check_ma_non_text")


def test_faults_of_form_go_by_name(call: Call) -> None:
    assert call(b"Subject: s\nno header line\n", "check_msg_parse_flags", "missing_head_body_separator")
    assert not call(b"Subject: s\n\nx\n", "check_msg_parse_flags", "missing_head_body_separator")


def test_what_says_it_is_ascii_should_be(call: Call) -> None:
    assert call(b"Subject: s\n\ncaf\xe9\n", "check_for_ascii_text_illegal")
    assert not call(b"Subject: s\n\ncafe\n", "check_for_ascii_text_illegal")
    declared = b"Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9\n"
    assert not call(declared, "check_for_ascii_text_illegal")


def test_references_in_plain_text_are_counted(call: Call) -> None:
    raw = b"Subject: s\n\n&#x0430;&#x0431; and some words\n"
    assert call(raw, "check_abundant_unicode_ratio", "0.05")
    assert not call(raw, "check_abundant_unicode_ratio", "0.50")
    assert not call(raw, "check_abundant_unicode_ratio", "nonsense")


def test_long_lines_of_base64_are_measured(call: Call) -> None:
    raw = b"Content-Transfer-Encoding: base64\n\n" + b"A" * 80 + b"\nAAAA\n"
    assert call(raw, "check_base64_length", "79")
    assert call(raw, "check_base64_length", "80", "81")
    assert not call(raw, "check_base64_length", "78", "79")
    assert not call(raw.replace(b"base64", b"7bit"), "check_base64_length", "79")


def test_needless_escapes_are_counted(call: Call) -> None:
    raw = b"Content-Transfer-Encoding: quoted-printable\n\n=41=42cd\n"
    assert call(raw, "check_qp_ratio", "0.2")
    assert not call(raw, "check_qp_ratio", "0.3")
