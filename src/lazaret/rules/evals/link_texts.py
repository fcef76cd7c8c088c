"""Links that show another address than the one they lead to, or hide it (URIEval, HTTPSMismatch)."""

import re
from collections.abc import Callable
from typing import NamedTuple

from lazaret.mime import hostnames, ip
from lazaret.rules.evals import Settings, Subject, eval_function, eval_test
from lazaret.rules.evals.ranges import number, within

_TO_ADDRESS = re.compile(rb"https?:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+", re.IGNORECASE)
_SHOWN_ADDRESS = re.compile(rb"https:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+", re.IGNORECASE)
_SHOWN_HTTPS = re.compile(rb"https:", re.IGNORECASE)
_HOST = re.compile(rb"https?://([^/:?#]+)", re.IGNORECASE)
_SHOWN_HOST = re.compile(rb"https://([^\s/:?#]+)", re.IGNORECASE)
_REDIRECTION = re.compile(r"https?://([^/:?]+).+?(https?:/{0,2}?([^/:?]+).*)", re.IGNORECASE | re.DOTALL)
_MOST_REDIRECTIONS = 20


@eval_function("check_https_ip_mismatch")
def https_ip_mismatch(subject: Subject) -> str:
    """A link to a bare IP address that shows an https address with a name."""
    for uri in subject.message.uris:
        if not _TO_ADDRESS.match(uri.raw):
            continue
        for text in uri.anchor_text:
            if _SHOWN_HTTPS.search(text) and not _SHOWN_ADDRESS.match(text):
                return uri.raw.decode("utf-8", "replace")
    return ""


class Mismatches(NamedTuple):
    """Links with a text that lead to a host with a name."""

    links: int
    shown: str
    """Of the last one that shows an https address in another domain."""


def _mismatches(subject: Subject) -> Mismatches | None:
    """None when no link shows an https address in another domain."""
    linked = (uri.anchor_text for uri in subject.message.uris if uri.anchor_text)
    if not any(any(map(_SHOWN_HOST.search, texts)) for texts in linked):
        return None
    links = 0
    found = ""
    for uri in subject.message.uris:
        host = _HOST.match(uri.raw) if uri.anchor_text else None
        target = _domain(subject, host[1]) if host else ""
        if not target or ip.is_address(target):
            continue
        links += 1
        hosts = (shown[1] for text in uri.anchor_text if (shown := _SHOWN_HOST.search(text)))
        domains = (_domain(subject, host) for host in hosts)
        other = next((domain for domain in domains if domain and domain != target), "")
        found = f"{other} leads to {target}" if other else found
    return Mismatches(links, found) if found else None


@eval_test("check_https_http_mismatch", of=_mismatches)
def https_http_mismatch(
    _settings: Settings, least: str = "1", most: str = "undef"
) -> Callable[[Mismatches], str]:
    """A link that shows an https address in another domain, among `least` links and fewer than `most`."""
    fits = within(str(max(number(least), 1)), most)
    return lambda found: found.shown if fits(found.links) else ""


@eval_function("check_uri_truncated")
def uri_truncated(subject: Subject) -> int:
    """An address in the HTML is longer than what is looked at."""
    return any(rendered.html and rendered.html.facts.uri_truncated for rendered in subject.message.rendered)


@eval_function("check_for_http_redirector")
def http_redirector(subject: Subject) -> str:
    """A link through one site to another."""
    for uri in subject.message.uris:
        text = uri.raw.decode("utf-8", "replace")
        for _ in range(_MOST_REDIRECTIONS):
            found = _REDIRECTION.fullmatch(text)
            if not found:
                break
            through, to = (_domain(subject, host.encode()) or host for host in (found[1], found[3]))
            if through != to:
                return f"{through} to {to}"
            text = found[2]
    return ""


def _domain(subject: Subject, host: bytes) -> str:
    """The registered domain; an address is itself, and "" stands for what is no host."""
    name = hostnames.to_ascii(host).decode("ascii", "replace")
    if ip.is_address(name):
        return name
    registry = subject.message.registry
    return registry.registered(name) if hostnames.is_name(name) and registry.knows_tld(name) else ""
