"""Through which countries a message came, by a local database (Mail::SpamAssassin::Plugin::RelayCountry)."""

from collections.abc import Callable, Iterable

from lazaret.mime.received import Relay
from lazaret.mime.trust import Relays
from lazaret.rules.evals import Subject, metadata, tag
from lazaret.rules.evals.geodb import geo

_PLUGIN = "RelayCountry"


def _since_login(relays: Relays) -> Iterable[Relay]:
    """Of the relays that are believed: the one whose user had logged in, and the older ones."""
    logged_in = False
    for relay in relays.trusted:
        logged_in = logged_in or bool(relay.auth)
        if logged_in:
            yield relay


_WAYS: dict[str, Callable[[Relays], Iterable[Relay]]] = {
    "": lambda relays: relays.untrusted,
    "-External": lambda relays: relays.external,
    "-Auth": _since_login,
    "-All": lambda relays: (*relays.internal, *relays.external),
}
_TAGS = {
    "RELAYCOUNTRY": "",
    "RELAYCOUNTRYEXT": "-External",
    "RELAYCOUNTRYAUTH": "-Auth",
    "RELAYCOUNTRYALL": "-All",
}


def _countries(subject: Subject, way: str) -> str | None:
    """The country of each relay, newest first; None where the plug-in or the database is missing."""
    if not subject.settings.loads(_PLUGIN):
        return None
    database = subject.settings.once(geo)
    if not database.knows("city", "country"):
        return None
    return " ".join(database.country(relay.ip) for relay in _WAYS[way](subject.message.relays))


def _register(way: str) -> None:
    @metadata(f"X-Relay-Countries{way}")
    def field(subject: Subject) -> bytes | None:
        countries = _countries(subject, way)
        return None if countries is None else countries.encode()


def _register_tag(name: str, way: str) -> None:
    @tag(name)
    def fill(subject: Subject, _argument: str) -> str | None:
        return _countries(subject, way)


for _way in _WAYS:
    _register(_way)
for _name, _way in _TAGS.items():
    _register_tag(_name, _way)
