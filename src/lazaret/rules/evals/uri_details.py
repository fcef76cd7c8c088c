"""Rules over all that is known of one link at a time (Mail::SpamAssassin::Plugin::URIDetail).

`uri_detail NAME key =~ /…/ key2 !~ /…/`: all conditions must hold for the same link.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from lazaret.mime.urls import Uri
from lazaret.rules import regex_token
from lazaret.rules.evals import Settings, Subject, eval_test
from lazaret.rules.evals.matching import octets_matcher
from lazaret.rules.regex_token import RegexTokenError

FUNCTION = "check_uri_detail"
KEYS = ("raw", "type", "cleaned", "text", "domain", "host")

_CONDITION = re.compile(r"\b(\w+)\b\s*([=!]~)\s*((?:/.*?/|m(\W).*?\4)[imsx]*)(?=\s|$)", re.ASCII)


def conditions(text: str) -> tuple[str, ...]:
    """The rule as arguments: key, operator, expression, and so on. RegexTokenError when it is none."""
    found: list[str] = []
    for condition in _CONDITION.finditer(text):
        if condition[1] not in KEYS:
            raise RegexTokenError(f"{condition[1]} is not known of links; {', '.join(KEYS)} are")
        regex = regex_token.parse(condition[3])
        modifiers = f"(?{regex.modifiers})" if regex.modifiers else ""
        found += [condition[1], condition[2], modifiers + regex.source.decode("latin-1")]
    if not found:
        raise RegexTokenError("expected `key =~ /expression/`")
    return tuple(found)


@eval_test(FUNCTION)
def uri_detail(_settings: Settings, *arguments: str) -> Callable[[Subject], str]:
    """A link for which every condition holds; it is shown."""
    holding = [_condition(*arguments[i : i + 3]) for i in range(0, len(arguments) - 2, 3)]

    def found(subject: Subject) -> str:
        for uri in subject.message.uris:
            for holds in holding:
                if not holds(uri):
                    break
            else:
                return uri.raw.decode("utf-8", "replace")
        return ""

    return found


def _condition(key: str, operator: str, expression: str) -> Callable[[Uri], bool]:
    """Whether one of the texts that the key stands for matches, or, with `!~`, does not."""
    matches = octets_matcher(expression)

    def holds(texts: Iterable[bytes]) -> bool:
        return any(map(matches, texts)) if operator == "=~" else not all(map(matches, texts))

    match key:
        case "raw":
            return lambda uri: holds((uri.raw,))
        case "cleaned":
            return lambda uri: holds(uri.cleaned)
        case "text":
            return lambda uri: holds(uri.anchor_text)
        case "type":
            # There are few of them, and every link has some.
            of_types = lru_cache(maxsize=256)(lambda types: holds(map(_octets, types)))
            return lambda uri: of_types(uri.types)
        case "domain":
            return lambda uri: holds(map(_octets, uri.domains))
        case _:
            return lambda uri: holds(map(_octets, uri.hosts))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
