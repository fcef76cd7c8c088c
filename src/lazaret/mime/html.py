"""What does an HTML part show, hide and link to? One pass, as SpamAssassin reads it."""

import re
from dataclasses import dataclass

from lazaret.mime import html_compiled, kernel
from lazaret.mime.html_facts import HtmlFacts, Link
from lazaret.mime.html_page import Texts
from lazaret.mime.html_reader import Reader
from lazaret.mime.html_tokens import TOKEN_LIMIT

__all__ = ["HtmlFacts", "Link", "Rendering", "Texts", "render"]

READER = html_compiled.reader(kernel.html) if kernel.html else Reader
"""The compiled one where it can be."""
_SELF_CLOSED = re.compile(r"<(\w++)\s*+/>")


@dataclass(frozen=True, slots=True)
class Rendering:
    """An HTML part, read."""

    texts: Texts
    facts: HtmlFacts
    links: tuple[Link, ...]
    over_budget: bool
    """It has more tags than are looked at."""
    tokens_left: int
    """So many may be looked at in the next part."""


def render(source: str, *, wide: bool = True, tokens: int = TOKEN_LIMIT) -> Rendering:
    """Reads an HTML part; `wide` as in charset.Text. Never raises; linear, with a limit on tokens."""
    reader = READER(wide, tokens)
    reader.facts.length = len(source)
    reader.read(_prepared(source))
    return Rendering(reader.texts(), reader.finish(), reader.links(), reader.over_budget, reader.tokens)


def _prepared(source: str) -> str:
    """What SpamAssassin mends beforehand: hard blanks, <br/>, curly quotes that stand for straight ones."""
    if "&nbsp;" in source:
        source = source.replace("&nbsp;", " ")
    if "/>" in source:
        source = _SELF_CLOSED.sub(r"<\1>", source)
    if not source.isascii():
        source = source.replace("\u201c", '"').replace("\u201d", '"')
    return source
