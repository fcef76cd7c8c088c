"""Figures as places on a drawing: the templates make SVG of them, so that no script draws anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lazaret.model.verdict import Levels
from lazaret.web.rows import level_of

BECAME = {
    "deliver": "delivered",
    "mark": "marked",
    "quarantine": "quarantined",
    "discard": "discarded",
    "reject": "refused",
    "defer": "deferred",
}
"""Action -> what a copy is then; in the order of a bar."""
FATES = tuple(BECAME)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar, in units of the drawing, from the top."""

    kind: str
    y: float
    height: float
    number: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    x: float
    width: float
    pieces: tuple[Piece, ...]
    total: int
    label: float
    """What it stands for: a time, or points."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars on a drawing `width` x `height`; `top` is what its highest line stands for."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    top: int
    lines: tuple[tuple[str, float, float], ...] = ()
    """(name, points, x) of levels."""


def starts(since: float, now: float, bucket_s: int) -> range:
    """When each span of so many seconds begins; the first began at `since` or before."""
    return range(int(since) - int(since) % bucket_s, int(now) + 1, bucket_s)


def volume(spans: Mapping[int, Mapping[str, int]], since: float, now: float, bucket_s: int) -> Plot:
    """Recipients by fate over time; empty spans are empty, not left out."""
    begins = starts(since, now, bucket_s)
    top = nice(max((sum(spans.get(at, {}).values()) for at in begins), default=0))
    width, height = 720, 160
    step = width / max(1, len(begins))
    bars = []
    for number, at in enumerate(begins):
        counts = spans.get(at, {})
        bars.append(
            Bar(
                round(number * step + step * 0.12, 2),
                round(step * 0.76, 2),
                _stacked([(fate, counts.get(fate, 0)) for fate in FATES], top, height),
                sum(counts.values()),
                at,
            )
        )
    return Plot(width, height, tuple(bars), top)


def histogram(scores: Mapping[int, int], levels: Levels, low: int = -5, high: int = 20) -> Plot:
    """Messages by score, a bar a point, with the levels; what lies beyond the ends is in the last bars."""
    gathered: dict[int, int] = {}
    for points, number in scores.items():
        at = min(max(points, low), high)
        gathered[at] = gathered.get(at, 0) + number
    top = nice(max(gathered.values(), default=0))
    width, height = 720, 160
    step = width / (high - low + 1)
    bars = [
        Bar(
            round((points - low) * step + step * 0.1, 2),
            round(step * 0.8, 2),
            _stacked([(level_of(points, levels) or "clean", gathered.get(points, 0))], top, height),
            gathered.get(points, 0),
            points,
        )
        for points in range(low, high + 1)
    ]
    named = [("mark", levels.mark), ("quarantine", levels.quarantine), ("kill", levels.kill)]
    lines = tuple(
        (name, points, round((points - low) * step, 2))
        for name, points in named
        if points is not None and low <= points <= high
    )
    return Plot(width, height, tuple(bars), top, lines)


def nice(number: int) -> int:
    """The next round number: what the top line of a drawing stands for."""
    if number <= 5:
        return 5
    scale = int("1" + "0" * (len(str(number)) - 1))
    return next(step * scale // 2 for step in range(2, 22) if step * scale // 2 >= number)


def _stacked(parts: Sequence[tuple[str, int]], top: int, height: int) -> tuple[Piece, ...]:
    pieces, under = [], 0.0
    for kind, number in parts:
        if number:
            tall = number / top * height
            under += tall
            pieces.append(Piece(kind, round(height - under, 2), round(tall, 2), number))
    return tuple(pieces)
