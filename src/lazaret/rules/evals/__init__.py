"""Functions that rules call by name (`header X eval:check_for_…()`): one file per topic.

A function takes the Subject and the arguments of the rule, as text. It gives 0 or "" for no hit; a number is
the value of the rule; a text is a hit, with that text shown to people. To add one, write it in any file here.

A file may have more to say of a message: header fields that it does not bear (`metadata`), what a tag of the
templates stands for (`tag`), and URIs within attachments (`uri_source`).
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from lazaret.rules.evals.subject import Settings, Subject

__all__ = [
    "Answer",
    "Settings",
    "Subject",
    "eval_function",
    "field_of",
    "functions",
    "metadata",
    "tag",
    "tag_of",
    "uri_source",
    "uris_of",
]

Answer = float | str
EvalFunction = Callable[..., Answer]
Field = Callable[[Subject], bytes | None]
Tag = Callable[[Subject, str], str | None]
UriSource = Callable[[Subject], Iterable[bytes]]

_registered: dict[str, EvalFunction] = {}
_fields: dict[str, Field] = {}
_tags: dict[str, Tag] = {}
_uri_sources: dict[str, UriSource] = {}


def eval_function(name: str) -> Callable[[EvalFunction], EvalFunction]:
    """Makes a function known to rules as `eval:name()`."""

    def register(function: EvalFunction) -> EvalFunction:
        if name in _registered:
            raise ValueError(f"two eval functions are called {name}")
        _registered[name] = function
        return function

    return register


@cache
def functions() -> Mapping[str, EvalFunction]:
    """Every eval function by name; the files of this folder are imported for it."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _registered


def metadata(name: str) -> Callable[[Field], Field]:
    """Makes a function known that says what header rules find in a field which the message does not bear.

    None: nothing. The name must also stand among `views.METADATA`, or rules that name it are never run.
    """

    def register(function: Field) -> Field:
        _fields[name] = function
        return function

    return register


def field_of(subject: Subject, selector: str) -> bytes | None:
    """What some plug-in knows of the field; None: nothing."""
    functions()
    known = _fields.get(selector.partition(":")[0])
    return known(subject) if known else None


def tag(name: str) -> Callable[[Tag], Tag]:
    """Makes a function known that says what `_NAME_` or `_NAME(argument)_` stands for; None: nothing."""

    def register(function: Tag) -> Tag:
        _tags[name] = function
        return function

    return register


def tag_of(subject: Subject, name: str, argument: str) -> str | None:
    """What the tag stands for in this message, with one character per octet; None where nobody knows."""
    functions()
    known = _tags.get(name)
    return known(subject, argument) if known else None


def uri_source(plugin: str) -> Callable[[UriSource], UriSource]:
    """Makes a function known that finds URIs where the text has none; asked where the plug-in is loaded."""

    def register(function: UriSource) -> UriSource:
        _uri_sources[plugin] = function
        return function

    return register


def uris_of(subject: Subject) -> list[bytes]:
    """The URIs that the plug-ins find which are loaded."""
    functions()
    loaded = [source for plugin, source in _uri_sources.items() if subject.settings.loads(plugin)]
    return [uri for source in loaded for uri in source(subject)]
