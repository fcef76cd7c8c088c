"""Links that are not what they look like."""

import re

from lazaret.rules.evals import Subject, domains, eval_function
from lazaret.rules.evals.ranges import number

_MOST = 50
"""Counts stop here."""
_LOOKS_LIKE_URL = re.compile(r"(?:https?:/+|(?=www\d*\.))([^/?#:\s@]+)(?=$|[/?#:\s])", re.IGNORECASE)
_IS_HOST = re.compile(r"((?:[^\W_][\w-]*\.)+[^\W\d_]{2,})(?:/\S*)?")


@eval_function("lz_link_text_mismatch")
def link_text_mismatch(subject: Subject) -> str:
    """Links whose text shows one host while they lead to the domain of another."""
    return subject.once(_mismatch)


def _mismatch(subject: Subject) -> str:
    for link in subject.message.links:
        if link.tag != "a" or link.attribute != "href":
            continue
        shown = _shown_domain(link.text)
        target = domains.of_link(link.target.decode("utf-8", "replace")) if shown else ""
        if target and shown != target:
            return f"{shown} leads to {target}"
    return ""


def _shown_domain(text: str) -> str:
    text = text.strip()
    found = _LOOKS_LIKE_URL.match(text) or ("@" not in text and _IS_HOST.fullmatch(text)) or None
    return domains.registered(found[1]) if found else ""


@eval_function("lz_link_domains")
def link_domains(subject: Subject, low: str, high: str) -> int:
    """The links lead to so many different domains."""
    return number(low) <= len(subject.once(_link_domains)) <= number(high)


@eval_function("lz_links_share_sender")
def links_share_sender(subject: Subject) -> int:
    """Some link leads to the domain of the sender."""
    senders = {domains.of_address(subject.first(s)) for s in ("From:addr", "EnvelopeFrom:addr")} - {""}
    return bool(senders & subject.once(_link_domains))


def _link_domains(subject: Subject) -> frozenset[str]:
    found = {domains.of_link(link.target.decode("utf-8", "replace")) for link in subject.message.links}
    for uri in subject.message.uris:
        if "parsed" in uri.types and "schemeless" not in uri.types:
            found.add(domains.of_link(uri.raw.decode("utf-8", "replace")))
    return frozenset(found - {""})
