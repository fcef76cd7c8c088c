"""Where the hosts of links stand: countries, continents, providers, networks (Plugin::URILocalBL).

A line `uri_block_cc RULE xx …` and its like are rules of their own. Only links that give an address in the
place of a name are looked up: to know the address of a name would need DNS.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lazaret.mime.networks import NetworkList, parse_list
from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.geodb import geo

FUNCTION = "check_uri_local_bl"
WORDS = ("uri_block_cc", "uri_block_cont", "uri_block_isp", "uri_block_cidr", "uri_block_exclude")

_PROVIDER = re.compile(r'"([^"]*)"|(\S+)')
_SHOWN_TO_READERS = frozenset(("a", "parsed"))


@dataclass(slots=True)
class Places:
    """What one rule looks for. A place with `!` before it: everywhere else."""

    countries: dict[str, bool] = field(default_factory=dict)
    continents: dict[str, bool] = field(default_factory=dict)
    providers: set[str] = field(default_factory=set)
    networks: NetworkList = field(default_factory=NetworkList)
    excluded: set[str] = field(default_factory=set)


@eval_function(FUNCTION)
def link_place(subject: Subject, rule: str = "") -> str:
    """Some link leads to an address in one of the places of the rule."""
    places = subject.settings.once(_places).get(rule)
    database = subject.settings.once(geo)
    if places is None or not database.knows("city", "country", "isp"):
        return ""
    for address in subject.once(_addresses):
        if address in places.excluded:
            continue
        found = (
            _within(places.countries, database.country(address))
            or _within(places.continents, database.continent(address))
            or (_key(database.provider(address)) in places.providers and "provider")
            or (address in places.networks and "network")
        )
        if found:
            return f"{address}: {found}"
    return ""


def _within(places: dict[str, bool], place: str) -> str:
    """The place, when it is one of those, or none of those that are excepted."""
    if not places:
        return ""
    excepted = not all(places.values())
    return place if (place in places) != excepted else ""


def _addresses(subject: Subject) -> tuple[str, ...]:
    hosts = {
        host: None
        for uri in subject.message.uris
        if not _SHOWN_TO_READERS.isdisjoint(uri.types)
        for host in uri.hosts
        if _is_address(host)
    }
    return tuple(hosts)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _places(settings: Settings) -> dict[str, Places]:
    """By rule."""
    rules: dict[str, Places] = {}
    networks: dict[str, list[str]] = {}
    for word in WORDS:
        for line in settings.lines(word):
            name, _, given = line.partition(" ")
            places = rules.setdefault(name, Places())
            match word:
                case "uri_block_cc":
                    places.countries.update(_signed(given))
                case "uri_block_cont":
                    places.continents.update(_signed(given))
                case "uri_block_isp":
                    places.providers.update(_key(a or b) for a, b in _PROVIDER.findall(given))
                case "uri_block_cidr":
                    networks.setdefault(name, []).extend(filter(_is_network, given.split()))
                case _:
                    places.excluded.update(given.lower().split())
    for name, listed in networks.items():
        rules[name].networks = parse_list(listed)
    return rules


def _signed(given: str) -> Iterator[tuple[str, bool]]:
    """Place -> False where `!` stands before it."""
    for word in given.upper().split():
        yield word.removeprefix("!"), not word.startswith("!")


def _key(provider: str) -> str:
    return "".join(provider.upper().split())


def _is_network(word: str) -> bool:
    try:
        parse_list([word])
    except ValueError:
        return False
    return True
