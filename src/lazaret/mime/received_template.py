"""How is a format of Received written down, so that a person can check it against a field at a glance?

A template is the text after `from ` as the MTA writes it, with `<ip>`, `<helo>`, `<rdns>`, `<by>`,
`<ident>`, `<id>` and `<envfrom>` for a word of the relay (`<helo?>`: it may be empty), `<name>` for a word
that is helo and rdns at once, `<details>` for text that may hold `helo=` and `ident=`, `<word>` and
`<address>` for what is of no interest, and regular expressions between backquotes.
"""

import re
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from lazaret.mime import ip
from lazaret.model.lazy import lazy

_TOKEN = re.compile(r"<(?P<word>[a-z]+)(?P<optional>\??)>|`(?P<regex>[^`]*)`|(?P<literal>[^<`]+|.)")
_WORDS = {
    "ip": f"(?P<ip>{ip.LITERAL})",
    "address": ip.LITERAL,
    "details": "(?P<details>.*?)",
    "word": r"\S+",
}
_GREETINGS = ("(HELO ", "(EHLO ", "(LHLO ", "(`[EH]{2}LO` ")
_LONGEST_GREETING = max(map(len, _GREETINGS))


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


def shape_of(text: str) -> Shape:
    """The shape of a text or of a template."""
    second = text.find(" ") + 1
    rest = text[second : second + _LONGEST_GREETING]
    if rest.startswith("(["):
        return Shape.ADDRESS
    if rest.startswith(_GREETINGS):
        return Shape.GREETING
    if rest.startswith("("):
        return Shape.COMMENT
    return Shape.BRACKET if rest.startswith("[") else Shape.WORD


class Outcome(Enum):
    """What a field is about."""

    RELAY = auto()
    IGNORED = auto()
    """No hand-over between hosts, or one that names no address."""
    FETCHED = auto()
    """A program fetched the mail from a mailbox: what stands above says nothing of the sender."""
    UNPARSEABLE = auto()


@dataclass(frozen=True)
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
        return re.compile("".join(map(_translate, _TOKEN.finditer(self.template))), re.ASCII)

    @property
    def literal(self) -> str:
        """The longest piece of the template that every text of this format holds as it stands."""
        tokens = (token["literal"] or "" for token in _TOKEN.finditer(self.template))
        return max(tokens, key=len, default="")

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of text that it can match."""
        if self.template.startswith("`"):
            return tuple(Shape)
        shape = shape_of(self.template)
        return (Shape.COMMENT, Shape.ADDRESS, Shape.GREETING) if shape is Shape.COMMENT else (shape,)


def _translate(token: re.Match[str]) -> str:
    word = token["word"]
    if word in _WORDS:
        return _WORDS[word]
    if word:
        return rf"(?P<{word}>\S{'*' if token['optional'] else '+'})"
    return token["regex"] if token["regex"] is not None else re.escape(token["literal"])
