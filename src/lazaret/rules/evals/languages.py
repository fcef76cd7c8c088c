"""The language of the text, and whether it is one that is read here (Mail::SpamAssassin::Plugin::TextCat).

What languages look like stands in the file `languages` that comes with SpamAssassin; it is looked for beside
the rules, then where SpamAssassin puts it. Without it no language is guessed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from lazaret.rules.evals import Settings, Subject, eval_function, metadata, ngrams, tag
from lazaret.rules.evals.data_files import DataFile
from lazaret.rules.evals.ngrams import Languages

_PLUGIN = "TextCat"
_INSTALLED = ("/usr/share/spamassassin", "/usr/local/share/spamassassin")
_RARE = "bs cy eo et eu fy ga gd is la lt lv rm sa sco sl yi"
_LOOKED_AT = 100_000
"""Octets of the text, before links and addresses are taken out."""
_LONGEST = 10_000
_SHORTEST = 256
_LONG_ENOUGH = 1024
"""With so many octets for each language that it may be, Scots is not taken for English."""
_PREFIXES = re.compile(rb"(?:[a-z]{2,12}:\s*){1,10}", re.IGNORECASE)
_NO_TEXT = (
    re.compile(rb"https?(?:://|:&#x2F;&#x2F;|%3A%2F%2F)\S{1,1024}"),
    re.compile(rb"\S{1,64}?@[a-zA-Z]\S{1,128}"),
    re.compile(rb"\bwww\.\S{1,128}"),
)
_WORDS_WITH_8_BITS = "am ar be bg cs el et fa fi he hi hy is ja ka ko mr pt ru ta th tr uk vi yi zh"
_WITH_8_BITS = frozenset(_WORDS_WITH_8_BITS.split())
_RUN_OF_8_BITS = re.compile(rb"[\x80-\xff]{8}")
_SHOWN_RESULTS = 20


@dataclass(frozen=True, slots=True)
class Guess:
    """What the text is like."""

    length: int
    """Octets that were looked at."""
    languages: tuple[str, ...] = ()
    """Which it may be; none when it may be any."""
    results: tuple[tuple[str, int], ...] = ()
    """How far it is from each."""


@eval_function("check_language")
def unwanted_language(subject: Subject) -> str:
    """It is in none of the `ok_languages`."""
    wanted = subject.settings.once(_wanted)
    guess = subject.once(_guess)
    if "all" in wanted or not guess.languages:
        return ""
    found = [*map(ngrams.code, guess.languages)]
    alike = {"sco": "en"} if guess.length < _LONG_ENOUGH * len(found) else {}
    if {alike.get(language, language) for language in found} & {alike.get(w, w) for w in wanted}:
        return ""
    return f"Languages detected: {' '.join(found)}"


@eval_function("check_body_8bits")
def eight_bits(subject: Subject) -> int:
    """There are letters in a row that none of the `ok_languages` has."""
    wanted = set(subject.settings.once(_wanted))
    if "all" in wanted or wanted & _WITH_8_BITS:
        return 0
    return any(map(_RUN_OF_8_BITS.search, subject.message.body))


@metadata("X-Languages")
def languages(subject: Subject) -> bytes | None:
    if not subject.settings.loads(_PLUGIN):
        return None
    return " ".join(subject.once(_guess).languages).encode()


@metadata("X-Languages-Length")
def length(subject: Subject) -> bytes | None:
    return b"%d" % subject.once(_guess).length if subject.settings.loads(_PLUGIN) else None


@tag("LANGUAGES")
def languages_tag(subject: Subject, _argument: str) -> str:
    return (languages(subject) or b"").decode("latin-1")


@tag("TEXTCATRESULTS")
def results_tag(subject: Subject, _argument: str) -> str | None:
    results = subject.once(_guess).results if subject.settings.loads(_PLUGIN) else ()
    best = results[0][1] if results else 0
    shown = (f"{name}:{far}({f'{far / best:.2f}' if best else 'unknown'})" for name, far in results)
    return " ".join(list(shown)[:_SHOWN_RESULTS]) or None


def _guess(subject: Subject) -> Guess:
    settings = subject.settings
    text = _text(subject)
    known = settings.once(_file).value()
    if len(text) < _SHORTEST or not known.names:
        return Guess(len(text))
    skipped = set(settings.last("inactive_languages", _RARE).split()) - set(settings.once(_wanted))
    most = max(0, int(settings.number("textcat_max_ngrams", 400)))
    runs = ngrams.frequent(text, most, int(settings.number("textcat_optimal_ngrams", 0)))
    results = ngrams.distances(runs, known, most, skipped)
    best = results[0][1] if results else 0
    near = settings.number("textcat_acceptable_score", 1.02) * best
    found = [name for name, far in results[:1]] + [name for name, far in results[1:] if far < near]
    certain = len(found) <= settings.number("textcat_max_languages", 3)
    return Guess(len(text), tuple(found) if certain else (), tuple(results))


def _text(subject: Subject) -> bytes:
    """The text without what is no language: prefixes of the subject, links, addresses."""
    text = b"\n".join(subject.message.body)[:_LOOKED_AT]
    prefixes = _PREFIXES.match(text)
    if prefixes:
        text = text[prefixes.end() :]
    for pattern in _NO_TEXT:
        text = pattern.sub(b" ", text)
    return text[:_LONGEST]


def _wanted(settings: Settings) -> tuple[str, ...]:
    return tuple(settings.last("ok_languages", "all").split())


def _file(settings: Settings) -> DataFile[Languages]:
    named = settings.last("languages_filename", "languages")

    def find() -> Path:
        places = [settings.file(named), *(Path(place) / named for place in _INSTALLED)]
        return next((place for place in places if place.is_file()), places[0])

    return DataFile(find, lambda path: ngrams.read(path.read_bytes()), Languages())
