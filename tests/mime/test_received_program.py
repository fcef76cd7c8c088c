"""The compiled kernel reads Received as the regular expressions do, or leaves a field to them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.mime import kernel, received, received_program
from lazaret.mime.received_formats import FORMATS
from lazaret.mime.received_template import TOKEN

needs_kernel = pytest.mark.skipif(not kernel.received, reason="the kernel is not compiled: gcc, python3-dev")

FIELDS = [
    b"from pc (pc.example. [192.0.2.1])\n\tby mx (Postfix) with ESMTPA id 1A; Mon, 1 Jan 2024 10:00:00 +0000",
    b"from [192.0.2.1] (helo=pc ident=me) by mx with esmtp (Exim 4.96) (envelope-from <a@b>) id 1x-2y-3z",
    b"from pc (IDENT:me@pc.example.org. [192.0.2.1] (may be forged)) by mx (8.12.5/8.12) with ESMTP id x123",
    b"from unknown (HELO pc) (me@192.0.2.1) by mx with SMTP; 1 Jan 2024 10:00:00 -0000",
    b"from pc (192.0.2.1) by mx (192.0.2.2) with Microsoft SMTP Server (TLS) id 15.1.2.3; 1 Jan 2024 1:2 GMT",
    b"from pc.example (2001:db8::1%7) by mx.example (2001:db8::2) with mapi id 15.20.1.2",
    b"from pc ([IPv6:2001:db8::1]) by mx (Postfix) with ESMTPS id 1",
    b"from mail by mx with imap (fetchmail-5.9.0) for me (single-drop); Mon, 1 Jan 2024 10:00:00 +0000 (GMT)",
    b"from pc (GMX [192.0.2.1]) by mx (mp1) with SMTP; x",
    b"from pc (pc [192.0.2.300]) by mx (x)",
]
PIECES = [
    *(
        b" ",
        b"\r\n\t",
        b"(",
        b")",
        b"[",
        b"]",
        b"<",
        b">",
        b"@",
        b":",
        b";",
        b".",
        b"=",
        b"from ",
        b"FROM ",
        b"(from ",
    ),
    *(
        b"pc",
        b"unknown",
        b"mx.example.org",
        b"192.0.2.1",
        b"256.1.1.1",
        b"1",
        b"IPv6:2001:db8::1",
        b"::1",
        b"%eth0",
    ),
    *(
        b" by ",
        b" by mx ",
        b") by ",
        b")by ",
        b" with ",
        b" with ESMTP id 1x2",
        b"ESMTPSA",
        b" (Postfix) with",
        b"Exim",
    ),
    *(
        b"HELO ",
        b"EHLO ",
        b"LHLO ",
        b"helo=",
        b"ident=",
        b"IDENT:",
        b" id ",
        b"envelope-from ",
        b"return-path: <",
    ),
    *(
        b"envelope-sender",
        b"; Mon, 1 Jan 2024 10:00:00 +0000",
        b"authenticated",
        b" with local for",
        b"with IMAP",
    ),
    *(
        b"with Microsoft SMTP Server ",
        b"(TLS) ",
        b"15.1.2",
        b"(qmail ",
        b"(envelope-sender <a@b>)",
        b"\xe9",
        b"\0",
    ),
]


def lines_of(template: str) -> st.SearchStrategy[bytes]:
    """Texts that are nearly of a format."""
    pieces = [
        st.just(token["literal"])
        if token["literal"]
        else st.sampled_from(
            ["pc", "mx.example", "192.0.2.1", "a@b", "", "[", "]", " ", "helo=x ident=y", "HELO x"]
        )
        for token in TOKEN.finditer(template)
    ]
    return st.tuples(*pieces).map(
        lambda words: b"from " + "".join(words).encode() + b" with SMTP (Exim) id x123"
    )


near = st.sampled_from([form.template for form in FORMATS]).flatmap(lines_of)
anything = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3)).map(b"".join)
changed = st.builds(
    lambda field, cut, piece, size: field[:cut] + piece + field[cut + size :],
    *(st.sampled_from(FIELDS), st.integers(0, 120), st.sampled_from(PIECES), st.integers(0, 9)),
)


@needs_kernel
@settings(max_examples=300)
@given(near | anything | anything.map(b"from ".__add__) | changed)
def test_a_field_reads_the_same_with_and_without_it(value: bytes) -> None:
    expected, found = received.parse_plain(value), received.parse(value)
    assert (type(expected), expected) == (type(found), found)


@needs_kernel
@pytest.mark.parametrize("value", FIELDS, ids=range(len(FIELDS)))
def test_what_mail_holds_is_read_by_it(value: bytes) -> None:
    found = received._read_compiled(value)
    assert found is not None
    assert received.parse_plain(value) == received.parse(value)


def test_a_piece_that_it_does_not_know_is_left_to_the_expression() -> None:
    programs = {form.mta: received_program.of(form) for form in FORMATS}
    assert "unknown" in {code for code, *_ in programs["Hotmail"]}
    assert "unknown" not in {code for form in ("Postfix", "sendmail", "Exim") for code, *_ in programs[form]}


@pytest.mark.parametrize(
    "piece", [b"(", b"[", b"a@", b" by ", b" with ", b") by x", b"1.", b"::", b"envelope-from "]
)
def test_a_long_field_costs_little(piece: bytes) -> None:
    value = b"from pc (pc [192.0.2.1] " + piece * (9_000 // len(piece))
    began = time.process_time()
    for _ in range(20):
        received.parse(value)
    assert time.process_time() - began < 2.0


@needs_kernel
def test_a_program_must_be_one() -> None:
    row = ((("literal", None, 0, 0, b"x"),), b"", b"", None, False)
    assert kernel.received.Reader(((b"", (row,)),), tuple, None, None, None, ())
    for shapes, error in (
        (((b"", (((("leap", None, 0, 0, b""),), b"", b"", None, False),)),), ValueError),
        (((b"", (((("word", "leap", 0, 0, b""),), b"", b"", None, False),)),), ValueError),
        (((b"", (((("word", None, -1, 0, b""),), b"", b"", None, False),)),), ValueError),
        (((b"", (((("optional", None, 0, 0, b""),), b"", b"", None, False),)),), ValueError),
        (((b"", ((row[0] * 99, b"", b"", None, False),)),), ValueError),
        (((b"", [row]),), TypeError),
    ):
        with pytest.raises(error):
            kernel.received.Reader(shapes, tuple, None, None, None, ())
    with pytest.raises(TypeError):
        kernel.received.Reader((), int, None, None, None, ())
