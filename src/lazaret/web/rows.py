"""Messages as rows of a list: what a person wants to see of each at a glance."""

from dataclasses import dataclass

from lazaret.flow.rights import Right
from lazaret.flow.visit import Visitor
from lazaret.model.quarantine import Item, Line, State
from lazaret.model.verdict import Category, Levels

SYMBOLS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line."""

    item: Item
    sender: str
    """The name in header From, or the address."""
    address: str
    """Envelope sender."""
    recipients: tuple[str, ...]
    level: str
    """The highest level that the score reaches: "", mark, quarantine, kill."""
    state: State
    category: str
    """The word, for categories that a score does not tell."""
    may_release: bool
    may_delete: bool
    tag: str
    """ID, with the partition where it is not 0: what names the message in a path."""
    members: int = 1
    """How many are alike and stand behind this line, itself included."""
    more: bool = False
    """At least so many."""


def row_of(line: Line, visitor: Visitor, levels: Levels) -> Row:
    """The row that this visitor sees."""
    item = line.item
    kept = any(copy.state.kept and copy.state is not State.DELETED for copy in item.copies)
    return Row(
        item=item,
        sender=_name(item),
        address=item.sender,
        recipients=tuple(copy.address for copy in item.copies),
        level=level_of(item.score, levels),
        state=item.state,
        category=_told_apart(item.category),
        may_release=kept and item.stored and visitor.may(Right.RELEASE, item),
        may_delete=kept and item.stored and visitor.may(Right.DELETE, item),
        tag=tag_of(item),
        members=line.members,
        more=line.more,
    )


def tag_of(item: Item) -> str:
    """How the message is named in a path."""
    return f"{item.mail_id}[{item.partition_tag}]" if item.partition_tag else item.mail_id


def level_of(score: float, levels: Levels) -> str:
    """The highest level that a score reaches."""
    if levels.kill is not None and score >= levels.kill:
        return "kill"
    if score >= levels.quarantine:
        return "quarantine"
    return "mark" if score >= levels.mark else ""


def _name(item: Item) -> str:
    """Header From without its address; spam likes it long."""
    shown = item.from_header.partition("<")[0].strip(' "') or item.from_header.strip(" <>")
    return shown[:120] or item.sender


def _told_apart(letter: str) -> str:
    known = (Category.CLEAN, Category.SPAM, Category.SPAMMY)
    return Category(letter).word if letter in set(Category) and letter not in known else ""
