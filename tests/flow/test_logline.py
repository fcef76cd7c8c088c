"""The log line, compared with amavis' own."""

import json
import re
from dataclasses import replace

import pytest

from lazaret.flow import logline
from lazaret.flow.filter import Handled
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.envelope import Envelope, Session
from lazaret.model.verdict import Category, ScoredHit

RECIPIENT = EntryRecipient(
    "b@y.example", True, Category.SPAM, "quarantine", 6.642, "score 6.642 …", "250 2.7.0 Ok", stored=True
)
ENTRY = Entry(
    mail_id="7vykgLjHGVrk",
    secret_id="s",
    log_id="22027-09",
    time=1_770_000_000.0,
    session=Session(client_ip="192.0.2.7", client_port=35863, queue_id="23C7D524CFC"),
    sender="a@x.example",
    recipients=(RECIPIENT,),
    size=2_666_753,
    originating=False,
    category=Category.SPAM,
    score=6.642,
    hits=(ScoredHit("HTML_MESSAGE", 0.001, ""), ScoredHit("BAYES_99", 3.5, "")),
    unavailable=(),
    took_ms=9030.4,
    message_id="<D77AD@x.example>",
    from_header="",
    reply_to="",
    subject="hello",
)
BLOCKED = Handled(ENTRY, Envelope("a@x.example"), (), stored=True)
PASSED = replace(
    BLOCKED,
    entry=replace(
        ENTRY,
        recipients=(
            replace(
                RECIPIENT, address="u@y.example", action="deliver", category=Category.CLEAN, stored=False
            ),
            replace(
                RECIPIENT, address="v@y.example", action="deliver", category=Category.CLEAN, stored=False
            ),
        ),
        session=replace(ENTRY.session, queue_id=""),
        score=-1.097,
        hits=(),
        size=14109,
        took_ms=2330.0,
    ),
    queued_as=("D436021113",),
    stored=False,
)

# What log parsers for amavis look for (pflogsumm, logwatch, Kibana patterns).
PATTERN = re.compile(
    r"\((?P<log_id>\S+)\) (?P<fate>Passed|Blocked) (?P<category>\S+) \{(?P<actions>[A-Za-z,]+)\}, "
    r"(?:LOCAL )?\[(?P<ip>\S+)\]:(?P<port>\d+) \[\S+\] <(?P<sender>.*?)> -> (?P<to><.*?>(?:,<.*?>)*), "
    r"(?:quarantine: (?P<quarantine>\S+), )?(?:Queue-ID: (?P<queue>\S+), )?(?:Message-ID: (?P<mid>.*?), )?"
    r"mail_id: (?P<id>\S+), Hits: (?P<hits>\S+), size: (?P<size>\d+)"
    r"(?:, queued_as: (?P<queued>\S+))?(?:, Tests: \[(?P<tests>.*?)\])?, (?P<ms>\d+) ms"
)


def test_a_blocked_message_reads_as_amavis_writes_it():
    assert [
        "(22027-09) Blocked SPAM {DiscardedInbound,Quarantined}, [192.0.2.7]:35863 [192.0.2.7]"
        " <a@x.example> -> <b@y.example>, quarantine: 7vykgLjHGVrk, Queue-ID: 23C7D524CFC,"
        " Message-ID: <D77AD@x.example>, mail_id: 7vykgLjHGVrk, Hits: 6.642, size: 2666753,"
        " Tests: [BAYES_99=3.5,HTML_MESSAGE=0.001], 9030 ms"
    ] == logline.text(BLOCKED)


def test_a_passed_message_reads_as_amavis_writes_it():
    assert [
        "(22027-09) Passed CLEAN {RelayedInbound}, [192.0.2.7]:35863 [192.0.2.7]"
        " <a@x.example> -> <u@y.example>,<v@y.example>, Message-ID: <D77AD@x.example>,"
        " mail_id: 7vykgLjHGVrk, Hits: -1.097, size: 14109, queued_as: D436021113, 2330 ms"
    ] == logline.text(PASSED)


