"""Writes a digest: one mail to one recipient, in text and HTML, with a link for each message.

Pure: the same messages at the same moment give the same mail, but for the random part of its names.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from lazaret.flow.fields import Site, field
from lazaret.flow.links import Link, Links, Purpose
from lazaret.model.digest import MESSAGE_ID, Letter, Told, Untold, Wish
from lazaret.model.language import Language, language
from lazaret.model.quarantine import Item

DAY_S = 86_400
WIDTH = 150
"""Characters of a sender or a subject that are shown."""
MAX_LINES = 100
"""Messages that are listed one by one; a mail that nobody reads to its end helps nobody."""

_SCHEME = re.compile(r"(?i)\bh(?=ttps?:)|\bw(?=ww\.)")


@dataclass(frozen=True, slots=True)
class Stationery:
    """What is the same in all digests of a site."""

    site: Site
    links: Links
    link_days: int
    """How long links hold."""
    sender: str = ""
    """Address in From; empty: postmaster of the site."""

    @property
    def author(self) -> str:
        return self.sender or f"postmaster@{self.site.hostname}"


@dataclass(frozen=True, slots=True)
class _Line:
    subject: str
    sender: str
    date: str
    why: str
    link: str


def write(
    recipient: str,
    wish: Wish,
    told: Sequence[Untold],
    listed: Sequence[Item],
    stationery: Stationery,
    now: float,
) -> Letter:
    """The mail that tells `recipient` (normalised) of `told`, of which `listed` are shown one by one."""
    say = language(wish.language)
    expires = int(now) + stationery.link_days * DAY_S
    copies = {(copy.mail_id, copy.partition_tag): copy for copy in told}
    lines = [
        _line(item, copies[item.mail_id, item.partition_tag], recipient, wish, stationery.links, expires)
        for item in listed
    ]
    subject = say.many("{n} message is in your quarantine", "{n} messages are in your quarantine", len(told))
    values = {
        "_": say,
        "_n": say.many,
        "subject": subject,
        "told": len(told),
        "lines": lines,
        "until": _day(say, datetime.fromtimestamp(expires, wish.zone)),
        "page": f"{stationery.links.url}/",
        "settings": stationery.links.to(Link(Purpose.DIGEST, recipient, expires)),
        "site": stationery.site.hostname,
        "address": recipient,
    }
    text = _templates(html=False).get_template("digest.txt").render(values)
    html = _templates(html=True).get_template("digest.html").render(values)
    message_id = f"{MESSAGE_ID}{secrets.token_urlsafe(24)}@{stationery.site.hostname}>"
    top = head(message_id, recipient, subject, stationery, now)
    return Letter(recipient, message_id, top + _body(text, html), tuple(told), text, html)


def _line(item: Item, copy: Untold, recipient: str, wish: Wish, links: Links, expires: int) -> _Line:
    say = language(wish.language)
    link = Link(Purpose.COPY, recipient, expires, copy.mail_id, copy.partition_tag)
    return _Line(
        subject=shown(item.subject) or say("(no subject)"),
        sender=shown(item.from_header or item.sender) or say("(no sender)"),
        date=_date(say, datetime.fromtimestamp(item.time, wish.zone)),
        why=f"{category(say, copy.category)}, {say('{points} points', points=say.points(copy.score))}",
        link=links.to(link),
    )


def category(say: Language, letter: str) -> str:
    """The category of a copy, for whom it was meant; one that no digest tells of is unwanted mail."""
    return say(_CATEGORIES[next((told for told in Told if told.category == letter), Told.SPAM)])


def _date(say: Language, at: datetime) -> str:
    return say("{day} {month} {time}", day=at.day, month=_month(say, at)[:3], time=f"{at:%H:%M}")


def _day(say: Language, at: datetime) -> str:
    return say("{day} {month} {year}", day=at.day, month=_month(say, at), year=at.year)


def _month(say: Language, at: datetime) -> str:
    return say(_MONTHS[at.month - 1])


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_CATEGORIES = {
    Told.SPAM: "unwanted mail",
    Told.VIRUS: "virus",
    Told.BANNED: "forbidden attachment",
    Told.UNCHECKED: "could not be checked",
    Told.BAD_HEADER: "malformed",
    Told.OVERSIZED: "too large",
}


def shown(text: str) -> str:
    """Text of a hostile message on one line: nothing turns its direction, nothing becomes a link."""
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * WIDTH])
    text = _SCHEME.sub(lambda found: f"{found[0]}\N{WORD JOINER}", " ".join(text.split()))
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}\N{HORIZONTAL ELLIPSIS}"


def head(message_id: str, recipient: str, subject: str, stationery: Stationery, now: float) -> bytes:
    """The Message-ID comes first: by it and by what is below it we know the digest when it passes through."""
    charset = "us-ascii" if subject.isascii() else "utf-8"
    name = f'"Lazaret at {stationery.site.hostname}"'
    return b"".join(
        (
            field("Message-ID", [message_id]),
            field("Date", [formatdate(now, localtime=True)]),
            field("From", [name, f"<{stationery.author}>"]),
            field("To", [f"<{recipient}>"]),
            field("Subject", Header(subject, charset).encode().split()),
            field("Auto-Submitted", ["auto-generated"]),
            field("X-Auto-Response-Suppress", ["All"]),
        )
    )


def _body(text: str, html: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_lazaret_{secrets.token_hex(12)}")
    return message.as_bytes()


@cache
def _templates(*, html: bool) -> Environment:
    return Environment(
        loader=PackageLoader("lazaret.flow"),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
