"""Reading a file that amavisd's quarantine has stored."""

import time

import pytest
from tests.support.amavis_files import MAIL_ID, MESSAGE, fields

from lazaret.flow.amavis_file import NotStoredByAmavis, StoredFile, read
from lazaret.model.entry import Entry
from lazaret.model.verdict import Category


def entry(octets: bytes, name: str = "spam-9jc5xEn26f99") -> Entry:
    return read(StoredFile(name, octets, 1_700_000_000.0), lambda address: address.endswith("@home.example"))


def test_envelope_scores_and_header_come_from_the_fields_on_top():
    found = entry(fields() + MESSAGE)

    assert MAIL_ID == found.mail_id
    assert "promo@spam.example" == found.sender
    assert [("ann@home.example", True, True)] == [(r.address, r.local, r.stored) for r in found.recipients]
    assert (6.642, Category.SPAM) == (found.score, found.category)
    assert [("BAYES_99", 3.5), ("HTML_MESSAGE", 0.001), ("AM.WBL", -1.5)] == [
        (h.symbol, h.score) for h in found.hits
    ]
    assert ("You wön", "<1@spam.example>", "192.0.2.9") == (
        found.subject,
        found.message_id,
        found.session.client_ip,
    )
    assert 1_676_858_528.0 == found.time
    assert found.imported


def test_the_text_is_what_amavisd_stored_and_the_message_begins_below_its_fields():
    found = entry(fields() + MESSAGE)

    assert (fields() + MESSAGE).replace(b"\n", b"\r\n") == found.text
    assert MESSAGE.replace(b"\n", b"\r\n") == (found.text or b"")[found.prefix :]


def test_fields_of_the_message_itself_say_nothing():
    forged = b"X-Envelope-To: <eve@evil.example>\nX-Quarantine-ID: <evilevilevil>\n" + MESSAGE.partition(
        b"\n"
    )[2].replace(b"(amavis", b"(other")
    found = entry(fields() + MESSAGE.partition(b"From:")[0] + forged)

    assert (MAIL_ID, ["ann@home.example"]) == (found.mail_id, [r.address for r in found.recipients])


def test_recipients_who_got_the_message_are_known_and_have_no_copy_in_the_quarantine():
    found = entry(fields(to="<ann@home.example>,\n\t<bob@home.example>") + MESSAGE)

    assert [("ann@home.example", "quarantine", True), ("bob@home.example", "deliver", False)] == [
        (r.address, r.action, r.stored) for r in found.recipients
    ]


def test_an_old_file_that_does_not_say_who_was_blocked_was_blocked_for_all():
    found = entry(fields(to="<ann@home.example>, <bob@home.example>", blocked=None) + MESSAGE)

    assert [True, True] == [r.stored for r in found.recipients]


def test_a_clean_message_that_was_archived_is_blocked_for_nobody():
    found = entry(fields(blocked="", score="1.5") + MESSAGE, "archive-9jc5xEn26f99.gz")

    assert [False] == [r.stored for r in found.recipients]
    assert Category.SPAMMY == found.category


def test_a_quoted_local_part_may_hold_what_separates_addresses():
    found = entry(fields(to='<"a, <b> \\" c"@home.example>,\n\t<ann@home.example>') + MESSAGE)

    assert ['"a, <b> \\" c"@home.example', "ann@home.example"] == [r.address for r in found.recipients]


@pytest.mark.parametrize(
    ("name", "alert", "category"),
    [
        ("virus-x", "", Category.VIRUS),
        ("W12/banned-x", "", Category.BANNED),
        ("badh-x", "", Category.BAD_HEADER),
        ("x", "INFECTED, message contains virus: Eicar", Category.VIRUS),
        ("x", "BANNED, message contains .exe", Category.BANNED),
        ("x.gz", "", Category.SPAM),
    ],
)
def test_the_category_comes_from_the_name_of_the_file_else_from_alert_and_level(name, alert, category):
    assert category == entry(fields(alert=alert) + MESSAGE, name).category


def test_a_range_of_scores_gives_the_lowest_as_the_table_of_amavisd_does():
    assert 1.5 == entry(fields(score="1.5..6.5") + MESSAGE).score


def test_an_old_file_without_an_id_gets_the_same_at_every_reading():
    first, second = entry(fields("") + MESSAGE), entry(fields("") + MESSAGE)

    assert first.mail_id == second.mail_id
    assert 12 == len(first.mail_id)


def test_a_date_that_cannot_be_gives_way_to_that_of_the_file():
    assert 1_700_000_000.0 == entry(fields() + MESSAGE.replace(b"2023", b"9023", 1)).time
    assert 1_700_000_000.0 == entry(fields() + MESSAGE.replace(b"20 Feb 2023", b"nonsense", 1)).time


@pytest.mark.parametrize(
    "octets", [b"", b"From: a\n\nhello\n", b"From a@b Mon Feb\n" + fields() + MESSAGE, MESSAGE]
)
def test_what_amavisd_did_not_store_is_refused(octets):
    with pytest.raises(NotStoredByAmavis):
        entry(octets)


@pytest.mark.parametrize(
    "hostile",
    [
        b"X-Envelope-To: " + b"<" * 2_000_000,
        b"X-Envelope-To: " + b'<"' * 1_000_000,
        b"X-Envelope-To: " + b'<"\\' * 700_000,
        b"X-Spam-Status: " + b"score=" * 300_000 + b"\nX-Envelope-To: <a@b.example>",
        b"X-Envelope-To: <a@b.example>\n" * 60_000,
    ],
)
def test_hostile_fields_cost_linear_time(hostile):
    began = time.process_time()
    try:
        entry(hostile + b"\n" + MESSAGE)
    except NotStoredByAmavis:
        pass

    assert time.process_time() - began < 3
