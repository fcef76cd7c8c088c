"""Sentences that are made in English and read in another language: errors, and the reasons of the filter.

They come with their values in them, out of a database even, so that they are known by what stands between the
values. A catalogue `translations/*-told.po` has them, each with `{places}`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

MAX_LENGTH = 4000
"""Characters of a text that is looked at; longer ones stay as they are."""
DEEP = 3
"""A sentence in a sentence in a sentence."""
_POINTS = re.compile(r"-?[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """An English sentence with places for values, and its translation."""

    between: tuple[str, ...]
    """What stands before, between and behind the values."""
    names: tuple[str, ...]
    translation: str

    @classmethod
    def of(cls, text: str, translation: str) -> "Sentence":
        """What a place called `clause` holds is told too, and what one called `word` holds is looked up."""
        between, names = [""], []
        for literal, name, _, _ in Formatter().parse(text):
            between[-1] += literal
            if name is not None:
                names.append(name)
                between.append("")
        return cls(tuple(between), tuple(names), translation)

    def values(self, text: str) -> dict[str, str] | None:
        """The values in it, each as short as can be; None when this is another sentence. Linear."""
        first, *others = self.between
        if not text.startswith(first):
            return None
        at, found = len(first), []
        for piece in others[:-1]:
            end = text.find(piece, at)
            if end < 0:
                return None
            found.append(text[at:end])
            at = end + len(piece)
        last = others[-1]
        end = len(text) - len(last)
        if end < at or not text.endswith(last):
            return None
        found.append(text[at:end])
        return dict(zip(self.names, found, strict=True)) if all(found) else None


@dataclass(frozen=True)
class Sentences:
    """All of a language."""

    whole: Mapping[str, str]
    """Those without a place."""
    words: Mapping[str, tuple[str, ...]]
    """All other texts, for what stands in the place of a `word`."""
    placed: tuple[Sentence, ...] = ()
    """The most telling first."""
    comma: bool = False
    """Points are written with a comma."""

    @classmethod
    def of(
        cls, catalogue: Iterable[tuple[str, str]], words: Mapping[str, tuple[str, ...]], *, comma: bool
    ) -> "Sentences":
        """Of a catalogue: English, translation."""
        entries = dict(catalogue)
        placed = [Sentence.of(text, told) for text, told in entries.items() if "{" in text]
        placed.sort(key=lambda one: -sum(map(len, one.between)))
        return cls({k: v for k, v in entries.items() if "{" not in k}, words, tuple(placed), comma)

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sum(map(len, one.between)) for one in self.placed)

    def told(self, text: str, depth: int = DEEP) -> str:
        """The sentence in this language; as it is when nobody has translated it."""
        if len(text) > MAX_LENGTH:
            return text
        if text in self.whole:
            return self.whole[text]
        for sentence, length in zip(self.placed, self._lengths, strict=True):
            if length < len(text) and (values := sentence.values(text)) is not None:
                said = {name: self._value(name, value, depth) for name, value in values.items()}
                return sentence.translation.format(**said)
        return text

    def _value(self, name: str, value: str, depth: int) -> str:
        if name.startswith("clause") and depth:
            return self.told(value, depth - 1)
        if name.startswith("word"):
            return self.words.get(value, (value,))[0]
        if self.comma and _POINTS.fullmatch(value):
            return value.replace(".", ",")
        return value
