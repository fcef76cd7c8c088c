"""The letters of the demo: one for each fate."""

from dataclasses import dataclass
from email.utils import formatdate, make_msgid
from functools import cached_property

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@dataclass(frozen=True)
class Letter:
    """A message, its envelope, and what is to become of it."""

    fate: str
    """The word of the action."""
    sender: str
    recipient: str
    name: str
    """The sender's, as in From."""
    subject: str
    text: str
    fields: tuple[str, ...] = ()
    """More of the header."""

    @cached_property
    def octets(self) -> bytes:
        """As on the wire, dated at the first look."""
        domain = self.sender.rpartition("@")[2]
        head = [
            f"Received: from mail.{domain} (mail.{domain} [192.0.2.25])\r\n"
            f"\tby mx.harbour.example with ESMTPS; {formatdate()}",
            f"From: {self.name} <{self.sender}>",
            f"To: <{self.recipient}>",
            f"Subject: {self.subject}",
            f"Date: {formatdate()}",
            f"Message-ID: {make_msgid(domain=domain)}",
            "MIME-Version: 1.0",
            *self.fields,
        ]
        body = self.text.replace("\n", "\r\n")
        return ("\r\n".join(head) + "\r\n\r\n" + body + "\r\n").encode()


LETTERS = (
    Letter(
        "deliver",
        "captain@brig.example",
        "anna@harbour.example",
        "The Captain",
        "Arrival on Thursday",
        "Dear Anna,\n\nwe expect to reach the harbour on Thursday, with the evening tide.\n\nThe Captain",
    ),
    Letter(
        "mark",
        "news@bargains.example",
        "anna@harbour.example",
        "Bargains",
        "ONLY THIS WEEK IN OUR SHOP",
        "Dear customer,\n\nour shop at the quay has new sails and ropes this week:\n\n"
        "http://192.0.2.80/sails\n\nThe team of Bargains",
    ),
    Letter(
        "quarantine",
        "billing@spam.com",
        "ben@harbour.example",
        '"PayPal"',
        "Your invoice is due",
        "Dear Ben,\n\nyour invoice for November is due. You find it here:\n\n"
        "http://192.0.2.66/invoice\n\nThe billing team",
        ("Reply-To: paypal.billing@gmail.com",),
    ),
    Letter(
        "discard",
        "prince@fortune.example",
        "ben@harbour.example",
        "The Prince",
        "Test of the last resort",
        f"The standard string that every filter must stop:\n\n{GTUBE}",
    ),
)
