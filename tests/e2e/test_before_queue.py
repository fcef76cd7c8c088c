"""Before the queue our reply is the sender's reply: a refusal is a refusal."""

import smtplib

import pytest

from .mail import KILL, MARK, QUARANTINE, compose, fresh, send
from .place import Place


def test_a_killed_message_is_refused_while_its_sender_is_still_there(before_queue: Place) -> None:
    anna = fresh("anna")
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(before_queue.port, "seller@spam.com", anna, compose("seller@spam.com", anna, KILL))

    assert 554 == refusal.value.smtp_code
    assert b"5.7.0 Reject" in refusal.value.smtp_error
    before_queue.postfix.drain()
    assert [] == before_queue.mailboxes.all_messages(anna)
    assert [] == before_queue.mailboxes.all_messages("seller@spam.com")


def test_a_clean_message_is_delivered_as_it_came(before_queue: Place) -> None:
    anna = fresh("anna")
    message = compose("friend@friends.example", anna)
    send(before_queue.port, "friend@friends.example", anna, message)

    [delivered] = before_queue.mailboxes.wait(anna)
    assert b"\nX-Spam-Flag: NO\n" in delivered
    assert message.digest() == message.digest_within(delivered)


def test_a_marked_message_is_filed_into_junk(before_queue: Place) -> None:
    anna = fresh("anna")
    send(before_queue.port, "shop@spam.com", anna, compose("shop@spam.com", anna, MARK))

    [filed] = before_queue.mailboxes.wait(anna, "Junk")
    assert b"\nSubject: ***SPAM*** Greetings\n" in filed


def test_a_quarantined_message_is_accepted_found_and_released(before_queue: Place) -> None:
    anna = fresh("anna")
    seller = fresh("seller", "spam.com")
    message = compose(seller, anna, QUARANTINE)
    send(before_queue.port, seller, anna, message)
    before_queue.postfix.drain()
    assert [] == before_queue.mailboxes.all_messages(anna)

    mail_id = before_queue.lazaret.find_one(f"from:{seller}")["id"]
    assert 0 == before_queue.lazaret.run("release", mail_id).returncode
    [delivered] = before_queue.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)


def test_aliases_are_expanded_once(before_queue: Place) -> None:
    team, anna, archive = fresh("team"), fresh("anna"), fresh("archive")
    before_queue.users.aliases[team] = anna
    before_queue.users.copies[team] = archive
    send(before_queue.port, "friend@friends.example", team, compose("friend@friends.example", team))

    before_queue.postfix.drain()
    counts = [len(before_queue.mailboxes.all_messages(address)) for address in (anna, archive)]
    assert [1, 1] == counts


def test_senders_are_asked_to_come_back_while_lazaret_is_down(before_queue: Place) -> None:
    anna = fresh("anna")
    before_queue.lazaret.stop()
    try:
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            send(before_queue.port, "friend@friends.example", anna, compose("friend@friends.example", anna))
    finally:
        before_queue.lazaret.start()
    assert 4 == refusal.value.smtp_code // 100
    send(before_queue.port, "friend@friends.example", anna, compose("friend@friends.example", anna))
    assert 1 == len(before_queue.mailboxes.wait(anna))
