"""Where an address is and whose it is, from a database in a file (MaxMind's format, .mmdb).

Which files, `geodb_options` and `geodb_search_path` say, else they are looked for where others look for them.
The older formats that SpamAssassin can read are not read here. A renewed file counts at once.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lazaret.mime import ip
from lazaret.rules.evals import Settings
from lazaret.rules.evals.data_files import DataFile

if TYPE_CHECKING:
    from maxminddb import Reader

PRIVATE, UNKNOWN = "**", "XX"
"""In the place of a country: an address of a private network; one that the database does not know."""

_DIRECTORIES = ("/usr/local/share/GeoIP", "/usr/share/GeoIP", "/var/lib/GeoIP", "/opt/share/GeoIP")
_NAMES = {
    "city": ("GeoIP2-City", "GeoLite2-City", "dbip-city", "dbip-city-lite"),
    "country": ("GeoIP2-Country", "GeoLite2-Country", "dbip-country", "dbip-country-lite"),
    "isp": ("GeoIP2-ISP", "GeoLite2-ISP"),
    "asn": ("GeoIP2-ASN", "GeoLite2-ASN"),
}
_MODULES = ("geoip2", "maxmind::db::reader", "geoip2::database::reader")
_FORMER = {"country_db_path": "country", "uri_country_db_path": "country", "uri_country_db_isp_path": "isp"}
"""Settings of old, and the kind of database that they name."""


class Geo:
    """The databases that are there."""

    def __init__(self, settings: Settings) -> None:
        self._files = {kind: _opened(path) for kind, path in _paths(settings).items()}

    def knows(self, *kinds: str) -> bool:
        """Whether a database of one of these kinds is there."""
        return any(self._reader(kind) for kind in kinds)

    def country(self, address: str) -> str:
        """Two letters, PRIVATE or UNKNOWN."""
        if ip.is_private(address):
            return PRIVATE
        return _text(self._about(address, "city", "country"), "country", "iso_code") or UNKNOWN

    def continent(self, address: str) -> str:
        """Two letters, or UNKNOWN."""
        return _text(self._about(address, "city", "country"), "continent", "code") or UNKNOWN

    def system(self, address: str) -> tuple[str, str]:
        """The number of the autonomous system, and who runs it; "" for what is not known."""
        record = self._about(address, "isp", "asn")
        return _text(record, "autonomous_system_number"), _text(record, "autonomous_system_organization")

    def provider(self, address: str) -> str:
        """Who gives the address to its users; "" when that is not known."""
        return _text(self._about(address, "isp"), "isp")

    def _about(self, address: str, *kinds: str) -> object:
        """What the first database of these that is there has on it."""
        reader = next(filter(None, map(self._reader, kinds)), None)
        if reader is None:
            return None
        try:
            return reader.get(address)
        except (ValueError, RuntimeError):
            return None  # No address, or a damaged database.

    def _reader(self, kind: str) -> "Reader | None":
        file = self._files.get(kind)
        return file.value() if file else None


def geo(settings: Settings) -> Geo:
    """The databases that the settings name; for `settings.once`."""
    return Geo(settings)


def _paths(settings: Settings) -> Mapping[str, Path]:
    """Kind of database -> its file, where one is named or found."""
    module = settings.last("geodb_module", settings.last("country_db_type", _MODULES[0])).lower()
    if module not in _MODULES:
        return {}
    named = dict(_named(settings))
    paths = {}
    for kind in _NAMES:
        path = settings.file(named[kind]) if kind in named else _found(settings, kind)
        if path:
            paths[kind] = path
    return paths


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    for word, kind in _FORMER.items():
        if settings.last(word, ""):
            yield kind, settings.last(word, "")
    for option in settings.words("geodb_options"):
        kind, _, path = option.partition(":")
        if path:
            yield kind.lower(), path


def _found(settings: Settings, kind: str) -> Path | None:
    directories = settings.words("geodb_search_path") or _DIRECTORIES
    places = (Path(directory) / f"{name}.mmdb" for directory in directories for name in _NAMES[kind])
    return next((place for place in places if place.is_file()), None)


def _opened(path: Path) -> "DataFile[Reader | None]":
    return DataFile(partial(Path, path), _read, None)


def _read(path: Path) -> "Reader | None":
    import maxminddb  # Takes a while to load; few rule sets want it.

    return maxminddb.open_database(path)


def _text(record: object, *keys: str) -> str:
    """What stands in the record under these keys, one in the other; "" when nothing does."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None or isinstance(value, dict) else str(value)
