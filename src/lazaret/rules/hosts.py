"""What rule files say of hosts, for whoever reads a message: networks that are believed, sites of links."""

import re
from collections.abc import Iterable
from itertools import dropwhile

from lazaret.mime import hostnames
from lazaret.mime.networks import parse_list
from lazaret.mime.trust import ORIGINATING_IP_HEADERS, Networks
from lazaret.mime.uri_variants import Sites
from lazaret.rules import literals, perl_regex, regex_token
from lazaret.rules.book import Book, Regex
from lazaret.rules.perl_regex import Chars, Edge, Node, RegexError, Repeat, Sequence
from lazaret.rules.regex_token import RegexTokenError

_OF_SCHEME = sum(1 << octet for octet in b"hHtTpPsS:/")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


def networks(book: Book) -> Networks:
    """`trusted_networks`, `internal_networks`, `msa_networks`, and what header fields tell of the sender.

    `originating_ip_headers` adds to the usual ones, unless `clear_originating_ip_headers` came first.
    """
    settings = book.settings
    usual = () if "clear_originating_ip_headers" in settings else ORIGINATING_IP_HEADERS
    headers = {name.lower(): name for name in (*usual, *_words(settings.get("originating_ip_headers", ())))}
    return Networks.from_text(
        _networks(settings.get("trusted_networks", ())),
        _networks(settings.get("internal_networks", ())),
        _networks(settings.get("msa_networks", ())),
        headers.values(),
        (settings.get("envelope_sender_header") or ("",))[-1],
    )


def sites(book: Book) -> Sites | None:
    """`util_rb_*` and `redirector_pattern`; None when the files say nothing of sites."""
    lists = [_words(book.settings.get(word, ())) for word in ("util_rb_tld", "util_rb_2tld", "util_rb_3tld")]
    found = list(filter(None, map(_redirector, book.settings.get("redirector_pattern", ()))))
    if not any(lists) and not found:
        return None
    registry = hostnames.public().with_lists(*lists)
    marks = _any_of([words for _, words in found])
    return Sites(registry, tuple(pattern for pattern, _ in found), marks)


def _any_of(sets: list[literals.Words]) -> re.Pattern[bytes] | None:
    """Finds every word of the sets; None where one of them is empty."""
    words = sorted(frozenset[bytes]().union(*sets))
    return re.compile(b"|".join(map(re.escape, words))) if sets and all(sets) else None


def _words(lines: Iterable[str]) -> list[str]:
    return [word for line in lines for word in line.split()]


def _networks(lines: Iterable[str]) -> list[str]:
    """The words that are networks: one that is none must not keep the others from counting."""
    return [word for word in _words(lines) if _is_network(word)]


def _is_network(word: str) -> bool:
    try:
        parse_list([word])
    except ValueError:
        return False
    return True


def _redirector(line: str) -> tuple[re.Pattern[bytes], literals.Words] | None:
    """As an expression whose first group is the target, and words of which it needs one; None: it is none."""
    try:
        regex = regex_token.parse(line)
        flags = sum((_FLAGS.get(modifier, re.NOFLAG) for modifier in regex.modifiers), re.NOFLAG)
        pattern = re.compile(regex.source, flags)
    except (RegexTokenError, re.error):
        return None
    return (pattern, _words_of(regex)) if pattern.groups else None


def _words_of(regex: Regex) -> literals.Words:
    """Words of which it needs one, behind the scheme that all URIs begin with; empty: none are known."""
    try:
        node = perl_regex.parse(regex.source, regex.modifiers)
    except RegexError:
        return frozenset()
    if isinstance(node, Sequence):
        node = Sequence(tuple(dropwhile(_is_of_scheme, node.items)))
    return literals.required_words(node)


def _is_of_scheme(node: Node) -> bool:
    match node:
        case Chars(mask):
            return not mask & ~_OF_SCHEME
        case Repeat(item):
            return _is_of_scheme(item)
        case _:
            return isinstance(node, Edge)
