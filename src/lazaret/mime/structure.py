"""Which parts does a message have? The MIME tree (RFC 2046), as SpamAssassin cuts it."""

from dataclasses import dataclass, field

from lazaret.mime.headers import HeaderSection


@dataclass(slots=True)
class Part:
    """A node of the MIME tree."""

    header: HeaderSection
    body: bytes
    """Still encoded, line ends LF."""
    depth: int = 0
    content_type: str = "text/plain"
    """Lower case, "text/html"."""
    params: dict[str, str] = field(default_factory=dict)
    charset: str = ""
    filename: str = ""
    disposition: str = ""
    """Lower case: inline, attachment or ""."""
    children: tuple["Part", ...] = ()

    @property
    def octets(self) -> bytes:
        """The body with its transfer encoding taken off."""
        return self.body

    @property
    def is_text(self) -> bool:
        return self.content_type in ("text/plain", "text/html")
