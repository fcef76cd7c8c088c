"""What of an expression can match where a text is pure ASCII, as most texts are.

Expressions for obfuscated words list hundreds of octets above ASCII for each letter. What is left of them for
a text that has none is short, and searched several times as fast.
"""

from lazaret.rules.perl_regex import EMPTY, Chars, Choice, Node, Repeat, Sequence, Special

_ASCII = (1 << 128) - 1


def ascii_only(node: Node) -> Node | None:
    """The expression without octets above ASCII; None: it matches in no ASCII text."""
    return within(node, _ASCII)


def within(node: Node, octets: int) -> Node | None:
    """The expression for texts of these octets alone (a bit for each); None: it matches in none of them."""
    match node:
        case Chars(mask):
            return Chars(mask & octets) if mask & octets else None
        case Sequence(items):
            kept = tuple(narrow for item in items if (narrow := within(item, octets)) is not None)
            return Sequence(kept) if len(kept) == len(items) else None
        case Choice(branches):
            return _choice([narrow for branch in branches if (narrow := within(branch, octets)) is not None])
        case Repeat(item, low, high):
            inner = within(item, octets)
            if inner is None:
                return None if low else EMPTY
            return Repeat(inner, low, high)
        case Special(item, consumes) if item is not None:
            inner = within(item, octets)
            return None if inner is None else Special(inner, consumes)
        case _:
            return node


def _choice(branches: list[Node]) -> Node | None:
    """Branches of one octet become one set."""
    mask = 0
    others: dict[Node, None] = {}
    for branch in branches:
        if isinstance(branch, Sequence) and len(branch.items) == 1:
            branch = branch.items[0]
        if isinstance(branch, Chars):
            mask |= branch.mask
        else:
            others[branch] = None
    kept = ([Chars(mask)] if mask else []) + list(others)
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else Choice(tuple(kept))
