"""Is this a host name of the internet, and which part of it did somebody register?

The public suffix list (of the package publicsuffixlist) says where names are given out; the lists of a
SpamAssassin configuration (`util_rb_tld`, `util_rb_2tld`, `util_rb_3tld`) can take its place.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from publicsuffixlist import PSLFILE

NAME_LIMIT = 253
"""Octets of a name (RFC 1035, section 2.3.4, without the root's)."""

_LABEL_LIMIT = 63
"""Octets of a label (RFC 1035); Punycode of a long one would cost the square of its length."""

_LATIN1_NAME = re.compile(rb"[A-Za-z0-9\xc0-\xd6\xd8-\xde\xe0-\xf6\xf8-\xfe_.-]*+")
_OTHER_DOTS = re.compile("[\u2024\u3002\uff0e\uff61\ufe52]")
"""Characters that stand for a dot (RFC 3490, section 3.1), and two that spammers put in its place."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_REGISTERED_LABEL = _LABEL.replace("_", "")
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_REGISTERED_LABEL}\.{_REGISTERED_LABEL}", re.ASCII)

_SUFFIX_LABELS = 5
"""Names with more are looked up by so many of their last ones."""

_US_STATES = (
    " ak al ar az ca co ct dc de fl ga gu hi ia id il in ks ky la ma md me mi mn mo ms mt nc nd ne nh nj nm"
    " nv ny oh ok or pa pr ri sc sd tn tx ut va vi vt wa wi wv wy "
)
"""Below them stand places (RFC 1480): fire-dept.ci.los-angeles.ca.us."""


def to_ascii(host: bytes) -> bytes:
    """The name as the DNS has it: lower case, international labels as `xn--` (RFC 3492), dots as dots.

    What is no name at all comes back in lower case.
    """
    if host.isascii():
        return host.lower()
    try:
        text = host.decode("utf-8")
    except UnicodeDecodeError:
        if not _LATIN1_NAME.fullmatch(host):
            return host.lower()
        text = host.decode("latin-1")
    text = _OTHER_DOTS.sub(".", text)
    try:
        return ".".join(map(_label_to_ascii, text.split("."))).encode("ascii")
    except UnicodeError:
        return text.encode("utf-8")


def _label_to_ascii(label: str) -> str:
    if label.isascii():
        return label.lower()
    if len(label) > _LABEL_LIMIT:
        raise UnicodeError
    normal = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).lower())
    return normal if normal.isascii() else "xn--" + normal.encode("punycode").decode("ascii")


def is_name(host: str) -> bool:
    """Whether the name, already in ASCII and lower case, has the form of a host's: two labels or more."""
    bare = host.rstrip(".")
    return len(bare) <= NAME_LIMIT and _NAME.fullmatch(bare) is not None


@dataclass(frozen=True, eq=False)
class Registry:
    """Where names are given out. Everything in ASCII and lower case."""

    tlds: frozenset[str]
    suffixes: frozenset[str]
    """Names of several labels under which others register: co.uk."""
    wildcards: frozenset[str] = frozenset()
    """Names under which every label is a suffix: ck, for *.ck."""
    exceptions: frozenset[str] = frozenset()
    """Names that a wildcard would make a suffix, and that are none: www.ck."""
    _divided: frozenset[str] = field(init=False)
    """The last two labels of each of these, or its one: only below them is more to be looked up."""

    def __post_init__(self) -> None:
        names = ("us", *self.suffixes, *self.wildcards)
        # Not on first use: workers are forked before.
        object.__setattr__(self, "_divided", frozenset([".".join(n.rsplit(".", 2)[-2:]) for n in names]))

    def with_lists(
        self, tlds: Iterable[str] = (), second_level: Iterable[str] = (), third_level: Iterable[str] = ()
    ) -> "Registry":
        """The registry that a configuration describes: its lists, where it has any, in place of these.

        A configuration with top-level domains of its own is complete (SpamAssassin's rules are); one
        without adds to what is known.
        """
        own = frozenset(_ascii_names(tlds))
        suffixes = frozenset(_ascii_names([*second_level, *third_level]))
        if own:
            return Registry(own, suffixes)
        return Registry(self.tlds, self.suffixes | suffixes, self.wildcards, self.exceptions)

    def knows_tld(self, host: str) -> bool:
        """Whether the name, in ASCII and lower case, has a dot and ends in a top-level domain."""
        _, dot, tld = host.rpartition(".")
        return dot != "" and tld in self.tlds and len(host.split()) == 1

    def registered(self, host: str) -> str:
        """The part of a name, in ASCII and lower case, that somebody registered: example.co.uk."""
        labels = host.rsplit(".", 2)[-2:]
        name = ".".join(labels)
        if labels[-1] in self._divided or name in self._divided or "" in labels:
            return self._registered_below(host)
        return name

    def _registered_below(self, host: str) -> str:
        # The longest name that others register under counts, and with it the label before.
        registered = name = host
        labels = host.split(".")
        if len(labels) > _SUFFIX_LABELS or "" in labels:
            labels = list(filter(None, labels))
            registered = ".".join(labels[-_SUFFIX_LABELS - 1 :])
            name = ".".join(labels[-_SUFFIX_LABELS:])
        suffixes, wildcards, of_us = self.suffixes, self.wildcards, name.endswith(".us")
        _, dot, above = name.partition(".")
        while dot:
            if name in suffixes:
                return registered
            if above in wildcards:
                if name not in self.exceptions:
                    return registered
            elif of_us and _is_us_place(name.split(".")):
                return registered
            registered, name = name, above
            _, dot, above = name.partition(".")
        return registered


def _is_us_place(labels: list[str]) -> bool:
    if len(labels) == 3:
        return f" {labels[1]} " in _US_STATES
    return (
        len(labels) == 4
        and f" {labels[2]} " in _US_STATES
        and (labels[:2] == ["pvt", "k12"] or labels[0] in ("ci", "co"))
    )


def _ascii_names(names: Iterable[str]) -> list[str]:
    return [to_ascii(name.encode("utf-8")).decode("ascii", "replace").strip(".") for name in names]


@cache
def public() -> Registry:
    """The registry of the public suffix list; read on first use (30 ms)."""
    rules = []
    with open(PSLFILE, encoding="utf-8") as lines:
        rules = [line.split()[0] for line in lines if line.strip() and not line.startswith("//")]
    names = _ascii_names(rule for rule in rules if rule[0] not in "*!")
    wildcards = _ascii_names(rule.removeprefix("*.") for rule in rules if rule.startswith("*."))
    exceptions = _ascii_names(rule[1:] for rule in rules if rule.startswith("!"))
    return Registry(
        tlds=frozenset(name.rpartition(".")[2] for name in (*names, *wildcards)),
        suffixes=frozenset(name for name in names if "." in name),
        wildcards=frozenset(wildcards),
        exceptions=frozenset(exceptions),
    )
