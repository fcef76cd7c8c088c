"""Which relay stands in a Received field."""

import re
import time
from pathlib import Path

import pytest
from tests.mime.layers import recorded

from lazaret.mime import received
from lazaret.mime.received import Outcome, Relay, Unrecorded
from lazaret.mime.received_formats import FORMATS


def relay(value: str) -> Relay:
    found = received.parse(value.encode())
    assert isinstance(found, Relay)
    return found


def test_postfix_names_greeting_name_address_and_itself() -> None:
    found = relay(
        " from desk.example (router.example.net [192.0.2.7])\n\tby mx.example.org (Postfix) with ESMTPS"
        " id 4F1xYz\n\tfor <anna@example.org>; Tue, 3 Mar 2026 10:11:12 +0100 (CET)\n"
    )
    assert (
        "[ ip=192.0.2.7 rdns=router.example.net helo=desk.example by=mx.example.org ident= envfrom= intl=0"
        " id=4F1xYz auth= msa=0 ]"
    ) == str(found)


@pytest.mark.parametrize(
    ("value", "ip", "helo"),
    [
        ("from b.example ([192.0.2.8] helo=c.example) by mx (Exim 4.96) id 1-2-3", "192.0.2.8", "c.example"),
        ("from unknown (HELO d.example) (192.0.2.9) by mx with SMTP", "192.0.2.9", "d.example"),
        ("from [192.0.2.10] by mx via HTTP; Thu, 1 Jan 2026 10:00:00 CET", "192.0.2.10", ""),
        ("from h.example ([IPv6:2001:db8::5]) by mx (8.17/8.17) with ESMTP", "2001:db8::5", "h.example"),
        ("from g.example ([::ffff:192.0.2.11]) by mx (8.17/8.17) with ESMTP id x", "192.0.2.11", "g.example"),
        ("from H0ST (1.2.3.4 [192.0.2.12]) by mx with esmtp", "192.0.2.12", "H0ST"),
    ],
)  # fmt: skip
def test_each_mta_writes_it_in_its_own_way(value: str, ip: str, helo: str) -> None:
    assert (ip, helo) == (relay(value).ip, relay(value).helo)


def test_a_name_that_the_mta_could_not_find_is_no_name() -> None:
    found = relay("from pc (unknown [192.0.2.7]) by mx (Postfix) with SMTP id 1")
    assert ("", True) == (found.rdns, found.no_rdns)


def test_brackets_in_a_greeting_cannot_break_the_string_form() -> None:
    assert (
        "!192.0.2.1!"
        == relay("from [192.0.2.1] (pc.example [192.0.2.7]) by mx (Postfix) with SMTP id 1").helo
    )


@pytest.mark.parametrize(
    ("value", "auth"),
    [
        ("from pc (a.example [192.0.2.7]) by mx (Postfix) with ESMTPSA id 1", "ESMTPSA"),
        ("from pc (a [192.0.2.7]) (Authenticated sender: kim) by mx (Postfix) with ESMTPS id 1", "Postfix"),
        ("from pc (a [192.0.2.7]) (authenticated bits=0) by mx (8.17/8.17) with ESMTP id 1", "Sendmail"),
        ("from pc (a [192.0.2.7]) (AUTH: PLAIN kim, TLS: 1.3) by mx with esmtp", "PLAIN"),
        ("from pc (a [192.0.2.7]) (AUTH: LOGIN kim) by mx with esmtp", "LOGIN"),
        ("from pc (a [192.0.2.7]) by mx (Postfix) with ESMTPS id 1", ""),
    ],
)
def test_a_client_that_logged_in_is_seen(value: str, auth: str) -> None:
    assert auth == relay(value).auth


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (
            b"by mx.example.org (Postfix, from userid 1000) id 1; Thu, 1 Jan 2026 10:00:00 +0100",
            Outcome.IGNORED,
        ),
        (b"from kim by mx with local (Exim 4.96) id 1-2-3", Outcome.IGNORED),
        (b"(from kim@localhost) by mx (8.17/8.17/Submit) id 1", Outcome.IGNORED),
        (b"from pop.example [192.0.2.7] x by desk with POP3 (fetchmail-6.4)", Outcome.FETCHED),
        (b"from here to eternity", Outcome.UNPARSEABLE),
        (b"", Outcome.IGNORED),
    ],
)
def test_fields_that_record_no_relay_say_why(value: bytes, why: Outcome) -> None:
    found = received.parse(value)
    assert why == (found.why if isinstance(found, Unrecorded) else Outcome.RELAY)


def test_octets_that_are_no_utf8_come_back_as_they_were() -> None:
    found = received.parse(b"from pc\xff (a.example [192.0.2.7]) by mx (Postfix) with SMTP id 1")
    assert b"helo=pc\xff " in str(found).encode("utf-8", "surrogateescape")


def without_trust(relay: str) -> str:
    """The examples are from before and after these two fields were added to the string form."""
    return re.sub(r" (?:intl|msa)=\d", "", relay)


def test_every_example_of_spamassassin_is_read_as_it_reads_it(shared: Path) -> None:
    for example in recorded(shared, "received_parser"):
        found = received.parse(example["received"].encode("latin-1"))
        got = str(found) if isinstance(found, Relay) else ""
        assert without_trust(example["expect"]) == without_trust(got), example["received"]


HEADS = [
    b"", b"from a ", b"from a (b [192.0.2.1]) ", b"from a ([192.0.2.1]) ", b"from a (HELO b) (",
    b"from [192.0.2.1] (", b"from a Exim ", b"from a (b@[192.0.2.1]", b"from a authenticated ",
    b"from 192.0.2.1 Mail authenticated user ", b"from a (b [192.0.2.1]) by x by y",
]  # fmt: skip
TAILS = [
    b"by ", b") by ", b"]) (AUTH: LOGIN x, ", b"]) (authenticated", b") with ", b"a@", b"@192.0.2.1)",
    b"....", b"::", b"192.0.2.1", b"[192.0.2.1] ", b"(", b" ;", b"\n\t", b"by x.hotmail.msn.com",
    b"1 Jan 1 1:1 ", b"\xff",
]  # fmt: skip


def test_hostile_fields_cost_next_to_nothing() -> None:
    values = [head + tail * (100_000 // len(tail)) for head in HEADS for tail in TAILS]
    for value in values:
        received.parse(value)
    began = time.process_time()
    for value in values:
        received.parse(value)
    assert time.process_time() - began < 0.005 * len(values)


def test_what_is_made_beforehand_is_not_made_for_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    received.make_ready()
    monkeypatch.setattr(re, "compile", None)
    assert all(form.pattern for form in FORMATS)
