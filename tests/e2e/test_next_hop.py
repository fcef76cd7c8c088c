"""What becomes of a message when the next hop, or Lazaret itself, does not take it at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .mail import QUARANTINE, compose, fresh, send
from .place import Place
from .postfix import Postfix
from .waiting import until

FRIEND = "friend@friends.example"


@contextmanager
def _stopped(place: Place) -> Iterator[None]:
    place.lazaret.stop()
    try:
        yield
    finally:
        place.lazaret.start()


def _retry(postfix: Postfix) -> None:
    """One more attempt for all that waits, until it waits again."""
    attempts = postfix.log().count("status=deferred")
    postfix.flush()
    until("another attempt", lambda: postfix.log().count("status=deferred") > attempts)
    postfix.deferred()


def test_ten_retries_for_one_recipient_of_fifty_bring_every_mailbox_one_copy(after_queue: Place) -> None:
    crowd = [fresh("member") for _ in range(50)]
    late = crowd[17]
    after_queue.users.failing.add(late)
    send(after_queue.port, FRIEND, crowd, compose(FRIEND, "crowd@example.com"))

    for _ in range(10):
        until("a deferral", after_queue.postfix.deferred)
        _retry(after_queue.postfix)
    assert [] == after_queue.mailboxes.all_messages(late)
    after_queue.users.failing.clear()
    after_queue.postfix.flush()
    after_queue.postfix.drain()
    assert [1] * 50 == [len(after_queue.mailboxes.all_messages(member)) for member in crowd]


def test_a_recipient_whom_the_next_hop_refuses_is_told_to_the_sender_in_one_bounce(
    after_queue: Place,
) -> None:
    anna, gone = fresh("anna"), fresh("gone")
    sender = fresh("friend", "friends.example")
    after_queue.users.unknown.add(gone)
    send(after_queue.port, sender, [anna, gone], compose(sender, anna))

    after_queue.postfix.drain()
    assert 1 == len(after_queue.mailboxes.messages(anna))
    [bounce] = after_queue.mailboxes.messages(sender)
    assert b"rfc822;" + gone.encode() in bounce.replace(b"rfc822; ", b"rfc822;")
    assert b"rfc822;" + anna.encode() not in bounce.replace(b"rfc822; ", b"rfc822;")


def test_a_refused_recipient_makes_no_bounce_for_the_null_sender(after_queue: Place) -> None:
    anna, gone = fresh("anna"), fresh("gone")
    after_queue.users.unknown.add(gone)
    bounces_before = after_queue.postfix.log().count("sender non-delivery notification")
    send(after_queue.port, "", [anna, gone], compose("", anna))

    after_queue.postfix.drain()
    assert 1 == len(after_queue.mailboxes.messages(anna))
    assert bounces_before == after_queue.postfix.log().count("sender non-delivery notification")


def test_a_sender_who_wants_no_notice_gets_no_bounce(after_queue: Place) -> None:
    anna, gone = fresh("anna"), fresh("gone")
    sender = fresh("quiet", "friends.example")
    after_queue.users.unknown.add(gone)
    send(after_queue.port, sender, [anna, gone], compose(sender, anna), notify="NEVER")

    after_queue.postfix.drain()
    assert 1 == len(after_queue.mailboxes.messages(anna))
    assert [] == after_queue.mailboxes.messages(sender)


def test_mail_waits_in_the_queue_while_lazaret_is_down(after_queue: Place) -> None:
    anna = fresh("anna")
    with _stopped(after_queue):
        send(after_queue.port, FRIEND, anna, compose(FRIEND, anna))
        [waiting] = until("a deferral", after_queue.postfix.deferred)
        assert "Connection refused" in str(waiting["recipients"])
        assert [] == after_queue.mailboxes.all_messages(anna)

    after_queue.postfix.flush()
    after_queue.postfix.drain()
    assert 1 == len(after_queue.mailboxes.messages(anna))


def test_the_way_back_delivers_what_waits_for_a_lazaret_that_is_gone(after_queue: Place) -> None:
    team, anna = fresh("team"), fresh("anna")
    after_queue.users.aliases[team] = anna
    with _stopped(after_queue):
        send(after_queue.port, FRIEND, team, compose(FRIEND, team))
        until("a deferral", after_queue.postfix.deferred)
        with after_queue.postfix.without_documented_main_cf():
            after_queue.postfix.requeue()
            after_queue.postfix.drain()
            assert 1 == len(after_queue.mailboxes.messages(anna))
            ben = fresh("ben")
            send(after_queue.port, FRIEND, ben, compose(FRIEND, ben, QUARANTINE))
            after_queue.postfix.drain()
            assert 1 == len(after_queue.mailboxes.messages(ben))


@pytest.mark.parametrize("recipients", [1, 2])
def test_a_deferral_for_everybody_leaves_the_message_in_the_queue(
    after_queue: Place, recipients: int
) -> None:
    group = [fresh("late") for _ in range(recipients)]
    after_queue.users.failing.update(group)
    send(after_queue.port, FRIEND, group, compose(FRIEND, group[0]))
    until("a deferral", after_queue.postfix.deferred)

    after_queue.users.failing.clear()
    after_queue.postfix.flush()
    after_queue.postfix.drain()
    assert [1] * recipients == [len(after_queue.mailboxes.messages(member)) for member in group]


def test_a_release_needs_no_running_service(by_lmtp: Place) -> None:
    anna, seller = fresh("anna"), fresh("seller", "spam.com")
    send(by_lmtp.port, seller, anna, compose(seller, anna, QUARANTINE))
    by_lmtp.postfix.drain()
    with _stopped(by_lmtp):
        mail_id = by_lmtp.lazaret.find_one(f"from:{seller}")["id"]
        assert 0 == by_lmtp.lazaret.run("release", mail_id).returncode
        assert 1 == len(by_lmtp.mailboxes.wait(anna))
