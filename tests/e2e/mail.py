"""Messages of the tests, and the clients that hand them to Postfix."""

import hashlib
import itertools
import os
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

STRANGER = "203.0.113.9"
"""A client out there (RFC 5737). Loopback would be one of our own users."""
TRAVELLER = "198.51.100.7"
"""One of our users out there. Postfix knows the address, in place of a login; Lazaret does not."""

MARK = "mark-me-please"
QUARANTINE = "quarantine-me-please"
KILL = "kill-me-please"

_numbers = itertools.count(1)


def fresh(name: str, domain: str = "example.com") -> str:
    """An address that no other test uses, so that its mailbox is empty."""
    return f"{name}-{os.getpid()}-{next(_numbers)}@{domain}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it leaves its writer, with CRLF line ends."""

    octets: bytes

    @property
    def first_line(self) -> bytes:
        return self.octets.partition(b"\r\n")[0]

    def digest(self) -> str:
        """SHA-256 of it with LF line ends, as a Maildir has it."""
        return hashlib.sha256(self.octets.replace(b"\r\n", b"\n")).hexdigest()

    def digest_within(self, stored: bytes) -> str:
        """SHA-256 of what stands in `stored` from our first line on: below all that was put on top."""
        text = stored.replace(b"\r\n", b"\n")
        start = text.find(b"\n" + self.first_line + b"\n") + 1
        assert start > 0, text[:2000]
        return hashlib.sha256(text[start:]).hexdigest()


def compose(sender: str, recipient: str, *words: str, subject: str = "Greetings", size: int = 0) -> Message:
    """A message with octets that a careless filter would change; `words` make rules fire."""
    number = f"{os.getpid()}.{next(_numbers)}"
    lines = [
        f"X-Number: {number}",
        f"Message-ID: <{number}@client.example>",
        "Date: Mon, 02 Jun 2025 10:00:00 +0200",
        f"From: Somebody <{sender or 'nobody@client.example'}>",
        f"To: <{recipient}>",
        f"Subject: {subject}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain;",
        "\tcharset=iso-8859-1 ",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Hello,",
        *words,
        "From here on it is about octets: a line that begins with From,",
        "..two dots, and blanks at the end   ",
        "\ta tab, an e with an accent: \xe9, and two empty lines at the end.",
        "",
        "",
    ]
    octets = "\r\n".join(lines).encode("latin-1") + b"\r\n"
    filling = b"x" * 70 + b"\r\n"
    octets += filling * max(0, (size - len(octets)) // len(filling))
    return Message(octets)


@contextmanager
def client(port: int, address: str = STRANGER) -> Iterator[smtplib.SMTP]:
    """A connection to Postfix as from `address` (XCLIENT)."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mail.client.example", timeout=60) as smtp:
        smtp.ehlo()
        code, text = smtp.docmd("XCLIENT", f"ADDR={address} NAME=mail.client.example")
        assert code == 220, text
        smtp.ehlo()
        yield smtp


def send(
    port: int,
    sender: str,
    recipients: str | Sequence[str],
    message: Message,
    *,
    address: str = STRANGER,
    notify: str = "",
) -> None:
    """Hands one message over as from the client `address`; smtplib's exceptions when Postfix refuses."""
    parameters = [f"NOTIFY={notify}"] if notify else []
    with client(port, address) as smtp:
        smtp.sendmail(sender, recipients, message.octets, ["BODY=8BITMIME"], parameters)
