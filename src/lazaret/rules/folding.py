"""Words as a reader sees through their disguise: letters and digits alone, `3` an `e` and `1` an `i`.

Expressions for obfuscated words allow signs between the letters, and for each letter whatever looks like it:
they have no word that a database could look for. Folded, hardly more than a word is left of them. A text is
folded octet by octet, and so is an expression: what an expression matches in a plain text, its folded one
matches in the folded text, and more, so that each match is to be confirmed.

Texts with octets above ASCII, or with signs that begin an entity or stand for half a letter, are not plain:
so much less is left of the expressions.
"""

from lazaret.rules import widen
from lazaret.rules.ascii_only import within
from lazaret.rules.perl_regex import EMPTY, Chars, Choice, Node, Repeat, Sequence

_STRANGE = b"&\\"
_PLAIN = sum(1 << octet for octet in range(128) if octet not in _STRANGE)
_ALIKE = (b"o0", b"il1", b"e3", b"a4", b"s5", b"b8", b"t7")
"""Each of them becomes the first."""

DROPPED, NOT_PLAIN = 0, 1
"""In the table: the octet vanishes; no text with it is folded."""


def _table() -> bytes:
    table = bytearray([NOT_PLAIN]) * 256
    for octet in range(128):
        if octet not in _STRANGE:
            table[octet] = ord(chr(octet).lower()) if chr(octet).isalnum() else DROPPED
    for first, *others in _ALIKE:
        for octet in others:
            table[octet] = table[ord(chr(octet).upper())] = first
    return bytes(table)


TABLE = _table()
"""What becomes of each octet."""

_VANISHING = bytes(octet for octet, folded in enumerate(TABLE) if folded == DROPPED)


def is_plain(text: bytes) -> bool:
    """Whether the text can be folded."""
    return text.isascii() and not any(sign in text for sign in (b"&", b"\\"))


def fold(text: bytes) -> bytes:
    """A plain text, folded."""
    return text.translate(TABLE, _VANISHING)


def folded(node: Node) -> Node | None:
    """The expression, widened, for folded texts; None: it matches in no plain text."""
    narrow = within(node, _PLAIN)
    return None if narrow is None else _folded(widen.without_edges(narrow))


def _folded(node: Node) -> Node:
    match node:
        case Chars(mask):
            return _set(mask)
        case Sequence(items):
            return Sequence(tuple(flat for item in items for flat in _flat(_folded(item))))
        case Choice(branches):
            kept = tuple(dict.fromkeys(map(_folded, branches)))
            return kept[0] if len(kept) == 1 else Choice(kept)
        case Repeat(item, low, high):
            return _repeated(_folded(item), low, high)
        case _:
            return EMPTY


def _flat(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)


def _set(mask: int) -> Node:
    kept = {TABLE[octet] for octet in range(128) if mask >> octet & 1} - {NOT_PLAIN}
    letters = Chars(sum(1 << octet for octet in kept - {DROPPED}))
    if not letters.mask:
        return EMPTY
    return Repeat(letters, 0, 1) if DROPPED in kept else letters


def _repeated(item: Node, low: int, high: int | None) -> Node:
    if item == EMPTY:
        return EMPTY
    if isinstance(item, Repeat) and not item.low:
        return Repeat(item.item, 0, None if high is None or item.high is None else high * item.high)
    return Repeat(item, low, high)
