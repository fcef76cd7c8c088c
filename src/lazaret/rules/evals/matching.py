"""Expressions that stand in the arguments of eval rules, run within the same limits as all others."""

from collections.abc import Callable
from functools import lru_cache

from lazaret.rules import regex_token
from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex
from lazaret.rules.regex_token import RegexTokenError


@lru_cache(1024)
def octets_matcher(expression: str) -> Callable[[bytes], bool]:
    """Whether it is found in a text; False too when it is malformed or takes too many steps."""
    confirm = Confirm(Regex(expression.encode("latin-1", "replace")))

    def found_in(text: bytes) -> bool:
        try:
            return confirm.find_in((text,)) is not None
        except (MatchLimit, UnusableRegex):
            return False

    return found_in


@lru_cache(1024)
def matcher(expression: str) -> Callable[[str], bool]:
    """The same for characters."""
    matches = octets_matcher(expression)
    return lambda text: matches(text.encode("utf-8", "surrogateescape"))


@lru_cache(1024)
def _in_delimiters(token: str) -> Confirm:
    try:
        return Confirm(regex_token.parse(token))
    except RegexTokenError:
        return Confirm(Regex(token.encode("latin-1", "replace")))


def token_matches(token: str, octets: bytes) -> bool:
    """As `matches`; the expression may stand in delimiters and have modifiers: `/^x/i`."""
    try:
        return _in_delimiters(token).search(octets) is not None
    except (MatchLimit, UnusableRegex):
        return False
