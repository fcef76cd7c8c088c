"""Links over a service that shortens them (Mail::SpamAssassin::Plugin::DecodeShortURLs); none is followed."""

import re

from lazaret.rules.evals import Settings, Subject, eval_function

_LINK = re.compile(rb"https?://(?:[^@/?#]*@)?([^/?#:]+)(?::\d+)?(.*?\w)?", re.IGNORECASE | re.DOTALL)


@eval_function("short_url")
def short_url(subject: Subject) -> str:
    """Some link goes to a host of `url_shortener`, or below one that is listed with a leading dot."""
    services = subject.settings.once(_services)
    for uri in subject.message.uris if services else ():
        for reading in uri.cleaned:
            found = _LINK.match(reading)
            if found and _is_service(found[1].decode("latin-1").lower(), services, path=bool(found[2])):
                return reading.decode("utf-8", "replace")
    return ""


def _is_service(host: str, services: frozenset[str], *, path: bool) -> bool:
    labels = host.split(".")
    if len(labels) == 2 and not path:
        return False
    if host in services:
        return True
    rest = ".".join(labels[-2:])
    return len(labels) == 3 and (rest if labels[0] == "www" else f".{rest}") in services


def _services(settings: Settings) -> frozenset[str]:
    named = (*settings.words("url_shortener"), *settings.words("url_shortener_get"))
    return frozenset(name.lower() for name in named)
