"""The four fates of a message after the queue, seen where people see them: in the mailbox."""

import re
import smtplib

from .mail import KILL, MARK, QUARANTINE, Message, client, compose, fresh, send
from .place import Place
from .postfix import MESSAGE_SIZE_LIMIT


def _header(message: bytes) -> bytes:
    return message.partition(b"\n\n")[0] + b"\n"


def test_a_clean_message_is_delivered_with_spam_fields(after_queue: Place) -> None:
    anna = fresh("anna")
    message = compose("friend@friends.example", anna)
    send(after_queue.port, "friend@friends.example", anna, message)

    [delivered] = after_queue.mailboxes.wait(anna)
    assert b"\nX-Spam-Flag: NO\n" in _header(delivered)
    assert b"\nX-Spam-Status: No, score=" in _header(delivered)
    assert b"\nSubject: Greetings\n" in _header(delivered)
    assert message.digest() == message.digest_within(delivered)


def test_the_second_hop_logs_the_client_of_the_first(after_queue: Place) -> None:
    anna = fresh("anna")
    logged_before = len(after_queue.postfix.log())
    send(after_queue.port, "friend@friends.example", anna, compose("friend@friends.example", anna))

    after_queue.mailboxes.wait(anna)
    logged = after_queue.postfix.log()[logged_before:]
    [arrival] = re.findall(r"postfix/filtered/smtpd\[\d+\]: \w+: (client=.*)", logged)
    assert arrival.endswith("orig_client=mail.client.example[203.0.113.9]")


def test_a_marked_message_is_filed_into_junk_with_the_mark_in_its_subject(after_queue: Place) -> None:
    anna = fresh("anna")
    send(after_queue.port, "shop@spam.com", anna, compose("shop@spam.com", anna, MARK))

    [filed] = after_queue.mailboxes.wait(anna, "Junk")
    assert b"\nX-Spam-Flag: YES\n" in _header(filed)
    assert b"\nSubject: ***SPAM*** Greetings\n" in _header(filed)
    assert [] == after_queue.mailboxes.messages(anna)


def test_a_quarantined_message_is_found_by_its_sender_and_released_octet_by_octet(after_queue: Place) -> None:
    anna = fresh("anna")
    seller = fresh("seller", "mailer.spam.com")
    message = compose(seller, anna, QUARANTINE, subject="Best offers")
    send(after_queue.port, seller, anna, message)
    after_queue.postfix.drain()
    assert [] == after_queue.mailboxes.all_messages(anna)

    [found] = [item for item in after_queue.lazaret.find("from:spam.com") if item["from"] == seller]
    assert [anna] == found["to"]
    assert "quarantined" == found["state"]
    stored = after_queue.lazaret.run("show", found["id"], "--raw").stdout
    assert message.digest() == message.digest_within(stored)

    released = after_queue.lazaret.run("release", found["id"])
    assert 0 == released.returncode, released.stderr.decode()
    assert re.match(rf"{found['id']} {anna} 250 ".encode(), released.stdout), released.stdout
    [delivered] = after_queue.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)
    assert b"***SPAM***" not in delivered


def test_a_release_to_somebody_who_does_not_exist_is_refused_and_says_so(by_lmtp: Place) -> None:
    anna = fresh("anna")
    seller = fresh("seller", "spam.com")
    send(by_lmtp.port, seller, anna, compose(seller, anna, QUARANTINE))
    by_lmtp.postfix.drain()

    mail_id = by_lmtp.lazaret.find_one(f"from:{seller}")["id"]
    refused = by_lmtp.lazaret.run("release", mail_id, "--to", "nobody@example.com")
    assert 69 == refused.returncode
    assert f"{mail_id} nobody@example.com 550 ".encode() in refused.stdout
    by_lmtp.postfix.drain()
    assert [] == by_lmtp.mailboxes.all_messages(seller)


def test_a_hundred_killed_messages_with_forged_senders_leave_no_bounce_and_an_empty_queue(
    after_queue: Place,
) -> None:
    anna = fresh("anna")
    victims = [fresh("victim", "forged.example") for _ in range(100)]
    with client(after_queue.port) as connection:
        for victim in victims:
            connection.sendmail(victim, anna, compose(victim, anna, KILL).octets, ["BODY=8BITMIME"])
    after_queue.postfix.drain()
    assert [] == after_queue.mailboxes.all_messages(anna)
    assert "forged.example" not in after_queue.mailboxes.domains()
    log = after_queue.postfix.log()
    assert [] == [victim for victim in victims if f"to=<{victim}>" in log]


def test_the_message_of_an_alias_reaches_each_member_once(after_queue: Place) -> None:
    team, anna, ben = fresh("team"), fresh("anna"), fresh("ben")
    after_queue.users.aliases[team] = f"{anna}, {ben}"
    send(after_queue.port, "friend@friends.example", team, compose("friend@friends.example", team))

    after_queue.postfix.drain()
    counts = [len(after_queue.mailboxes.all_messages(address)) for address in (anna, ben)]
    assert [1, 1] == counts


def test_a_copy_for_an_archive_outside_is_made_once(after_queue: Place) -> None:
    anna, archive = fresh("anna"), fresh("archive", "elsewhere.example")
    after_queue.users.copies[anna] = archive
    send(after_queue.port, "friend@friends.example", anna, compose("friend@friends.example", anna))

    after_queue.postfix.drain()
    counts = [len(after_queue.mailboxes.all_messages(address)) for address in (anna, archive)]
    assert [1, 1] == counts


def test_the_quarantine_knows_an_alias_by_the_name_that_the_sender_wrote(after_queue: Place) -> None:
    team, anna, ben = fresh("team"), fresh("anna"), fresh("ben")
    after_queue.users.aliases[team] = f"{anna}, {ben}"
    seller = fresh("seller", "spam.com")
    send(after_queue.port, seller, team, compose(seller, team, QUARANTINE))
    after_queue.postfix.drain()

    found = after_queue.lazaret.find_one(f"from:{seller}")
    assert [team] == found["to"]
    assert 0 == after_queue.lazaret.run("release", found["id"]).returncode
    after_queue.mailboxes.wait(anna)
    after_queue.mailboxes.wait(ben)


def test_a_message_to_many_people_lies_in_the_quarantine_once(after_queue: Place) -> None:
    crowd = [fresh("member") for _ in range(120)]
    seller = fresh("seller", "spam.com")
    send(after_queue.port, seller, crowd, compose(seller, crowd[0], QUARANTINE))
    after_queue.postfix.drain()

    assert set(crowd) == set(after_queue.lazaret.find_one(f"from:{seller}")["to"])


def test_the_selftest_of_the_page_sees_both_fates(after_queue: Place) -> None:
    done = after_queue.lazaret.run("selftest")
    assert 0 == done.returncode, done.stdout.decode() + done.stderr.decode()


def _send_largest(port: int, recipient: str) -> Message:
    """The largest message that Postfix takes in, to within 100 octets."""
    for margin in range(500, 5000, 100):
        message = compose("friend@friends.example", recipient, size=MESSAGE_SIZE_LIMIT - margin)
        try:
            send(port, "friend@friends.example", recipient, message)
        except smtplib.SMTPDataError:
            continue
        return message
    raise AssertionError("Postfix takes nothing near its limit")


def test_the_largest_message_that_postfix_takes_comes_back_in_with_our_fields_on_top(
    after_queue: Place,
) -> None:
    anna = fresh("anna")
    message = _send_largest(after_queue.port, anna)

    [delivered] = after_queue.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)
