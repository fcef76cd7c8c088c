"""What rule files say of hosts, for whoever reads a message: networks that are believed, sites of links."""

import re
from collections.abc import Iterable

from lazaret.mime import hostnames
from lazaret.mime.networks import parse_list
from lazaret.mime.trust import ORIGINATING_IP_HEADERS, Networks
from lazaret.mime.uri_variants import Sites
from lazaret.rules import regex_token
from lazaret.rules.book import Book
from lazaret.rules.regex_token import RegexTokenError

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
    redirectors = tuple(filter(None, map(_redirector, book.settings.get("redirector_pattern", ()))))
    if not any(lists) and not redirectors:
        return None
    return Sites(hostnames.public().with_lists(*lists), redirectors)


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


def _redirector(line: str) -> re.Pattern[bytes] | None:
    """As an expression whose first group is the target; None when it is none."""
    try:
        regex = regex_token.parse(line)
        flags = sum((_FLAGS.get(modifier, re.NOFLAG) for modifier in regex.modifiers), re.NOFLAG)
        pattern = re.compile(regex.source, flags)
    except (RegexTokenError, re.error):
        return None
    return pattern if pattern.groups else None
