"""The ranges that rules give as arguments, as tests of a number: `undef` for an open end."""

import math
from collections.abc import Callable


def number(argument: str) -> float:
    """The argument as a number; 0 when it is none, as Perl takes it."""
    try:
        return float(argument)
    except ValueError:
        return 0.0


def above(low: str, high: str = "undef") -> Callable[[float], bool]:
    """low < value <= high."""
    least, most = number(low), _end(high, "undef", "inf")
    return lambda value: least < value <= most


def within(low: str, high: str = "undef") -> Callable[[float], bool]:
    """low <= value < high."""
    least, end = (-math.inf if low == "undef" else number(low)), _end(high, "undef")
    return lambda value: least <= value < end


def between(low: str, high: str = "undef") -> Callable[[float], bool]:
    """low <= value <= high."""
    least, most = number(low), _end(high, "undef")
    return lambda value: least <= value <= most


def _end(high: str, *open_ends: str) -> float:
    return math.inf if high in open_ends else number(high)
