"""What is to be changed in a header, for an MTA that keeps the message and changes it itself (milter)."""

from collections.abc import Sequence
from dataclasses import dataclass

from lazaret.flow.fields import SPAM_FIELDS
from lazaret.mime import headers
from lazaret.mime.headers import HeaderSection


@dataclass(frozen=True, slots=True)
class Change:
    """One field; `index` counts fields of this name from 1, as milters do."""

    name: str
    index: int = 0
    value: bytes | None = None
    """The new value as on the wire, without the blank before it; None: the field goes."""


@dataclass(frozen=True, slots=True)
class HeaderEdits:
    """In the order in which they are to be made."""

    changed: tuple[Change, ...] = ()
    """Fields that are there; those that go from the last to the first, so that no index moves."""
    inserted: tuple[Change, ...] = ()
    """New fields on top of the header, from top to bottom."""


def edits(original: bytes, outgoing: bytes) -> HeaderEdits:
    """What makes the header of `outgoing`, a copy as we would hand it to a next hop, out of the original's.

    Our Received is not among them: the MTA that keeps the message writes its own.
    """
    if outgoing == original:
        return HeaderEdits()
    before, after = headers.parse(original), headers.parse(outgoing)
    ours = next((f for f in after.fields if f.name.lower() == "received"), None)
    if ours is None:
        return HeaderEdits()
    inserted = [f for f in after.fields if f.start < ours.start]
    rest = headers.parse(outgoing[ours.end :])
    removed = [
        Change(name, index)
        for name in sorted(SPAM_FIELDS)
        if not rest.named(name)
        for index in range(len(before.named(name)), 0, -1)
    ]
    subjects = _subjects(before, original, rest, outgoing[ours.end :])
    new = [Change(f.name, 0, _value(outgoing, f.value_start, f.end)) for f in inserted]
    if subjects and not before.named("Subject"):
        return HeaderEdits(tuple(removed), (*new, *subjects))
    return HeaderEdits((*removed, *subjects), tuple(new))


def _subjects(
    before: HeaderSection, original: bytes, rest: HeaderSection, outgoing: bytes
) -> Sequence[Change]:
    """Subjects that have another text now; one that was not there has index 0."""
    was = [_value(original, f.value_start, f.end) for f in before.named("Subject")]
    now = [_value(outgoing, f.value_start, f.end) for f in rest.named("Subject")]
    if not was:
        return [Change("Subject", 0, value) for value in now]
    return [
        Change("Subject", index, new)
        for index, (old, new) in enumerate(zip(was, now, strict=False), 1)
        if old != new
    ]


def _value(octets: bytes, start: int, end: int) -> bytes:
    return octets[start:end].removesuffix(b"\n").removesuffix(b"\r").removeprefix(b" ")
