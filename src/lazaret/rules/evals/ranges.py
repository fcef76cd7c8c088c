"""The ranges that rules give as arguments: `undef` for an open end."""


def number(argument: str) -> float:
    """The argument as a number; 0 when it is none, as Perl takes it."""
    try:
        return float(argument)
    except ValueError:
        return 0.0


def above(value: float, low: str, high: str = "undef") -> bool:
    """low < value <= high."""
    return value > number(low) and (high in ("undef", "inf") or value <= number(high))


def within(value: float, low: str, high: str = "undef") -> bool:
    """low <= value < high."""
    return (low == "undef" or value >= number(low)) and (high == "undef" or value < number(high))
