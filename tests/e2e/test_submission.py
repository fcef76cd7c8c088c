"""Mail of our own users is never marked and never vanishes: its writer learns that it was refused."""

import smtplib

import pytest

from .mail import KILL, MARK, QUARANTINE, TRAVELLER, compose, fresh, send
from .place import Place


@pytest.mark.parametrize("way", ["by_lmtp", "by_smtp", "before_queue"])
def test_outgoing_mail_is_not_marked(way: str, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(way)
    anna, customer = fresh("anna"), fresh("customer", "elsewhere.example")
    message = compose(anna, customer, MARK)
    send(place.submission, anna, customer, message, address=TRAVELLER)

    [sent] = place.mailboxes.wait(customer)
    assert b"\nSubject: Greetings\n" in sent
    assert b"\nX-Spam-" not in sent
    assert message.digest() == message.digest_within(sent)


@pytest.mark.parametrize("word", [QUARANTINE, KILL])
def test_refused_outgoing_mail_comes_back_to_its_writer(by_lmtp: Place, word: str) -> None:
    anna, customer = fresh("anna"), fresh("customer", "elsewhere.example")
    send(by_lmtp.submission, anna, customer, compose(anna, customer, word), address=TRAVELLER)

    by_lmtp.postfix.drain()
    assert [] == by_lmtp.mailboxes.all_messages(customer)
    [bounce] = by_lmtp.mailboxes.messages(anna)
    assert customer.encode() in bounce
    assert b"554 5.7.0 Reject" in bounce


@pytest.mark.parametrize("word", [QUARANTINE, KILL])
@pytest.mark.parametrize("way", ["by_smtp", "before_queue"])
def test_before_the_queue_the_mail_program_sees_the_refusal(
    way: str, word: str, request: pytest.FixtureRequest
) -> None:
    place: Place = request.getfixturevalue(way)
    anna, customer = fresh("anna"), fresh("customer", "elsewhere.example")
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(place.submission, anna, customer, compose(anna, customer, word), address=TRAVELLER)

    assert 554 == refusal.value.smtp_code
    place.postfix.drain()
    assert [] == place.mailboxes.all_messages(customer)
    assert [] == place.mailboxes.all_messages(anna)


def test_mail_from_this_machine_is_our_own_without_submission(by_lmtp: Place) -> None:
    anna, customer = fresh("anna"), fresh("customer", "elsewhere.example")
    send(by_lmtp.port, anna, customer, compose(anna, customer, QUARANTINE), address="127.0.0.1")

    by_lmtp.postfix.drain()
    assert [] == by_lmtp.mailboxes.all_messages(customer)
    assert 1 == len(by_lmtp.mailboxes.messages(anna))
