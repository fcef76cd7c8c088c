"""What is one part of a message: its type, its name, its octets?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lazaret.mime import headers, transfer, words
from lazaret.mime.content_type import ContentType
from lazaret.model.lazy import lazy

_DISPOSITION_NAME = re.compile(rb'name=\s*"?([^";]+)"?', re.I)
_HTML_NAME = re.compile(rb"\.s?html?$", re.I)


@dataclass(eq=False)
class Part:
    """A node of the MIME tree."""

    header: headers.HeaderSection
    """Its offsets point into `header.raw`, the octets of the enclosing part with line ends LF."""
    type: ContentType
    content_type: str
    """Lower case: "text/html". Text that is no HTML, calendar or vCard is text/plain."""
    depth: int = 0
    body: bytes = b""
    """Still encoded, line ends LF; empty for a node with children."""
    children: list["Part"] = field(default_factory=list)
    leaf: bool = True

    @property
    def charset(self) -> str:
        """As declared; "" when not."""
        return (self.type.charset or b"").decode("latin-1")

    @lazy
    def name(self) -> bytes:
        """The file name as SpamAssassin reads it."""
        found = _DISPOSITION_NAME.search(self.last("Content-Disposition"))
        return found[1] if found else self.type.name or b""

    @lazy
    def effective_type(self) -> str:
        """text/html also for what is only named so; `content_type` otherwise."""
        return "text/html" if _HTML_NAME.search(self.name) else self.content_type

    @lazy
    def octets(self) -> bytes:
        """The body with its transfer encoding taken off; line ends of text are LF."""
        encoding = self.last("Content-Transfer-Encoding").lower()
        if encoding == b"quoted-printable":
            return transfer.quoted_printable(self.body).replace(b"\r\n", b"\n")
        if encoding == b"base64":
            octets = transfer.base64(self.body)
            return octets.replace(b"\r\n", b"\n") if self.is_text else octets
        return self.body

    @property
    def is_text(self) -> bool:
        return self.content_type.startswith(("text/", "message/"))

    @property
    def is_message(self) -> bool:
        return self.content_type in ("message/rfc822", "message/global")

    @lazy
    def params(self) -> dict[str, str]:
        """The parameters of Content-Type, for people (RFC 2231 decoded)."""
        return words.parameters(self.last("Content-Type"))

    @lazy
    def disposition(self) -> str:
        """Lower case: inline, attachment; "" when not said."""
        value = self.last("Content-Disposition").partition(b";")[0]
        return value.strip().lower().decode("latin-1")

    @lazy
    def filename(self) -> str:
        """The file name for people (RFC 2231 and RFC 2047 decoded); "" when there is none."""
        disposition = words.parameters(self.last("Content-Disposition"))
        return disposition.get("filename") or self.params.get("name") or ""

    def last(self, name: str) -> bytes:
        """The decoded value of the last field of this name, which mail programs heed; b"" when absent."""
        return self.header.last_decoded(name) or b""

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, depth first."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))
