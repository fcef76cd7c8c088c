"""Entries for the tests of the store, written by hand."""

import hashlib
from dataclasses import replace
from typing import Any

from lazaret.model import mail_id
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.envelope import Session
from lazaret.model.verdict import Category, ScoredHit

NOW = 1_770_000_000.0
PREFIX = b"X-Envelope-From: <promo@news.spam.example>\r\nReceived: from a by b;\r\n\tsome day\r\n"
MESSAGE = (
    b"From: Big Prizes <win@prizes.example>\r\nTo: Ann <ann@home.example>\r\nSubject: You won\r\n\r\n"
    b"Claim your golden ticket today.\r\n"
)
HITS = (
    ScoredHit("BAYES_99", 3.5, "the words are those of spam"),
    ScoredHit("HTML_MESSAGE", 0.001, "there is an HTML part", "text/html"),
    ScoredHit("URIBL_BLACK", 2.5, "a link leads to a listed host", "spam.example"),
)


def recipient(address: str = "ann@home.example", **changes: Any) -> EntryRecipient:
    """A recipient whose copy was quarantined."""
    copy = EntryRecipient(
        address=address,
        local=True,
        category=Category.SPAM,
        action="quarantine",
        score=6.001,
        reason="6.0 points reach the quarantine level of 5.0",
        response="250 2.7.0 Ok, discarded, id=00001-01 - spam",
        stored=True,
    )
    return replace(copy, **changes)


def quarantined(**changes: Any) -> Entry:
    """A message that was quarantined for one recipient."""
    identity, secret = mail_id.generate()
    message = changes.pop("message", MESSAGE)
    entry = Entry(
        mail_id=identity,
        secret_id=secret,
        log_id="00001-01",
        time=NOW,
        session=Session(client_ip="192.0.2.7", client_name="mx.spam.example", helo="mx", queue_id="4cXYZ"),
        sender="promo@news.spam.example",
        recipients=(recipient(),),
        size=len(message),
        originating=False,
        category=Category.SPAM,
        score=6.001,
        hits=HITS,
        unavailable=(),
        took_ms=1.25,
        message_id="<won-1@prizes.example>",
        from_header="Big Prizes <win@prizes.example>",
        reply_to="Claims <claims@other.example>",
        subject="You won",
        to_header="Ann Lee <ann@home.example>, team@list.example",
        digest=hashlib.sha256(message).digest(),
        text=PREFIX + message,
        prefix=len(PREFIX),
        body_text="Claim your golden ticket today.",
        attachments=("prize list.pdf",),
    )
    return replace(entry, **changes)


def delivered(**changes: Any) -> Entry:
    """A clean message that was delivered: history alone."""
    entry = quarantined(
        sender="bob@friend.example",
        from_header="Bob Friend <bob@friend.example>",
        reply_to="",
        subject="Lunch on Sunday",
        recipients=(
            recipient(
                category=Category.CLEAN, action="deliver", score=0.001, stored=False, reason="below the mark"
            ),
        ),
        category=Category.CLEAN,
        score=0.001,
        hits=HITS[1:2],
        text=None,
        body_text="",
        attachments=(),
    )
    return replace(entry, **changes)
