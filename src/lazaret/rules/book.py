"""What the rule files say, before anything is compiled: rules, scores, descriptions, settings, problems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

WITHOUT_LEARNER, WITH_LEARNER = 0, 2
"""The score sets in use, both without the network: it is asked by checks of their own here."""


class Kind(StrEnum):
    """What a rule looks at."""

    HEADER = "header"
    BODY = "body"
    RAWBODY = "rawbody"
    URI = "uri"
    FULL = "full"
    MIMEHEADER = "mimeheader"
    META = "meta"
    EVAL = "eval"
    EMPTY = "empty"
    """Declared without a test of its own (`meta X ()`, `reuse`, `askdns`): it never hits."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that could not be used, or not as it was meant. `line` 0: the file as a whole."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known of an expression once it has been read, which may take half a second."""

    text: bytes
    """As PCRE2 takes it."""
    others: bytes | None
    others_in_ascii: bytes | None
    """All octets but those it matches, when it matches single octets: in any text, and in one of ASCII."""

    starts: bytes | None = None
    """Where a match may begin (starts.py)."""
    wider: bytes | None = None
    """What must match too: of an expression that PCRE2 takes only with its groups shared, which is slow."""


@dataclass(frozen=True, slots=True)
class Regex:
    """A Perl regular expression over octets: `source` without delimiters, `modifiers` of i m s x."""

    source: bytes
    modifiers: str = ""
    ready: Ready | None = None
    """None: whoever runs it reads it first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as defined by its last definition. Which fields matter depends on `kind`."""

    name: str
    kind: Kind
    text: str
    """The definition as written, without the name."""
    file: str
    line: int
    regex: Regex | None = None
    selector: str = ""
    """Header rules: `From:addr`. Mimeheader rules: `Content-Type`, `Content-Type:raw`, `ALL`."""
    negated: bool = False
    exists: bool = False
    if_unset: bytes | None = None
    function: str = ""
    arguments: tuple[str, ...] = ()
    scope: str = ""
    """Eval rules: the word that defined it (`header`, `body`, …)."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A `test NAME ok|fail text` line."""

    rule: str
    expected: bool
    text: bytes
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Book:
    """All that was read, the last setting of each thing winning.

    Scores are those of the four score sets (without and with network, the same two with a learner).
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    scores: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)
    """Which rules SpamAssassin would run first: it matters where one of them ends the examination."""
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every other directive -> its values, in order."""
    tests: tuple[SelfTest, ...] = ()
    problems: tuple[Problem, ...] = ()

    def score(self, name: str, score_set: int = WITHOUT_LEARNER) -> float:
        """The rule's score; without a `score` line 1, or 0.01 for `T_…`, negative with `tflags nice`."""
        given = self.scores.get(name)
        if given is not None:
            return given[score_set]
        default = 0.01 if name.startswith("T_") else 1.0
        return -default if "nice" in self.flags.get(name, ()) else default

    def max_hits(self, name: str) -> int | None:
        """How many matches count: 1, or with `tflags multiple` as many as `maxhits` says (None: all)."""
        flags = self.flags.get(name, ())
        if "multiple" not in flags:
            return 1
        limits = [f[8:] for f in flags if f.startswith("maxhits=")]
        return int(limits[-1]) if limits and limits[-1].isdigit() else None
