"""An expression with each large group written once: PCRE2 has room for 64 KiB, and copies what is repeated.

The groups that repeat, or stand in it several times, move behind it as `(?(DEFINE)(?<z1>…))`, and `(?&z1)`
stands in their place.
"""

import re
from collections import Counter

from lazaret.rules import perl_regex, widen
from lazaret.rules.book import Regex

_WORTH = 30
"""Positions from which a group is worth a place of its own."""

_NUMBERED = re.compile(rb"\\[1-9kg]|\(\?P?<[A-Za-z_]|\(\?'")
"""Back references and captures: their numbers, and what they hold, would change."""

_FLAGS = "imsx"


def with_shared_groups(regex: Regex) -> bytes | None:
    """The expression for PCRE2, its modifiers included; None where nothing can be shared."""
    source = perl_regex.dialect(regex.source)
    if _NUMBERED.search(source):
        return None
    sharing = _Sharing()
    try:
        body = sharing.written(source.decode("latin-1"), frozenset(regex.modifiers) & frozenset(_FLAGS))
    except perl_regex.RegexError:
        return None
    if not sharing.texts:
        return None
    prefix = f"(?{regex.modifiers})" if regex.modifiers else ""
    shared = "".join(f"(?<{name}>{text})" for name, text in sharing.texts.items())
    return f"(?:{prefix}{body})(?(DEFINE){shared})".encode("latin-1")


class _Sharing:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        """Name -> text of a group."""
        self._names: dict[tuple[str, frozenset[str]], str] = {}

    def written(self, text: str, flags: frozenset[str]) -> str:
        """The text with names in the place of its groups, the outer ones first."""
        groups = perl_regex.groups(text.encode("latin-1"), "".join(flags))
        copies = Counter((text[g.start : g.end], g.flags) for g in groups)
        pieces = []
        position = 0
        for group in sorted(groups, key=lambda g: g.start):
            inside = text[group.start : group.end]
            worth = group.repeats or copies[inside, group.flags] > 1
            if group.start >= position and worth and widen.size(group.item) >= _WORTH:
                pieces += [text[position : group.start], f"(?:(?&{self._name(inside, group.flags)}))"]
                position = group.end
        return "".join([*pieces, text[position:]])

    def _name(self, inside: str, flags: frozenset[str]) -> str:
        name = self._names.get((inside, flags))
        if name is None:
            name = self._names[inside, flags] = f"z{len(self._names) + 1}"
            off = "".join(f for f in _FLAGS if f not in flags)
            opening = "(?" + "".join(sorted(flags)) + (f"-{off}" if off else "") + ":"
            self.texts[name] = opening + self.written(inside[3:-1], flags) + ")"
        return name
