"""Host names and the domains that somebody registered, as the deceit checks compare them."""

import re
from functools import lru_cache

from lazaret.mime import hostnames

_LINK = re.compile(r"https?:/*(?:[^/]*@)?([^/?#:\\\s]*)", re.IGNORECASE)
"""A link of the web up to the end of its host."""


@lru_cache(4096)
def registered(host: str) -> str:
    """The registered domain of a host, in ASCII and lower case; "" when it is no host of the internet."""
    name = hostnames.to_ascii(host.strip(" .").encode("utf-8", "replace")).decode("ascii", "replace")
    registry = hostnames.public()
    if not hostnames.is_name(name) or not registry.knows_tld(name):
        return ""
    return registry.registered(name)


def of_address(address: str) -> str:
    """The registered domain of a mail address; "" when it has none."""
    return registered(address.rpartition("@")[2].strip("<> ")) if "@" in address else ""


def of_link(target: str) -> str:
    """The registered domain that an http or https link leads to; "" for other links."""
    link = _LINK.match(target.strip())
    return registered(link[1]) if link else ""
