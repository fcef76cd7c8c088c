"""Where does an IP address stand in a header value, and is it one of the internet's or a private one?"""

import ipaddress
import re

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
V4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}\b"
"""A dotted quad, for use inside a larger pattern; it says nothing of what stands before it."""

LITERAL = rf"(?:{V4}|(?:[Ii][Pp][Vv]6:)?(?=[0-9a-fA-F]*:)[0-9a-fA-F:]{{2,39}}(?:\.{_OCTET}){{0,3}})"
"""An address of either family, for a larger pattern; `is_address` must confirm those with a colon."""

_SEARCH = re.compile(rf"(?<![\w.:])(?:{LITERAL})(?![\w.:])", re.ASCII)
_V4_ONLY = re.compile(V4, re.ASCII)
_TAG = "ipv6:"

_PRIVATE_V4 = re.compile(
    r"(?:10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\."
)
_LINK_LOCAL = ipaddress.IPv6Network("fe80::/10")


def is_address(text: str) -> bool:
    """Whether the whole text is an address; "IPv6:" in front of it is allowed (RFC 5321, section 4.1.3)."""
    if ":" not in text:
        return _V4_ONLY.fullmatch(text) is not None
    return _parse_v6(text) is not None


def find(text: str) -> str:
    """The first address in the text that stands alone; "" when there is none."""
    return next((m.group() for m in _SEARCH.finditer(text) if is_address(m.group())), "")


def is_private(address: str) -> bool:
    """Whether it is loopback, link-local, private (RFC 1918) or shared (RFC 6598): not on the internet."""
    if ":" not in address:
        return _PRIVATE_V4.match(address) is not None
    parsed = _parse_v6(address)
    if parsed is None:
        return False
    if parsed.ipv4_mapped:
        return _PRIVATE_V4.match(str(parsed.ipv4_mapped)) is not None
    return parsed.is_loopback or parsed in _LINK_LOCAL


def without_wrapping(text: str) -> str:
    """The bare address: no "IPv6:", no zone (RFC 4007), and an IPv4-mapped address as dotted quad."""
    if ":" not in text:
        return text
    bare = text[len(_TAG) :] if text[: len(_TAG)].lower() == _TAG else text
    bare = bare.partition("%")[0]
    parsed = _parse_v6(bare)
    return str(parsed.ipv4_mapped) if parsed and parsed.ipv4_mapped and "." in bare else bare


def reversed_labels(address: str) -> str:
    """The name under which lists in the DNS keep it (RFC 5782, section 2); "" when it is no address."""
    if ":" not in address:
        return ".".join(reversed(address.split("."))) if is_address(address) else ""
    parsed = _parse_v6(address)
    return ".".join(reversed(parsed.exploded.replace(":", ""))) if parsed else ""


def _parse_v6(text: str) -> ipaddress.IPv6Address | None:
    bare = text[len(_TAG) :] if text[: len(_TAG)].lower() == _TAG else text
    try:
        return ipaddress.IPv6Address(bare)
    except ValueError:
        return None
