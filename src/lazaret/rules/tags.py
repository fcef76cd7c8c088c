"""The tags of SpamAssassin's templates (`_SCORE_`, `_TESTS(,)_` …) and its way of breaking lines.

Everything is text with one octet per character (Latin-1), as the rule files are read.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate

from lazaret.mime import selectors
from lazaret.mime.message import Message
from lazaret.rules import evals
from lazaret.rules.book import Book, Kind, Rule
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.views import HeaderValues

_TAG = re.compile(r"_([A-Z][A-Z0-9]*?)(?:\((.*?)\))?_")
_SPACE = r"[ \t\r\n\f]"
"""In text of octets: `\\s` would take the second octet of some letters for a space."""
_MOST_STARS = 50
_PREVIEW_LENGTH = 200
_PREVIEW_LINES = 3
_PREVIEW_TITLE = "Content preview:  "
_PREVIEW_NOISE = re.compile(r"-----Original Message-----.*|[-_*.]{10,}", re.DOTALL)
_RELAY = re.compile(r"\[ ip=(\S*) rdns=(\S*) helo=(\S*)")
_SUMMARY_INDENT = " " * 28
_REPORT_INDENT = "*      "


@dataclass(frozen=True, slots=True)
class Place:
    """Who marks the message, and when."""

    host: str
    now: float
    """Unix seconds."""
    version: str = "4.0.1"
    """The version whose output it is."""
    released: str = "2024-03-25"


@dataclass(frozen=True, slots=True)
class Marks:
    """What was found in a message."""

    message: Message
    score: float
    required: float
    hits: tuple[str, ...]
    """The listed rules that hit."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What an eval function found, by rule."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Points by hit, where they are not those of the rule files."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """Of hits that no rule file knows."""
    subrules: tuple[str, ...] = ()
    autolearn: str = "disabled"

    @property
    def is_spam(self) -> bool:
        return self.score >= self.required


class Tags:
    """The values of all tags that are known without a network, for one message."""

    def __init__(self, book: Book, marks: Marks, place: Place) -> None:
        self._book = book
        self._marks = marks
        self._place = place
        self._subject = Subject(
            marks.message, Settings(book.settings), HeaderValues(marks.message), place.now
        )
        width = setting(book, "report_wrap_width", "75")
        self._width = int(width) if width.isdigit() and int(width) > 0 else 75
        self._known: Mapping[str, Callable[[str], str | None]] = {
            "YESNO": self._yes_no,
            "YESNOCAPS": lambda given: self._yes_no(given).upper(),
            "SCORE": self._score,
            "HITS": self._score,
            "REQD": lambda _: f"{marks.required:2.1f}",
            "VERSION": lambda _: place.version,
            "SUBVERSION": lambda _: place.released,
            "RULESVERSION": lambda _: "",
            "HOSTNAME": lambda _: setting(book, "report_hostname", place.host),
            "REMOTEHOSTNAME": lambda _: "localhost",
            "REMOTEHOSTADDR": lambda _: "127.0.0.1",
            "CONTACTADDRESS": lambda _: setting(book, "report_contact", "the administrator of that system"),
            "DATE": lambda _: formatdate(place.now, localtime=time.localtime(place.now).tm_gmtoff != 0),
            "STARS": lambda given: (given or "*") * min(max(int(marks.score), 0), _MOST_STARS),
            "AUTOLEARN": lambda _: marks.autolearn,
            "AUTOLEARNSCORE": lambda _: "0",
            "BAYES": lambda _: "0.5",
            "TOKENSUMMARY": lambda _: "Bayes not run.",
            "HAMMYTOKENS": lambda _: "Tokens not available.",
            "SPAMMYTOKENS": lambda _: "Tokens not available.",
            "TESTS": lambda given: _joined(marks.hits, given),
            "TESTSSCORES": lambda given: _joined([f"{n}={self._points_of(n):g}" for n in marks.hits], given),
            "SUBTESTS": lambda given: _joined(marks.subrules, given),
            "SUBTESTSCOLLAPSED": lambda given: _joined(marks.subrules, given),
            "RELAYSTRUSTED": lambda _: self._field("X-Spam-Relays-Trusted"),
            "RELAYSUNTRUSTED": lambda _: self._field("X-Spam-Relays-Untrusted"),
            "RELAYSINTERNAL": lambda _: self._field("X-Spam-Relays-Internal"),
            "RELAYSEXTERNAL": lambda _: self._field("X-Spam-Relays-External"),
            "FIRSTTRUSTEDIP": lambda _: self._relay("Trusted", -1, 0),
            "FIRSTTRUSTEDREVIP": lambda _: _reversed(self._relay("Trusted", -1, 0)),
            "LASTEXTERNALIP": lambda _: self._relay("External", 0, 0),
            "LASTEXTERNALREVIP": lambda _: _reversed(self._relay("External", 0, 0)),
            "LASTEXTERNALRDNS": lambda _: self._relay("External", 0, 1),
            "LASTEXTERNALHELO": lambda _: self._relay("External", 0, 2),
            "SENDERDOMAIN": lambda _: self._field("X-SenderDomain") or None,
            "AUTHORDOMAIN": lambda _: self._field("X-AuthorDomain") or None,
            "HEADER": self._field,
            "PREVIEW": lambda _: self._preview(),
            "REPORT": lambda _: "\n" + self._report(),
            "SUMMARY": lambda _: self._summary(),
            "SUBJPREFIX": lambda _: self.subject_prefix(),
            "TIMING": lambda _: "",
            "RBL": lambda _: "",
            "BAYESTC": lambda _: "",
            "BAYESTCLEARNED": lambda _: "",
            "BAYESTCSPAMMY": lambda _: "",
            "BAYESTCHAMMY": lambda _: "",
        }

    def fill(self, text: str) -> str:
        """The text with its tags replaced; one that nobody knows, or that has no value, stays."""

        def value(match: re.Match[str]) -> str:
            known = self._known.get(match[1])
            if known is None:
                found = evals.tag_of(self._subject, match[1], match[2] or "")
            else:
                found = known(match[2] or "")
            return match[0] if found is None else found

        return _TAG.sub(value, text)

    def subject_prefix(self) -> str:
        """What the rules that hit put before the subject."""
        prefixes = dict(line.split(None, 1) for line in settings(self._book, "subjprefix") if " " in line)
        return " ".join(prefixes[name] for name in self._marks.hits if name in prefixes)

    def _yes_no(self, given: str) -> str:
        yes, _, no = given.partition(",") if given else ("Yes", "", "No")
        return yes if self._marks.is_spam else no

    def _score(self, padding: str) -> str:
        """Never the required score where it was not reached: 4.97 is 4.9 then."""
        score = f"{self._marks.score:2.1f}"
        if not self._marks.is_spam and float(score) >= self._marks.required:
            score = f"{self._marks.required - 0.1:.1f}"
        if set(padding) in ({"0"}, {" "}):
            score = padding[: max(0, len(padding) + 3 - len(score))] + score
        return score

    def _field(self, name: str) -> str:
        value = selectors.get(self._marks.message, name)
        return "" if value is None else value.decode("latin-1").rstrip("\n").replace("\r", " ")

    def _relay(self, which: str, place: int, part: int) -> str:
        found = _RELAY.findall(self._field(f"X-Spam-Relays-{which}"))
        return str(found[place][part]) if found else ""

    def _preview(self) -> str:
        lines: list[str] = []
        for line in self._marks.message.body[1 : 1 + _PREVIEW_LINES]:
            if sum(map(len, lines)) >= _PREVIEW_LENGTH:
                break
            lines.append(line.decode("latin-1"))
        text = "\n".join(_shortened(line) for line in "".join(lines).removesuffix("\n").split("\n"))
        text = re.sub(r"[ \t\r\n\f]+", " ", _PREVIEW_NOISE.sub("", text) + "\n")
        text = wrap(text, 75, prefix="  ", first=_PREVIEW_TITLE, overflow=True)
        return text.removeprefix(_PREVIEW_TITLE.rstrip()).lstrip()

    def _report(self) -> str:
        return "".join(
            f"* {score} {name} {area}{self._described(name, 4 + len(score + name + area), _REPORT_INDENT)}\n"
            for name, score, area in self._lines()
        )

    def _summary(self) -> str:
        return "".join(
            f"{score} {name:<22} {area}"
            f"{self._described(name, 3 + len(score + name + area), _SUMMARY_INDENT)}\n"
            for name, score, area in self._lines()
        )

    def _lines(self) -> list[tuple[str, str, str]]:
        """Name, points and area of the rules that hit, in the order in which their kinds are run."""
        known = [self._book.rules[name] for name in self._marks.hits if name in self._book.rules]
        known.sort(key=lambda rule: (_ORDER.index(_area(rule)), rule.kind is Kind.META, rule.name))
        described = self._marks.descriptions
        others = sorted(n for n in self._marks.hits if n in described and n not in self._book.rules)
        areas = [(rule.name, _area(rule)) for rule in known] + [(name, "") for name in others]
        return [(name, _points(self._points_of(name)), area) for name, area in areas]

    def _points_of(self, name: str) -> float:
        given = self._marks.scores.get(name)
        return self._book.score(name) if given is None else given

    def _described(self, name: str, used: int, prefix: str) -> str:
        text = octets(self._book.descriptions.get(name) or self._marks.descriptions.get(name) or _UNDESCRIBED)
        lines = [wrap(text, self._width, prefix=prefix, first=" " * used).strip()]
        detail = self._marks.details.get(name)
        return "\n".join(lines + ([f"{prefix}[{octets(detail)}]"] if detail else []))


_UNDESCRIBED = "No description available."
_ORDER = ("", "BODY: ", "URI: ", "RAW: ", "FULL: ")
_AREAS = {"body": "BODY: ", "uri": "URI: ", "rawbody": "RAW: ", "full": "FULL: "}


def settings(book: Book, word: str) -> tuple[str, ...]:
    """All values of a directive."""
    return book.settings.get(word, ())


def setting(book: Book, word: str, default: str) -> str:
    """The last value of a directive."""
    values = settings(book, word)
    return values[-1] if values else default


def template(book: Book, word: str, tags: Tags) -> str:
    """The lines of a template such as `report`, with their tags replaced."""
    return tags.fill("".join(f"{unquoted(line)}\n" for line in settings(book, word)))


def unquoted(text: str) -> str:
    """The value of a directive without the quotes that keep its blanks."""
    quoted = re.fullmatch(r'"(.*)"', text.strip(), re.DOTALL)
    return quoted[1] if quoted else text


def wrap(
    text: str, width: int, *, prefix: str = "", first: str = "", overflow: bool = False, breaks: str = _SPACE
) -> str:
    """The text in lines of at most `width` characters, as SpamAssassin breaks them.

    A line begins with `prefix`, the first one with `first`. A break may come after each match of
    `breaks`, and before it. `overflow`: a line may be longer by the piece that fills it.
    """
    pieces = re.split(f"({breaks})", text)
    while len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
    if first:
        pieces.insert(0, first)
    lines = []
    line, begun = pieces[0], False
    for piece in pieces[1:]:
        length = _columns(line) + (_columns(piece) if begun and not overflow else 0)
        if length > width:
            lines.append(line.rstrip())
            line = prefix
        line += piece
        begun = True
    return "\n".join([*lines, line])


def _shortened(line: str) -> str:
    return line if len(line) <= _PREVIEW_LENGTH else line[:_PREVIEW_LENGTH] + " [...]"


def octets(text: str) -> str:
    """Text for people, as one character per octet of its UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _columns(text: str) -> int:
    """A tab counts eight, wherever it stands."""
    return len(text) + 7 * text.count("\t")


def _joined(names: Iterable[str], separator: str) -> str:
    return (separator or ",").join(sorted(names)) or "none"


def _points(score: float) -> str:
    return f"{score:4.0f}" if abs(score) >= 10 else f"{score:4.1f}"


def _area(rule: Rule) -> str:
    return _AREAS.get(rule.scope if rule.kind is Kind.EVAL else rule.kind.value, "")


def _reversed(address: str) -> str:
    return ".".join(reversed(address.split("."))) if ":" not in address else ""
