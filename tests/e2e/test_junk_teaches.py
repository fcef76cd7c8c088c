"""Moving mail into Junk and out of it teaches, as docs/learning.md has it: real Dovecot, real IMAP client."""

import imaplib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from .dovecot import Dovecot
from .mail import MARK, compose, fresh, send
from .place import Place
from .waiting import until


@contextmanager
def mailbox_of(dovecot: Dovecot, address: str) -> Iterator[imaplib.IMAP4]:
    """The user's mail program."""
    with imaplib.IMAP4("127.0.0.1", dovecot.imap) as client:
        client.login(address, "any")
        yield client


def move(client: imaplib.IMAP4, source: str, target: str) -> None:
    """The only message of one folder into another."""
    client.create(target)
    assert "OK" == client.select(source)[0]
    assert "OK" == client._simple_command("MOVE", "1", target)[0]
    client.close()


def lessons(place: Place, address: str) -> list[tuple[str, int]]:
    """What this user has taught: label, and whether it holds."""
    with closing(sqlite3.connect(place.lazaret.home / "data" / "lazaret.db")) as database:
        return database.execute(
            "SELECT label, undone_by = 0 FROM lz_learned WHERE who = ? ORDER BY id", (f"user:{address}",)
        ).fetchall()


def delivered(place: Place, *words: str) -> str:
    """A user who has one message."""
    anna = fresh("anna")
    send(place.port, "friend@friends.example", anna, compose("friend@friends.example", anna, *words))
    place.mailboxes.wait(anna, "Junk" if MARK in words else "INBOX")
    until("the row of history", lambda: place.lazaret.find("--all", f"to:{anna}"))
    return anna


def test_into_junk_it_is_taught_as_spam_and_out_of_it_as_ham(
    by_lmtp: Place, private_dovecot: Dovecot
) -> None:
    private_dovecot.teach(by_lmtp.lazaret.config)
    anna = delivered(by_lmtp)
    with mailbox_of(private_dovecot, anna) as client:
        move(client, "INBOX", "Junk")
        until("the lesson", lambda: lessons(by_lmtp, anna) == [("S", 1)], within_s=60)
        move(client, "Junk", "INBOX")
        until("the correction", lambda: lessons(by_lmtp, anna) == [("S", 0), ("H", 1)], within_s=60)
    until("the model", lambda: b'"model_ham": 1' in by_lmtp.lazaret.run("learn", "status", "--json").stdout)


def test_a_marked_message_that_is_taken_out_of_junk_is_ham(by_lmtp: Place, private_dovecot: Dovecot) -> None:
    private_dovecot.teach(by_lmtp.lazaret.config)
    anna = delivered(by_lmtp, MARK)
    assert [] == lessons(by_lmtp, anna)
    with mailbox_of(private_dovecot, anna) as client:
        move(client, "Junk", "INBOX")
        until("the lesson", lambda: lessons(by_lmtp, anna) == [("H", 1)], within_s=60)


def test_out_of_junk_into_the_bin_teaches_nothing_and_neither_does_mail_of_elsewhere(
    by_lmtp: Place, private_dovecot: Dovecot
) -> None:
    private_dovecot.teach(by_lmtp.lazaret.config)
    anna = delivered(by_lmtp, MARK)
    foreign = compose("friend@friends.example", anna).octets
    said = len(private_dovecot.log())
    with mailbox_of(private_dovecot, anna) as client:
        move(client, "Junk", "Trash")
        client.append("INBOX", "", imaplib.Time2Internaldate(time.time()), foreign)
        move(client, "INBOX", "Junk")
    until("the refusal", lambda: "was not examined here" in private_dovecot.log()[said:], within_s=60)
    assert [] == lessons(by_lmtp, anna)
