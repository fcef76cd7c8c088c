"""Links in mails: signed, for one purpose, one message and one recipient, and only for a while.

A link shows; it never acts by being fetched, because programs fetch the links of mails before people do.
The key lies in the data directory: without it no link holds any more, which is how all are revoked.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

from lazaret.flow.quarantine import QuarantineDesk
from lazaret.flow.rights import Matrix, Right
from lazaret.flow.site_key import site_key
from lazaret.flow.visit import Visitor
from lazaret.model.errors import UserError
from lazaret.model.person import Person, Role

MAC_OCTETS = 20
MAX_TOKEN = 1024
"""Octets of a token that are looked at: an address has at most 320."""


class Purpose(StrEnum):
    """What the holder of a link may do; one for another is no good."""

    COPY = "c"
    """See one recipient's copy of one message, and decide on it."""
    DIGEST = "d"
    """Change how one recipient is told."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for."""

    purpose: Purpose
    recipient: str
    """Normalised."""
    expires: int
    """Seconds since 1970."""
    mail_id: str = ""
    partition_tag: int = 0

    @property
    def written_id(self) -> str:
        """The message as `ID[TAG]`, which is never ambiguous."""
        return f"{self.mail_id}[{self.partition_tag}]"


OF_A_LINK = frozenset({Right.FIND, Right.RELEASE, Right.REQUEST, Right.DELETE})
"""What a link is good for; to read a text one must log in."""


def holder(link: Link, desk: QuarantineDesk, matrix: Matrix) -> Visitor:
    """Whoever holds the link, as somebody to whom nothing but this recipient's copies exists."""
    person = Person(0, link.recipient, Role.USER, addresses=(link.recipient,))
    return Visitor(desk, person, matrix, limit_to=OF_A_LINK, via="link")


class LinkExpired(UserError):
    """The link is genuine, and its time is over."""


class LinkInvalid(UserError):
    """We did not make this link, or it was damaged on its way."""


class Links:
    """Makes and reads links."""

    def __init__(self, key: bytes, url: str) -> None:
        """`url`: the page as people reach it, without a slash at its end."""
        self._key = key
        self.url = url

    def to(self, link: Link) -> str:
        """The address of the page that the link opens."""
        return f"{self.url}/d/{self.token(link)}"

    def token(self, link: Link) -> str:
        """The signed form of a link, of characters that any mail program leaves alone."""
        octets = json.dumps(astuple(link), ensure_ascii=True, separators=(",", ":")).encode("ascii")
        return _encoded(self._mac(octets) + octets)

    def read(self, token: str, now: float) -> Link:
        """What the link is for. LinkInvalid; LinkExpired."""
        octets = _decoded(token)
        mac, octets = octets[:MAC_OCTETS], octets[MAC_OCTETS:]
        if not hmac.compare_digest(mac, self._mac(octets)):
            raise LinkInvalid("this link was not made here, or was cut off; copy it from the mail once more")
        purpose, *rest = json.loads(octets)
        link = Link(Purpose(purpose), *rest)
        if link.expires <= now:
            raise LinkExpired("this link was good for a while, which is over")
        return link

    def _mac(self, octets: bytes) -> bytes:
        return hmac.new(self._key, b"lazaret link 1\0" + octets, hashlib.sha256).digest()[:MAC_OCTETS]


def link_key(data_dir: Path) -> bytes:
    """The key in the data directory; made when there is none."""
    return site_key(data_dir, "link.key")


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _decoded(token: str) -> bytes:
    if len(token) > MAX_TOKEN or not token.isascii():
        return b""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""
