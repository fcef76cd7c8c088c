"""The regular expression of a rule line: `/re/mods`, `m{re}mods`, `m,re,mods` and other delimiters."""

import re

from lazaret.rules.book import Regex

_OPENING = re.compile(r"(?:m\s*|qr\s*)?([^\w\s\\])", re.ASCII)
_CLOSING = {"{": "}", "(": ")", "[": "]", "<": ">"}
_MODIFIERS = re.compile(r"[a-df-z]*", re.ASCII)
_MEANINGFUL = frozenset("imsxn")


class RegexTokenError(ValueError):
    """The text is no delimited regular expression; says what is wrong."""


def parse(text: str) -> Regex:
    """The expression without its delimiters. `text` holds one octet per character (Latin-1)."""
    text = text.strip()
    opening = _OPENING.match(text)
    if not opening or (text[0] not in "/!" and opening.start(1) == 0):
        raise RegexTokenError("no regular expression between delimiters")
    close = _CLOSING.get(opening[1], opening[1])
    body, found, modifiers = text[opening.end() :].rpartition(close)
    if not found:
        raise RegexTokenError(f"the closing {close} is missing")
    if not _MODIFIERS.fullmatch(modifiers):
        raise RegexTokenError(f"unknown modifiers {modifiers!r}")
    if close == opening[1] and _has_unescaped(body, close):
        raise RegexTokenError(f"{close} stands unescaped in the expression")
    if "(?{" in body or "(??{" in body:
        raise RegexTokenError("code in an expression is not run")
    if not body:
        raise RegexTokenError("the expression is empty")
    kept = "".join(dict.fromkeys(m for m in modifiers if m in _MEANINGFUL))
    return Regex(body.encode("latin-1", "replace"), kept)


def _has_unescaped(body: str, delimiter: str) -> bool:
    return re.search(rf"(?<!\\)(?:\\\\)*{re.escape(delimiter)}", body) is not None