def test_recipients_with_different_fates_have_a_line_each():
    both = replace(
        BLOCKED,
        entry=replace(ENTRY, recipients=(*PASSED.entry.recipients, RECIPIENT)),
        queued_as=("D436021113",),
    )
    passed, blocked = map(PATTERN.fullmatch, logline.text(both))
    assert passed
    assert blocked
    assert ("Passed", "<u@y.example>,<v@y.example>", None) == passed.group("fate", "to", "quarantine")
    assert ("Blocked", "<b@y.example>", "7vykgLjHGVrk") == blocked.group("fate", "to", "quarantine")


@pytest.mark.parametrize(
    ("originating", "local", "word"),
    [
        (False, True, "DiscardedInbound"),
        (True, True, "DiscardedInternal"),
        (True, False, "DiscardedOutbound"),
        (False, False, "DiscardedOpenRelay"),
    ],
)
def test_the_direction_is_that_of_sender_and_recipient(originating: bool, local: bool, word: str):
    recipients = (replace(RECIPIENT, local=local, stored=False),)
    entry = replace(ENTRY, originating=originating, recipients=recipients)
    assert f"{{{word}}}" in logline.text(replace(BLOCKED, entry=entry))[0]


@pytest.mark.parametrize(
    ("action", "category", "words"),
    [
        ("mark", Category.SPAMMY, "Passed SPAMMY {RelayedTaggedInbound}"),
        ("reject", Category.SPAM, "Blocked SPAM {RejectedInbound}"),
        ("reject", Category.MTA, "Blocked MTA-BLOCKED {RejectedInbound}"),
        ("defer", Category.MTA, "Blocked MTA-BLOCKED {TempFailedInbound}"),
        ("discard", Category.UNCHECKED, "Blocked UNCHECKED {DiscardedInbound}"),
    ],
)
def test_fate_category_and_action(action: str, category: Category, words: str):
    recipients = (replace(RECIPIENT, action=action, category=category, stored=False),)
    entry = replace(ENTRY, recipients=recipients)
    assert words in logline.text(replace(BLOCKED, entry=entry, stored=False))[0]


HOSTILE = "x\r\nNov 22 host amavis: (1-1) Passed CLEAN\x1b[2J\x85\u2028\u2029\u202e\ud800\x00"


def test_hostile_values_can_neither_break_a_line_nor_drive_a_terminal():
    entry = replace(
        ENTRY,
        sender=HOSTILE,
        message_id=HOSTILE,
        subject=HOSTILE,
        session=replace(ENTRY.session, queue_id=HOSTILE, helo=HOSTILE),
        recipients=(replace(RECIPIENT, address=HOSTILE, response=HOSTILE, reason=HOSTILE),),
    )
    handled = replace(BLOCKED, entry=entry, queued_as=(HOSTILE,))
    for line in (*logline.text(handled), logline.json(handled)):
        assert [line] == line.splitlines()
        assert line.isprintable()
        line.encode("utf-8")


def test_the_zone_of_an_address_is_what_a_client_says():
    entry = replace(ENTRY, session=replace(ENTRY.session, client_ip="fe80::1%\u2028\udcff"))
    for line in (*logline.text(replace(BLOCKED, entry=entry)), logline.json(replace(BLOCKED, entry=entry))):
        assert "fe80::1%??" in line
        assert line.isprintable()


def test_a_long_value_leaves_the_line_short_enough_for_syslog():
    entry = replace(ENTRY, message_id="x" * 100_000, hits=(ENTRY.hits[0],) * 1000)
    assert len(logline.text(replace(BLOCKED, entry=entry))[0]) < 4000


def test_json_has_the_same_facts_under_fixed_keys():
    facts = json.loads(logline.json(BLOCKED))
    assert ("message", "22027-09", "7vykgLjHGVrk", 6.642, True) == (
        facts["event"],
        facts["log_id"],
        facts["mail_id"],
        facts["score"],
        facts["stored"],
    )
    assert {"BAYES_99": 3.5, "HTML_MESSAGE": 0.001} == facts["tests"]
    assert [("b@y.example", "quarantine", "spam")] == [
        (r["address"], r["action"], r["category"]) for r in facts["recipients"]
    ]
