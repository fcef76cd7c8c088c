"""What the first word of a line means: `header`, `score`, `tflags` and the others, one function each."""

import re
from collections.abc import Callable
from dataclasses import replace

from lazaret.rules import amend, capabilities, directives, regex_token
from lazaret.rules.book import Book, Kind, Problem, Regex, Rule, SelfTest
from lazaret.rules.confirm import Confirm, UnusableRegex
from lazaret.rules.evals import link_places, uri_details
from lazaret.rules.regex_token import RegexTokenError
from lazaret.rules.replace_tags import ReplaceTags

_NAME = re.compile(r"[_A-Za-z][_A-Za-z0-9]{0,99}", re.ASCII)
_EVAL = re.compile(r"(?:rbl)?eval:\s*(\w+)\s*(?:\((.*)\))?\s*$", re.ASCII)
_ARGUMENT = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([\d.:A-Za-z-]+))\s*(?:,|$)""", re.ASCII)
_HEADER = re.compile(r"(\S+?)\s*([=!])~\s*(.+)$")
_IF_UNSET = re.compile(r"\s+\[if-unset:\s+(.+)\]\s*$")
_PRIORITY = re.compile(r"(\S+)\s+([+-]?\d{1,9})", re.ASCII)
_NUMBER = re.compile(r"(\()?([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?(1)\))")
_PATTERN_KINDS = {"body": Kind.BODY, "rawbody": Kind.RAWBODY, "uri": Kind.URI, "full": Kind.FULL}

Handler = Callable[["Draft", str], str | None]
"""Takes the value of a line; gives what is wrong with it, or None."""


class Draft:
    """The book while it is being written. `file` and `line` are where we are."""

    def __init__(self) -> None:
        self.file = ""
        self.line = 0
        self.plugins: set[str] = set()
        self.compatibility: set[str] = set()
        self.replace = ReplaceTags()
        self.rules: dict[str, Rule] = {}
        self.scores: dict[str, tuple[float, float, float, float]] = {}
        self.descriptions: dict[str, str] = {}
        self.flags: dict[str, tuple[str, ...]] = {}
        self.priorities: dict[str, int] = {}
        self.settings: dict[str, list[str]] = {}
        self.tests: list[SelfTest] = []
        self.problems: list[Problem] = []

    def note(self, text: str) -> None:
        """Adds a Problem at the current line."""
        self.problems.append(Problem(self.file, self.line, text))

    def obey(self, word: str, value: str) -> None:
        """Takes one line; notes a Problem when it cannot."""
        handler = _HANDLERS.get(word)
        if handler is not None:
            complaint = handler(self, value)
            if complaint:
                self.note(f"{word} {value[:60]}: {complaint}")
        elif word in directives.SETTINGS or word.startswith(directives.PREFIXES):
            amend.apply(self.settings, word, value)
            if word in directives.EXPRESSIONS:
                self._note_useless_expression(word, value)
        else:
            self.note(f"unknown word {word!r}")

    def _note_useless_expression(self, word: str, value: str) -> None:
        try:
            Confirm(Regex(value.encode("latin-1", "replace"), "i")).compile()
        except UnusableRegex as error:
            self.note(f"{word} {value[:60]}: the expression cannot be used: {error}")

    def finish(self) -> Book:
        """The book, with the tags of ReplaceTags replaced and the parts of mimeheader rules chosen."""
        for name, rule in self.rules.items():
            chosen = [f for f in self.flags.get(name, ()) if f == "concat" or f.startswith("range=")]
            if rule.kind is Kind.MIMEHEADER and chosen:
                self.rules[name] = replace(rule, selector=":".join([rule.selector, *chosen]))
        for name in sorted(self.replace.rules & self.rules.keys()):
            rule = self.rules[name]
            if rule.regex is not None:
                source = self.replace.apply(rule.regex.source.decode("latin-1")).encode("latin-1")
                self.rules[name] = replace(rule, regex=Regex(source, rule.regex.modifiers))
        return Book(
            rules=self.rules,
            scores=self.scores,
            descriptions=self.descriptions,
            flags=self.flags,
            priorities=self.priorities,
            settings={word: tuple(values) for word, values in self.settings.items()},
            tests=tuple(self.tests),
            problems=tuple(self.problems),
        )


def split(line: str) -> tuple[str, str]:
    """The first word and the rest of a line."""
    parts = line.split(None, 1)
    return parts[0] if parts else "", parts[1].strip() if len(parts) > 1 else ""


def _named(value: str) -> tuple[str, str]:
    name, rest = split(value)
    if not _NAME.fullmatch(name):
        raise RegexTokenError(f"{name!r} is no name for a rule")
    return name, rest


def _defining(define: Callable[["Draft", str, str], Rule]) -> Handler:
    """A handler that notes the rule which `define` makes of the name and the rest of the line."""

    def handler(draft: Draft, value: str) -> str | None:
        try:
            name, rest = _named(value)
            draft.rules[name] = define(draft, name, rest)
        except RegexTokenError as error:
            return str(error)
        return None

    return handler


def _eval(draft: Draft, name: str, text: str, scope: str) -> Rule | None:
    found = _EVAL.match(text)
    if not found:
        return None
    given = found[2] or ""
    arguments = []
    position = 0
    while position < len(given) and given[position:].strip():
        argument = _ARGUMENT.match(given, position)
        if not argument:
            raise RegexTokenError(f"the arguments ({given}) are not understood")
        arguments.append(next(g for g in argument.groups() if g is not None))
        position = argument.end()
    return Rule(
        name,
        Kind.EVAL,
        text,
        draft.file,
        draft.line,
        function=amend.today(found[1]),
        arguments=tuple(arguments),
        scope=scope,
    )


def _pattern(word: str) -> Handler:
    def define(draft: Draft, name: str, text: str) -> Rule:
        called = _eval(draft, name, text, word)
        if called is not None:
            return called
        return Rule(name, _PATTERN_KINDS[word], text, draft.file, draft.line, regex_token.parse(text))

    return _defining(define)


def _header_match(draft: Draft, name: str, text: str, kind: Kind) -> Rule:
    found = _HEADER.match(text)
    if not found:
        raise RegexTokenError("expected `Header =~ /expression/`")
    expression, if_unset = found[3], None
    unset = _IF_UNSET.search(expression)
    if unset:
        expression, if_unset = expression[: unset.start()], unset[1].encode("latin-1", "replace")
    regex = regex_token.parse(expression)
    return Rule(
        name,
        kind,
        text,
        draft.file,
        draft.line,
        regex,
        selector=found[1],
        negated=found[2] == "!",
        if_unset=if_unset,
    )


@_defining
def _header(draft: Draft, name: str, text: str) -> Rule:
    called = _eval(draft, name, text, "header")
    if called is not None:
        return called
    if text.startswith("exists:"):
        return Rule(
            name,
            Kind.HEADER,
            text,
            draft.file,
            draft.line,
            selector=text[7:].strip().rstrip(":"),
            exists=True,
        )
    return _header_match(draft, name, text, Kind.HEADER)


@_defining
def _mimeheader(draft: Draft, name: str, text: str) -> Rule:
    return _header_match(draft, name, text, Kind.MIMEHEADER)


@_defining
def _meta(draft: Draft, name: str, text: str) -> Rule:
    kind = Kind.EMPTY if text.replace(" ", "") == "()" else Kind.META
    if not text:
        raise RegexTokenError("the expression is missing")
    return Rule(name, kind, text, draft.file, draft.line)


@_defining
def _uri_detail(draft: Draft, name: str, text: str) -> Rule:
    conditions = uri_details.conditions(text)
    function = uri_details.FUNCTION
    return Rule(
        name,
        Kind.EVAL,
        text,
        draft.file,
        draft.line,
        function=function,
        arguments=conditions,
        scope="uri_detail",
    )


@_defining
def _declared(draft: Draft, name: str, text: str) -> Rule:
    return draft.rules.get(name) or Rule(name, Kind.EMPTY, text, draft.file, draft.line)


def _score(draft: Draft, value: str) -> str | None:
    name, rest = split(value)
    given = rest.split()
    numbers = [_NUMBER.fullmatch(word) for word in given]
    if not _NAME.fullmatch(name) or len(given) not in (1, 4) or None in numbers:
        return "expected a rule and one or four numbers"
    earlier = draft.scores.get(name, (0.0, 0.0, 0.0, 0.0))
    values = [
        float(number[2]) + (earlier[i] if number[1] else 0.0) for i, number in enumerate(numbers) if number
    ]
    if len(values) == 1:
        relative = numbers[0] is not None and bool(numbers[0][1])
        step = float(numbers[0][2]) if numbers[0] is not None else 0.0
        values = [earlier[i] + step for i in range(4)] if relative else values * 4
    draft.scores[name] = (values[0], values[1], values[2], values[3])
    return None


def _uri_block(word: str) -> Handler:
    """A line that says what a rule looks for, and makes the rule."""

    def handler(draft: Draft, value: str) -> str | None:
        try:
            name, text = _named(value)
        except RegexTokenError as error:
            return str(error)
        if not text:
            return "what to look for is missing"
        function = link_places.FUNCTION
        draft.rules[name] = Rule(
            name, Kind.EVAL, text, draft.file, draft.line, function=function, arguments=(name,), scope="body"
        )
        amend.apply(draft.settings, word, f"{name} {text}")
        return None

    return handler


def _describe(draft: Draft, value: str) -> str | None:
    name, text = split(value)
    octets = text.encode("latin-1")
    try:
        draft.descriptions[name] = octets.decode("utf-8")
    except UnicodeDecodeError:
        draft.descriptions[name] = text
    return None if text else "the text is missing"


def _tflags(draft: Draft, value: str) -> str | None:
    name, rest = split(value)
    draft.flags[name] = tuple(rest.split())
    return None if rest else "the flags are missing"


def _priority(draft: Draft, value: str) -> str | None:
    found = _PRIORITY.fullmatch(value)
    if not found:
        return "expected a rule and a whole number"
    draft.priorities[found[1]] = int(found[2])
    return None


def _shortcircuit(draft: Draft, value: str) -> str | None:
    name, kind = split(value)
    if kind not in ("on", "off", "ham", "spam"):
        return "expected a rule and on, off, ham or spam"
    if kind in ("ham", "spam"):
        nice = ("nice",) if kind == "ham" else ()
        draft.flags[name] = (*draft.flags.get(name, ()), *nice, "noautolearn")
    draft.settings.setdefault("shortcircuit", []).append(f"{name} {kind}")
    return None


def _test(draft: Draft, value: str) -> str | None:
    name, rest = split(value)
    word, text = split(rest)
    if word not in ("ok", "fail"):
        return "expected ok or fail and a text"
    draft.tests.append(SelfTest(name, word == "ok", text.encode("latin-1"), draft.file, draft.line))
    return None


def _loadplugin(draft: Draft, value: str) -> str | None:
    name = split(value)[0]
    if not capabilities.is_known(name):
        return "a plug-in written in Perl is not run"
    plugin = capabilities.short_name(name)
    draft.plugins.add(plugin)
    draft.settings.setdefault("loadplugin", []).append(plugin)
    return None


def _tryplugin(draft: Draft, value: str) -> str | None:
    _loadplugin(draft, value)
    return None


def _enable_compat(draft: Draft, value: str) -> str | None:
    draft.compatibility.update(value.split())
    return None


def _replace_tag(draft: Draft, value: str) -> str | None:
    name, text = split(value)
    draft.replace.tags[name] = text
    return None


def _replace_around(kind: str) -> Handler:
    def handler(draft: Draft, value: str) -> str | None:
        name, text = split(value)
        draft.replace.around[kind][name] = text
        return None

    return handler


def _replace_start(draft: Draft, value: str) -> str | None:
    draft.replace.start = value or draft.replace.start
    return None


def _replace_end(draft: Draft, value: str) -> str | None:
    draft.replace.end = value or draft.replace.end
    return None


def _replace_rules(draft: Draft, value: str) -> str | None:
    draft.replace.rules.update(value.split())
    return None


_HANDLERS: dict[str, Handler] = {
    "header": _header,
    "body": _pattern("body"),
    "rawbody": _pattern("rawbody"),
    "uri": _pattern("uri"),
    "full": _pattern("full"),
    "mimeheader": _mimeheader,
    "meta": _meta,
    "askdns": _declared,
    "reuse": _declared,
    "uri_detail": _uri_detail,
    "score": _score,
    "describe": _describe,
    "tflags": _tflags,
    "priority": _priority,
    "shortcircuit": _shortcircuit,
    "test": _test,
    "loadplugin": _loadplugin,
    "tryplugin": _tryplugin,
    "enable_compat": _enable_compat,
    "replace_tag": _replace_tag,
    "replace_pre": _replace_around("pre"),
    "replace_inter": _replace_around("inter"),
    "replace_post": _replace_around("post"),
    "replace_start": _replace_start,
    "replace_end": _replace_end,
    "replace_rules": _replace_rules,
    **{word: _uri_block(word) for word in link_places.WORDS},
}
