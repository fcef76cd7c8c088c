"""The letters of the demo: one for each fate."""

from dataclasses import dataclass
from email.utils import formatdate, make_msgid

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, its envelope, and what is to become of it."""

    fate: str
    """The word of the action."""
    sender: str
    recipient: str
    fields: tuple[str, ...]
    text: str

    def octets(self) -> bytes:
        """As on the wire, dated now."""
        domain = self.sender.rpartition("@")[2]
        head = [
            f"Received: from mail.{domain} (mail.{domain} [192.0.2.25])\r\n"
            f"\tby mx.harbour.example with ESMTPS; {formatdate()}",
            *self.fields,
            f"To: <{self.recipient}>",
            f"Date: {formatdate()}",
            f"Message-ID: {make_msgid(domain=domain)}",
            "MIME-Version: 1.0",
        ]
        body = self.text.replace("\n", "\r\n")
        return ("\r\n".join(head) + "\r\n\r\n" + body + "\r\n").encode()


LETTERS = (
    Letter(
        "deliver",
        "captain@brig.example",
        "anna@harbour.example",
        ("From: The Captain <captain@brig.example>", "Subject: Arrival on Thursday"),
        "Dear Anna,\n\nwe expect to reach the harbour on Thursday, with the evening tide.\n\nThe Captain",
    ),
    Letter(
        "mark",
        "offers@bargains.example",
        "anna@harbour.example",
        (
            "From: Bargains <offers@bargains.example>",
            "Reply-To: bargains.desk@gmail.com",
            "Subject: LAST CHANCE!!! Act now",
            "Content-Type: text/html; charset=utf-8",
        ),
        "<p>Act now, this is a limited time offer. Click here for your free gift.</p>"
        '<p><a href="http://192.0.2.80/offer">Claim it</a></p>',
    ),
    Letter(
        "quarantine",
        "billing@spam.com",
        "ben@harbour.example",
        (
            'From: "PayPal Service" <billing@spam.com>',
            "Reply-To: paypal.service@gmail.com",
            "Subject: Your account has been suspended",
            "Content-Type: text/html; charset=utf-8",
        ),
        "<p>Dear customer, we noticed unusual activity. Verify your account within 24 hours.</p>"
        '<p><a href="http://192.0.2.66/login">https://www.paypal.com/signin</a></p>',
    ),
    Letter(
        "discard",
        "prince@fortune.example",
        "ben@harbour.example",
        ("From: <prince@fortune.example>", "Subject: Test of the last resort"),
        f"The standard string that every filter must stop:\n\n{GTUBE}",
    ),
)
