"""Host names and the domains that somebody registered, as the deceit checks compare them."""

import re
from functools import lru_cache

from lazaret.mime import hostnames

_SCHEME = re.compile(r"https?:/*", re.IGNORECASE)
_HOST_END = re.compile(r"[/?#:\\\s]")


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
    scheme = _SCHEME.match(target.strip())
    if not scheme:
        return ""
    authority = _HOST_END.split(
        target.strip()[scheme.end() :].partition("/")[0].rpartition("@")[2], maxsplit=1
    )
    return registered(authority[0])
