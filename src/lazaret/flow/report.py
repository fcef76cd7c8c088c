"""What was quarantined, per recipient, in plain text: what is nearest to the level comes first."""

from collections.abc import Iterable
from datetime import datetime

from lazaret.model.address import normalise
from lazaret.model.quarantine import Item

SUBJECT_WIDTH = 60


def render(items: Iterable[Item], *, only: str = "", level: float) -> str:
    """The report; "" when there is nothing to tell. `only`: one recipient's address, normalised.

    What was imported is left out: whoever filtered it has told of it, or did not want to.
    """
    by_recipient: dict[str, list[Item]] = {}
    for item in items:
        if item.imported:
            continue
        for copy in item.copies:
            address = normalise(copy.address)
            if copy.state.releasable and only in ("", address):
                by_recipient.setdefault(address, []).append(item)
    sections = [_section(address, found, level) for address, found in sorted(by_recipient.items())]
    return "\n\n".join(sections)


def _section(address: str, items: list[Item], level: float) -> str:
    many = "message" if len(items) == 1 else "messages"
    lines = [f"{address}: {len(items)} {many} quarantined"]
    for item in sorted(items, key=lambda i: (abs(i.score - level), -i.time)):
        at = datetime.fromtimestamp(item.time).strftime("%d %b %H:%M")
        subject = _plain(item.subject)[:SUBJECT_WIDTH] or "(no subject)"
        lines += [
            f"  {item.score:6.1f}  {at}  {_plain(item.from_header or item.sender) or '<>'}",
            f"          {subject}",
            f"          lazaret release {item.mail_id}",
        ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
