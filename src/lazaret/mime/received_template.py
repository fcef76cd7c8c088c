"""How is a format of Received written down, so that a person can check it against a field at a glance?

A template is the text after `from ` as the MTA writes it, with `<ip>`, `<helo>`, `<rdns>`, `<by>`,
`<ident>`, `<id>` and `<envfrom>` for a word of the relay (`<helo?>`: it may be empty), `<name>` for a word
that is helo and rdns at once, `<details>` for text that may hold `helo=` and `ident=`, `<word>` and
`<address>` for what is of no interest, and regular expressions between backquotes.
"""

import re
from collections.abc import Iterable
from enum import Enum, IntEnum, auto
from typing import NamedTuple

from lazaret.mime import ip
from lazaret.model.frozen import frozen_with_lazy
from lazaret.model.lazy import lazy

TOKEN = re.compile(r"<(?P<word>[a-z]+)(?P<optional>\??)>|`(?P<regex>[^`]*)`|(?P<literal>[^<`]+|.)")
_WORDS = {
    "ip": f"(?P<ip>{ip.LITERAL})",
    "address": ip.LITERAL,
    "details": "(?P<details>.*?)",
    "word": r"\S+",
}
_GREETINGS = ("(HELO ", "(EHLO ", "(LHLO ", "(`[EH]{2}LO` ")


class Shape(IntEnum):
    """What follows the first word of a text or a template. Only rows of the same shape are worth trying."""

    ADDRESS = auto()
    """word ([192.0.2.1] …"""
    GREETING = auto()
    """word (HELO … , also EHLO and LHLO"""
    COMMENT = auto()
    """word ( …"""
    BRACKET = auto()
    """word [192.0.2.1] …"""
    WORD = auto()
    """word by … , or any other word"""


SHAPES = (
    ("([", Shape.ADDRESS),
    *((greeting, Shape.GREETING) for greeting in _GREETINGS),
    ("(", Shape.COMMENT),
    ("[", Shape.BRACKET),
    ("", Shape.WORD),
)
"""What the second word begins with; the first that does counts."""


def shape_of(text: str) -> Shape:
    """The shape of a text or of a template."""
    second = text.find(" ") + 1
    return next(shape for prefix, shape in SHAPES if text.startswith(prefix, second))


class Outcome(Enum):
    """What a field is about."""

    RELAY = auto()
    IGNORED = auto()
    """No hand-over between hosts, or one that names no address."""
    FETCHED = auto()
    """A program fetched the mail from a mailbox: what stands above says nothing of the sender."""
    UNPARSEABLE = auto()


@frozen_with_lazy
class Format:
    """One way to write the text after `from `."""

    mta: str
    """Who writes it."""
    template: str
    hint: str = ""
    """The text must contain it: cheaper to ask than the pattern."""
    absent: str = ""
    """The text must not contain it."""
    looked_up: bool = False
    """This MTA always asks the DNS: no name in the field means that the address has none."""
    outcome: Outcome = Outcome.RELAY

    @lazy
    def pattern(self) -> re.Pattern[str]:
        """The template as a pattern; made on first use, since most mail needs a handful of rows."""
        return re.compile("".join(map(_translate, TOKEN.finditer(self.template))), re.ASCII)

    @property
    def literal(self) -> str:
        """The longest piece of the template that every text of this format holds as it stands."""
        tokens = (token["literal"] or "" for token in TOKEN.finditer(self.template))
        return max(tokens, key=len, default="")

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of text that it can match."""
        if self.template.startswith("`"):
            return tuple(Shape)
        shape = shape_of(self.template)
        return (Shape.COMMENT, Shape.ADDRESS, Shape.GREETING) if shape is Shape.COMMENT else (shape,)


class Row(NamedTuple):
    """A format, and what is cheaper to ask than its pattern: one text must be there, one must not."""

    hint: str
    absent: str
    form: Format


def rows(formats: Iterable[Format]) -> tuple[Row, ...]:
    """The formats as they are tried."""
    return tuple(Row(form.hint or form.literal, form.absent, form) for form in formats)


def _translate(token: re.Match[str]) -> str:
    word = token["word"]
    if word in _WORDS:
        return _WORDS[word]
    if word:
        return rf"(?P<{word}>\S{'*' if token['optional'] else '+'})"
    return token["regex"] if token["regex"] is not None else re.escape(token["literal"])
