"""How does a header section read as one text, and which part of it did our own hosts write?"""

import re

from lazaret.mime.headers import HeaderSection

LENGTH_LIMIT = 65536
"""Octets of the text of a whole header section, as in SpamAssassin."""

_VERDICT = "x-spam-"
_LINE_END_AND_BLANKS = re.compile(rb"\r?\n\s+")


def is_verdict(name: str) -> bool:
    """Whether another filter wrote the field: what it thought must not sway the rules, and may be forged."""
    return name[: len(_VERDICT)].lower() == _VERDICT


def unfold(value: bytes) -> bytes:
    """A raw value on one line."""
    return _LINE_END_AND_BLANKS.sub(b" ", value)


def whole(header: HeaderSection) -> bytes:
    """The fields as one text: decoded and unfolded, without the verdicts of filters."""
    if header.body_start <= LENGTH_LIMIT:
        text = header.all_text(_VERDICT, LENGTH_LIMIT)
        if text is not None:
            return text
    return b"".join(lines(header, raw=False))


def lines(header: HeaderSection, *, raw: bool) -> list[bytes]:
    """The fields in order, each with its name and a line end; decoded and unfolded unless `raw`."""
    if raw:
        return header.raw_fields()
    found: list[bytes] = []
    length = 0
    for place, name in enumerate(header.written_names):
        if is_verdict(header.names[place]):
            continue
        line = name + b": " + header.decoded(place) + b"\n"
        length += len(line)
        if length > LENGTH_LIMIT:
            break
        found.append(line)
    return found


def above(fields: list[bytes], trusted: int) -> list[bytes]:
    """The fields that our hosts wrote: to the Received after the first `trusted` ones, which is ours too."""
    received = -1
    for number, field in enumerate(fields):
        received += _is_received(field)
        if received == trusted:
            return fields[: number + 1]
    return fields


def below(fields: list[bytes], trusted: int) -> list[bytes]:
    """The fields from that Received on: it tells of the hand-over from outside."""
    received = -1
    for number, field in enumerate(fields):
        received += _is_received(field)
        if received == trusted:
            return fields[number:]
    return []


def _is_received(field: bytes) -> bool:
    return field[:9].lower() == b"received:"
