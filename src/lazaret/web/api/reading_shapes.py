"""What the API gives of a text that was read, as types; see `shapes`."""

import msgspec


class Attachment(msgspec.Struct):
    """A part that can be saved; `type` is what it is by its octets, in words.

    `differs`: it is not what it says it is.
    """

    number: int
    name: str
    declared: str
    type: str
    differs: bool
    size: int
    sha256: str


class Link(msgspec.Struct):
    """Where a link of the HTML leads; `misleading`: its text names another host."""

    text: str
    target: str
    misleading: bool


class HeaderField(msgspec.Struct):
    """A field of the header, decoded."""

    name: str
    value: str


class Station(msgspec.Struct):
    """`by` took the message from `ip`, which greeted as `helo` and whose address has the name `rdns`."""

    by: str
    ip: str
    helo: str
    rdns: str


class Authentication(msgspec.Struct):
    """What a server on the way found; nobody vouches for it."""

    method: str
    result: str


class Text(msgspec.Struct):
    """What a message says, where it leads, what it brings along, and its header; `path`: the last first."""

    text: str
    has_html: bool
    links: list[Link]
    attachments: list[Attachment]
    header: list[HeaderField]
    path: list[Station]
    authentication: list[Authentication]
