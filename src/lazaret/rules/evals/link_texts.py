"""Links that show another address than the one they lead to, or hide it (URIEval, HTTPSMismatch)."""

import re

from lazaret.mime import hostnames, ip
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import number

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


@eval_function("check_https_http_mismatch")
def https_http_mismatch(subject: Subject, least: str = "1", most: str = "undef") -> str:
    """A link that shows an https address in another domain, among `least` links and fewer than `most`."""
    links = 0
    found = ""
    for uri in subject.message.uris:
        host = _HOST.match(uri.raw)
        if not uri.anchor_text or not host:
            continue
        target = _domain(subject, host[1])
        if not target or ip.is_address(target):
            continue
        links += 1
        for text in uri.anchor_text:
            shown = _SHOWN_HOST.search(text)
            domain = _domain(subject, shown[1]) if shown else ""
            if domain and domain != target:
                found = f"{domain} leads to {target}"
                break
    enough = links >= max(number(least), 1) and (most == "undef" or links < number(most))
    return found if enough else ""


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
