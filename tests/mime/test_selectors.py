"""What header rules look at."""

import base64
from pathlib import Path

import pytest
from tests.mime.layers import messages, octets, recorded, stock_sites

from lazaret.mime import message, selectors
from lazaret.mime.trust import Networks

RAW = b"""\
Return-Path: <ann@lists.example.com>
Received: from mx (mx.example.org [192.0.2.1]) by store (Postfix) with LMTP id 2
X-Ours: 1
Received: from pc (pc.example.net [198.51.100.7])
\tby mx (Postfix) with ESMTP id 1
From: "Kim Ito" <kim@mail.example.co.uk>, 'Ann' <ann@example.com>
Subject:  =?utf-8?q?H=C3=BCte?=
  fold
To: a@example.com
Cc: b@example.com
Message-Id: <1@new.example.com>
X-Original-Message-ID: <2@old.example.com>
X-Spam-Flag: YES
X-Spam-Report: <ours@example.com>
Cc: c@example.com
X-Client: [198.51.100.9] or store.example.net

body
"""
MESSAGE = message.parse(RAW, networks=Networks.from_text(["192.0.2/24"]))


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("Subject", "Hüte fold\n".encode()),
        ("subject", "Hüte fold\n".encode()),
        ("Subject:raw", b"  =?utf-8?q?H=C3=BCte?=\n  fold\n"),
        ("From:addr", b"kim@mail.example.co.uk\nann@example.com"),
        ("From:first:addr", b"kim@mail.example.co.uk\nann@example.com"),
        ("From:name", b"Kim Ito\nAnn"),
        ("From:addr:host", b"mail.example.co.uk\nexample.com"),
        ("From:addr:domain", b"example.co.uk\nexample.com"),
        ("Received:first:ip", b"192.0.2.1"),
        ("Received:last:revip", b"7.100.51.198"),
        ("X-Client:host", b"store.example.net"),
        ("X-Client:ip", b"198.51.100.9"),
        ("Message-Id:domain", b"example.com"),
        ("MESSAGEID", b"<2@old.example.com>\n<1@new.example.com>\n"),
        ("ToCc", b"a@example.com\nb@example.com\nc@example.com\n"),
        ("ToCc:addr", b"a@example.com\nb@example.com\nc@example.com"),
        ("Cc:addr", b"b@example.com\nc@example.com"),
        ("EnvelopeFrom", b"ann@lists.example.com"),
        ("EnvelopeFrom:domain", b"example.com"),
        ("X-Spam-Flag", None),
        ("X-Absent", None),
        ("X-Absent:addr", None),
        ("Subject:addr", None),
        ("X-Spam-Report:addr", None),
    ],
)
def test_selectors(selector: str, value: bytes | None) -> None:
    assert value == selectors.get(MESSAGE, selector)


def test_the_header_section_is_cut_at_the_boundary() -> None:
    whole = selectors.get(MESSAGE, "ALL") or b""
    trusted, untrusted = (selectors.get(MESSAGE, f"ALL-{side}") or b"" for side in ("TRUSTED", "UNTRUSTED"))
    assert whole.startswith(trusted)
    assert whole.endswith(untrusted)
    assert trusted.endswith(b" by mx (Postfix) with ESMTP id 1\n")
    assert untrusted.startswith(b"Received: from pc ")


def test_relays_have_a_string_form() -> None:
    assert (selectors.get(MESSAGE, "X-Spam-Relays-Untrusted") or b"").startswith(
        b"[ ip=198.51.100.7 rdns=pc."
    )
    assert (selectors.get(MESSAGE, "X-Spam-Relays-Internal") or b"").startswith(b"[ ip=192.0.2.1 rdns=mx.")


def test_forged_relays_in_the_message_are_not_believed() -> None:
    forged = message.parse(b"X-Spam-Relays-Trusted: [ ip=192.0.2.1 ]\nX-Spam-Status: No\n\n")
    assert (b"", None) == tuple(selectors.get(forged, s) for s in ("X-Spam-Relays-Trusted", "X-Spam-Status"))


OTHER_PARSER = {b"noreply@foobar.com", b"=?UTF-8?Q? Foobar _", b"Mr, Spam <spam@blah.com>", b"Spam"}
"""Half of the calls were recorded with an address parser that SpamAssassin does not use by default."""


def test_spamassassins_examples_have_the_values_that_it_gives_them(shared: Path) -> None:
    differing = []
    for case in recorded(shared, "get_headers"):
        parsed = message.parse(base64.b64decode(case["message_base64"]))
        got = selectors.values(parsed, case["args"][0])
        expected = [text.encode() if isinstance(text, str) else text for text in case["result"]]
        if expected != (got if case["list_context"] else (got or [None])[:1]):
            differing.append(case)
    assert 5 == len(differing)
    assert {octets(text) for case in differing for text in case["result"]} <= OTHER_PARSER


FIRST_VALUE_ONLY = ("addr", "name")
"""Of these the dump holds the first value."""


def test_935_messages_have_the_values_that_spamassassin_sees(shared: Path, corpus: Path) -> None:
    known = stock_sites(shared)
    for raw, layers in messages(shared, corpus):
        parsed = message.parse(raw, sites=known)
        for selector, text in layers["headers"].items():
            got = selectors.values(parsed, selector)
            if selector.endswith(FIRST_VALUE_ONLY):
                got = got[:1]
            assert octets(text or "") == b"".join(got), (layers["message"], selector)
