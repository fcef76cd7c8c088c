"""Under which name the page asks for passkeys (WebAuthn, section 5.1.2: the relying party)."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from lazaret.flow.passkeys import Party
from lazaret.web.visit import Visit


def party_of(visit: Visit) -> Party | None:
    """That of web.url, else the one that was asked for, which is among web.hosts.

    None where browsers know no passkeys: under an address, or without TLS beyond this machine.
    """
    asked = f"{'https' if visit.way.secure else 'http'}://{visit.way.host}"
    home = urlsplit(visit.office.config.web.url or asked)
    here = urlsplit(asked)
    name = home.hostname or ""
    if here.hostname != name or _is_address(name) or not (home.scheme == "https" or name == "localhost"):
        return None
    default = {"https": 443, "http": 80}[home.scheme]
    port = "" if home.port in (None, default) else f":{home.port}"
    return Party(name, f"{home.scheme}://{name}{port}")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
