"""Why a message is where it is, in the reader's words: the distance to the level, then what made it up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lazaret.model.language import Language
from lazaret.model.quarantine import Detail
from lazaret.model.verdict import Levels, ScoredHit

_REACHED = re.compile(r"score (-?[0-9.]+) is (?:([0-9.]+) above|exactly at) the (\w+) level (-?[0-9.]+)")
_BELOW = re.compile(r"score (-?[0-9.]+) is below the mark level (-?[0-9.]+)")
_BY = ", by the "
_LISTS = "AM.WBL"
_LEARNED = ("BAYES_SPAM", "BAYES_HAM")
_TOWARDS = re.compile(r"(?:^|(?<=; ))towards (spam|ham): ")
_GROUP = re.compile(r"\b(sender|subject|text|links|form|header)(?= \()")


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence, and whom it is about; for all recipients alike when there is one sentence only."""

    sentence: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A level on the scale."""

    name: str
    points: float
    at: float
    """Its place, percent of the width."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The score among the levels, as a line."""

    at: float
    zero: float
    marks: tuple[Mark, ...]


def reasons(detail: Detail, say: Language) -> list[Reason]:
    """Each distinct reason once."""
    grouped: dict[str, list[str]] = {}
    for recipient, reason in detail.reasons.items():
        grouped.setdefault(reason, []).append(recipient)
    return [Reason(sentence(reason, say), tuple(who)) for reason, who in grouped.items() if reason]


def sentence(reason: str, say: Language) -> str:
    """The filter's own sentence, in the reader's language and with the numbers as he writes them."""
    told = "; ".join(_clause(clause, say) for clause in reason.split("; "))
    return f"{told[:1].upper()}{told[1:]}."


def _clause(clause: str, say: Language) -> str:
    said, by, origin = clause.partition(_BY)
    if found := _REACHED.fullmatch(said):
        score, above, level, line = found.groups()
        told = say(
            "{score} points: {above} above the {level} level, which begins at {line}",
            score=say.points(float(score)),
            above=say.points(float(above or 0)),
            level=say(level),
            line=say.points(float(line)),
        )
    elif found := _BELOW.fullmatch(said):
        score, line = found.groups()
        told = say(
            "{score} points: below {line}, where mail begins to be marked",
            score=say.points(float(score)),
            line=say.points(float(line)),
        )
    else:
        told = say.told(said)
    return told + (say(", by the {origin}", origin=say.told(origin)) if by else "")


def evidence(hit: ScoredHit, say: Language) -> str:
    """What a rule found: text of the message as it is, and what is ours in the reader's language."""
    if hit.symbol == _LISTS:
        return "; ".join(map(say.told, hit.detail.split("; ")))
    if hit.symbol in _LEARNED:
        towards = _TOWARDS.sub(lambda found: say.told(f"towards {found[1]}:") + " ", hit.detail)
        return _GROUP.sub(lambda found: say.told(found[1]), towards)
    return hit.detail


def split_hits(hits: Sequence[ScoredHit]) -> tuple[list[ScoredHit], list[ScoredHit], list[ScoredHit]]:
    """(what added, what took away, what counted for nothing), the weightiest first."""
    ordered = sorted(hits, key=lambda hit: (-abs(hit.score), hit.symbol))
    added = [hit for hit in ordered if hit.score > 0]
    taken = [hit for hit in ordered if hit.score < 0]
    return added, taken, [hit for hit in ordered if hit.score == 0]


def scale(score: float, levels: Levels) -> Scale:
    """A line from below zero to beyond the highest level, wide enough for the score."""
    named = [("mark", levels.mark), ("quarantine", levels.quarantine)]
    if levels.kill is not None and levels.kill < 100:
        named.append(("kill", levels.kill))
    low = min(-2.0, score, *(points for _, points in named))
    high = max(score, *(points for _, points in named)) * 1.15 + 1
    width = high - low

    def place(points: float) -> float:
        return round(100 * (points - low) / width, 2)

    return Scale(place(score), place(0), tuple(Mark(name, points, place(points)) for name, points in named))
