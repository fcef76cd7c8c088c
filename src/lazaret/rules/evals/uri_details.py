"""Rules over all that is known of one link at a time (Mail::SpamAssassin::Plugin::URIDetail).

`uri_detail NAME key =~ /…/ key2 !~ /…/`: all conditions must hold for the same link.
"""

import re
from collections.abc import Iterable, Sequence

from lazaret.mime.urls import Uri
from lazaret.rules import regex_token
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.matching import matches
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


@eval_function(FUNCTION)
def uri_detail(subject: Subject, *arguments: str) -> str:
    """A link for which every condition holds; it is shown."""
    wanted = [arguments[i : i + 3] for i in range(0, len(arguments) - 2, 3)]
    for uri in subject.message.uris:
        if all(_holds(_known(uri, key), operator, expression) for key, operator, expression in wanted):
            return uri.raw.decode("utf-8", "replace")
    return ""


def _holds(texts: Iterable[str], operator: str, expression: str) -> bool:
    return any(matches(expression, text) == (operator == "=~") for text in texts)


def _known(uri: Uri, key: str) -> Sequence[str]:
    match key:
        case "raw":
            return (_text(uri.raw),)
        case "type":
            return tuple(uri.types)
        case "cleaned":
            return tuple(map(_text, uri.cleaned))
        case "text":
            return tuple(map(_text, uri.anchor_text))
        case "domain":
            return tuple(uri.domains)
        case _:
            return tuple(uri.hosts)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
