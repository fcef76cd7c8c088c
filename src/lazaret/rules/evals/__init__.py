"""Functions that rules call by name (`header X eval:check_for_…()`): one file per topic.

There are two ways to write one, in any file here:

- `@eval_function("name")`: takes the Subject and the arguments of the rule, as text, and gives the answer.
  With `when=question` it is called only for messages of which the question is true; otherwise it is 0.
- `@eval_test("name", of=question)`: takes the Settings and the arguments of the rule once, when rules are
  loaded, and gives a test: a function of what the question finds in a message. Rules with the same question
  share what it finds, and where it finds None none of them hits. A rule without a test (None) never hits.
  Without a question the test is given the Subject. With `scope="rawbody"` it is the test of the rules of
  that kind, where the function means something else to them.

An answer of 0 or "" is no hit; a number is the value of the rule; a text is a hit, and is shown to people.

A file may have more to say of a message: header fields that it does not bear (`metadata`), what a tag of the
templates stands for (`tag`), and URIs within attachments (`uri_source`).
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from lazaret.rules.evals.subject import Settings, Subject

__all__ = [
    "Answer",
    "EvalFunction",
    "Settings",
    "Subject",
    "Test",
    "called",
    "eval_function",
    "eval_test",
    "field_of",
    "functions",
    "metadata",
    "tag",
    "tag_of",
    "uri_source",
    "uris_of",
]

Answer = float | str
Question = Callable[[Subject], object]
"""What is asked of a message, once, whichever rules want to know; None: none of them hits."""
Test = Callable[[Any], Answer]
"""What a rule makes of the answer to its question."""
Called = TypeVar("Called", bound=Callable[..., Answer])
Field = Callable[[Subject], bytes | None]
Tag = Callable[[Subject, str], str | None]
UriSource = Callable[[Subject], Iterable[bytes]]
Prepared = TypeVar("Prepared", bound=Callable[..., Test | None])


@dataclass(frozen=True, slots=True)
class EvalFunction:
    """A function that rules call, in two steps: what hangs on the rule alone, and what on the message."""

    question: Question
    prepare: Callable[..., Test | None]
    """Of the Settings and the arguments of a rule; None: the rule never hits."""

    def __call__(self, subject: Subject, *arguments: str) -> Answer:
        """Both steps at once, for whoever calls it seldom."""
        test = self.prepare(subject.settings, *arguments)
        found = None if test is None else subject.once(self.question)
        return 0 if test is None or found is None else test(found)


_registered: dict[str, EvalFunction] = {}
_fields: dict[str, Field] = {}
_tags: dict[str, Tag] = {}
_uri_sources: dict[str, UriSource] = {}


def eval_function(name: str, *, when: Question | None = None) -> Callable[[Called], Called]:
    """Makes a function of a message and of arguments known to rules as `eval:name()`."""

    def register(function: Called) -> Called:
        question = whole_message if when is None else _message_if(when)
        _register(name, EvalFunction(question, _calling(function)))
        return function

    return register


def eval_test(name: str, *, of: Question | None = None, scope: str = "") -> Callable[[Prepared], Prepared]:
    """Makes a function that gives a test known to rules as `eval:name()`."""

    def register(prepare: Prepared) -> Prepared:
        _register(_scoped(name, scope) if scope else name, EvalFunction(of or whole_message, prepare))
        return prepare

    return register


@cache
def functions() -> Mapping[str, EvalFunction]:
    """Every eval function by name; the files of this folder are imported for it."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _registered


def called(name: str, scope: str) -> str:
    """The function that rules of this kind (`body`, `rawbody`, `header`, ...) call by the name."""
    scoped = _scoped(name, scope)
    return scoped if scoped in functions() else name


def _scoped(name: str, scope: str) -> str:
    return f"{scope}:{name}"


def _register(name: str, function: EvalFunction) -> None:
    if name in _registered:
        raise ValueError(f"two eval functions are called {name}")
    _registered[name] = function


def _calling(function: Callable[..., Answer]) -> Callable[..., Test]:
    def prepare(_settings: Settings, *arguments: str) -> Test:
        return (lambda subject: function(subject, *arguments)) if arguments else function

    return prepare


def whole_message(subject: Subject) -> Subject:
    """The question of a function that looks at the message by itself."""
    return subject


@cache
def _message_if(when: Question) -> Question:
    """The message, if it is one of which that is true; one question for all rules with this condition."""

    def ask(subject: Subject) -> Subject | None:
        return subject if subject.once(when) else None

    return ask


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
    return [uri for source in subject.settings.once(_loaded_sources) for uri in source(subject)]


def _loaded_sources(settings: Settings) -> list[UriSource]:
    functions()
    return [source for plugin, source in _uri_sources.items() if settings.loads(plugin)]
