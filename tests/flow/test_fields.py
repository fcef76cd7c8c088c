"""The header fields that we add: folded, and closed to whatever a peer says."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lazaret.flow.fields import Site, field, number, quarantine_fields, received, spam_fields
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.verdict import Action, Category, Levels, Policy, ScoredHit, Verdict

SITE = Site("filter.example")
ENVELOPE = Envelope("a@out.example", (Recipient("ann@home.example"),))
HOSTILE = "evil)\r\nX-Injected: yes\0\t(by \udcff"


def names(octets: bytes) -> list[bytes]:
    """The names of the fields, read as any mail program would."""
    assert octets.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", octets)
    return re.findall(rb"^([^\s:]+):", octets, re.MULTILINE)


def test_our_received_field_is_worded_as_amavis_words_it():
    session = Session(
        helo="client.example", peer_helo="mx.example.net", peer_ip="127.0.0.1", listen_port=10024
    )
    octets = received(session, ENVELOPE, "9jc5xEn26f99", SITE, 1_676_858_528.0)
    assert re.fullmatch(
        rb"Received: from mx\.example\.net \(\[127\.0\.0\.1\]\)\r\n"
        rb"\tby localhost \(filter\.example \[127\.0\.0\.1\]\) \(lazaret, port 10024\)\r\n"
        rb"\twith ESMTP id 9jc5xEn26f99 for <ann@home\.example>;\r\n"
        rb"\t[A-Z][a-z]{2}, [0-9]{2} Feb 2023 [0-9:]{8} [+-][0-9]{4}\r\n",
        octets,
    )


def test_recipients_of_one_message_do_not_learn_of_each_other():
    envelope = Envelope("", (Recipient("ann@home.example"), Recipient("bob@home.example")))
    assert b" for " not in received(Session(), envelope, "9jc5xEn26f99", SITE, 0.0)


def test_a_hostile_helo_opens_no_field_and_no_comment():
    session = Session(peer_helo=HOSTILE, peer_ip=HOSTILE)
    envelope = Envelope("", (Recipient(HOSTILE),))
    octets = received(session, envelope, "9jc5xEn26f99", SITE, 0.0)
    assert [b"Received"] == names(octets)
    assert b"from evil???X-Injected:?yes???by??" in octets


def test_hostile_addresses_open_no_field():
    envelope = Envelope(HOSTILE, (Recipient(HOSTILE),))
    octets = quarantine_fields(envelope, [HOSTILE], "9jc5xEn26f99", (), 1.0, Levels())
    assert b"X-Injected" not in names(octets)
    assert 3 == octets.count(b"evil)??X-Injected: yes")


@given(st.lists(st.text(st.characters()), max_size=5))
@example(["half a pair: \ud800", "an octet: \udcff"])
def test_no_word_ever_opens_a_field(words: list[str]):
    assert [b"X-Test"] == names(field("X-Test", words))


def test_a_line_is_as_long_as_it_can_be_and_a_word_is_never_broken():
    fits, long, blank = "x" * 70, "y" * 100, '<"a, b"@c>'

    assert b"X: %b, zzz\r\n" % fits.encode() == field("X", [fits, "zzz"], separator=", ")
    assert b"X: %b,\r\n\tzzzz\r\n" % fits.encode() == field("X", [fits, "zzzz"], separator=", ")
    assert b"X: %b\r\n\tz\r\n" % long.encode() == field("X", [long, "z"])
    assert b"X: z\r\n\t%b\r\n\tz\r\n" % long.encode() == field("X", ["z", long, "z"])
    assert b"X: %b,\r\n\t%b\r\n" % (fits.encode(), blank.encode()) == field(
        "X", [fits, blank], separator=", "
    )
    assert b"X:\r\n" == field("X", [])


def test_long_lists_are_folded_between_their_words():
    addresses = [f"recipient{n}@home.example" for n in range(20)]
    octets = field("X-Envelope-To", [f"<{a}>" for a in addresses], separator=", ")
    lines = octets.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 78 for line in lines)
    assert all(line.startswith(b"\t<") for line in lines[1:])
    unfolded = b"".join(lines).replace(b",\t", b", ")
    assert b"X-Envelope-To: " + b", ".join(b"<%b>" % a.encode() for a in addresses) == unfolded


def test_a_field_without_words_has_no_blank_at_its_end():
    assert b"X-Envelope-To-Blocked:\r\n" == field("X-Envelope-To-Blocked", [])


def test_the_fields_before_a_stored_message_are_those_of_amavis():
    hits = (ScoredHit("HTML_MESSAGE", 0.001, ""), ScoredHit("BAYES_99", 3.5, ""))
    envelope = Envelope("", (Recipient("a@example.net"), Recipient("b@example.net")))
    octets = quarantine_fields(envelope, ["a@example.net"], "9jc5xEn26f99", hits, 6.642, Levels())
    assert (
        b"X-Envelope-From: <>\r\n"
        b"X-Envelope-To: <a@example.net>, <b@example.net>\r\n"
        b"X-Envelope-To-Blocked: <a@example.net>\r\n"
        b"X-Quarantine-ID: <9jc5xEn26f99>\r\n"
        b"X-Spam-Flag: YES\r\n"
        b"X-Spam-Score: 6.642\r\n"
        b"X-Spam-Level: ******\r\n"
        b"X-Spam-Status: Yes, score=6.642 tag=-999 tag2=3 kill=5\r\n"
        b"\ttests=[BAYES_99=3.5, HTML_MESSAGE=0.001]\r\n"
        b"\tautolearn=no\r\n"
    ) == octets


@pytest.mark.parametrize(("score", "stars"), [(-3.0, b""), (0.9, b""), (1000.0, b" " + b"*" * 64)])
def test_the_level_has_a_star_for_each_point_up_to_64(score: float, stars: bytes):
    verdict = Verdict("a@b", Category.CLEAN, Action.DELIVER, score, Policy(), "")
    assert b"X-Spam-Level:%b\r\n" % stars in spam_fields((), verdict, marked=False)


def test_a_message_without_hits_has_empty_tests():
    verdict = Verdict("a@b", Category.CLEAN, Action.DELIVER, 0.0, Policy(), "")
    assert b"\ttests=[]\r\n\tautolearn=no\r\n" in spam_fields((), verdict, marked=False)


@pytest.mark.parametrize(
    ("value", "text"), [(6.642, "6.642"), (5.0, "5"), (-0.0001, "0"), (0.1 + 0.2, "0.3"), (-1.097, "-1.097")]
)
def test_numbers_are_written_as_amavis_writes_them(value: float, text: str):
    assert text == number(value)
