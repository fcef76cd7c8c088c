"""Expressions that stand in the arguments of eval rules, run within the same limits as all others."""

from functools import lru_cache

from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex


@lru_cache(1024)
def _compiled(expression: str) -> Confirm:
    return Confirm(Regex(expression.encode("latin-1", "replace")))


def matches(expression: str, text: str) -> bool:
    """Whether it is found in the text; False too when it is malformed or takes too many steps."""
    try:
        return _compiled(expression).search(text.encode("utf-8", "surrogateescape")) is not None
    except (MatchLimit, UnusableRegex):
        return False
