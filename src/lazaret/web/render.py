"""Templates to pages, in the reader's language."""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lazaret import __version__
from lazaret.model.language import Language, languages
from lazaret.model.verdict import Category
from lazaret.web.reasons import evidence

_JOINED = "\N{NO-BREAK SPACE}"
"""Between a number and its unit."""
_STATIC = files("lazaret.web").joinpath("static")


class Pages:
    """One environment per language: a template is compiled once, and knows how its reader writes numbers."""

    def __init__(self) -> None:
        self.style = _STATIC.joinpath("style.css").read_text("utf-8")
        self.icon = _STATIC.joinpath("icon.svg").read_text("utf-8")
        self.script = _STATIC.joinpath("desk.js").read_text("utf-8")
        self.passkey_script = _STATIC.joinpath("passkey.js").read_text("utf-8")
        self.style_name = f"style-{_short_hash(self.style)}.css"
        self.script_name = f"desk-{_short_hash(self.script)}.js"
        self._environments = {code: self._environment(one) for code, one in languages().items()}

    def render(self, template: str, language: Language, values: Mapping[str, object]) -> str:
        """The text of a page."""
        return self._environments[language.code].get_template(template).render(values)

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=PackageLoader("lazaret.web"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            {
                "_": language,
                "_n": language.many,
                "language": language,
                "pages": self,
                "version": __version__,
                "with_query": with_query,
            }
        )
        environment.filters.update(
            {
                "number": language.number,
                "points": language.points,
                "told": language.told,
                "evidence": lambda hit: evidence(hit, language),
                "when": _when,
                "iso": _iso,
                "size": lambda octets: _size(octets, language),
                "category": _category_word,
            }
        )
        return environment


def with_query(path: str, **values: object) -> str:
    """A path with a query string; what is empty is left out."""
    said = {name: str(value) for name, value in values.items() if value not in ("", None, False)}
    return f"{path}?{urlencode(said)}" if said else path


def _when(at: float) -> str:
    """A time on the server's clock, as short as can be; the browser shows it on the reader's."""
    moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(time.time())
    if moment.date() == today.date():
        return moment.strftime("%H:%M")
    return moment.strftime("%d.%m. %H:%M" if moment.year == today.year else "%Y-%m-%d")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _size(octets: int, language: Language) -> str:
    if octets < 1024:
        return f"{octets}{_JOINED}B"
    for unit in ("KiB", "MiB", "GiB"):
        octets_in_unit = octets / 1024
        octets = int(octets_in_unit)
        if octets < 1024 or unit == "GiB":
            shown = language.points(octets_in_unit) if octets < 10 else str(octets)
            return f"{shown}{_JOINED}{unit}"
    raise AssertionError


def _category_word(letter: str) -> str:
    return Category(letter).word if letter in set(Category) else letter


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
