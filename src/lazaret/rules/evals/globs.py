"""Lists of addresses and the like, in which `*` stands for any text and `?` for one character."""

import re
from collections.abc import Callable, Iterable

_SIGNS = re.compile(r"[*?]")
_BOUNDARY = re.compile(r"[.@]")
_LABELS = 2
"""So many labels at the end of an entry, or fewer, find it."""


class Globs:
    """The entries of a list; the case of letters does not matter."""

    __slots__ = ("_by_end", "_plain")

    def __init__(self, words: Iterable[str]) -> None:
        lowered = dict.fromkeys(word.lower() for word in words)
        self._plain = frozenset(word for word in lowered if not _SIGNS.search(word))
        self._by_end: dict[tuple[str, ...], list[Callable[[str], bool]]] = {}
        """The labels at the end -> the entries with a sign that end so: few of those of a long list."""
        for word in lowered:
            if word not in self._plain:
                self._by_end.setdefault(_end(word), []).append(_test(word))

    def __bool__(self) -> bool:
        """Whether there is any entry."""
        return bool(self._plain or self._by_end)

    def __contains__(self, text: str) -> bool:
        text = text.lower()
        if text in self._plain:
            return True
        end = tuple(text.replace("@", ".").rsplit(".", _LABELS)[-_LABELS:]) if self._by_end else ()
        for key in (end, end[1:], ()):
            for matches in self._by_end.get(key, ()):
                if matches(text):
                    return True
        return False


def _end(glob: str) -> tuple[str, ...]:
    """The whole labels after the last sign: `*@*.bank.example` ends in bank, example."""
    return tuple(_BOUNDARY.split(_SIGNS.split(glob)[-1])[1:][-_LABELS:])


def _test(glob: str) -> Callable[[str], bool]:
    """Whether a text is what the entry describes. Linear, however many stars there are."""
    if "?" in glob:
        return _with_single_signs(glob)
    first, *middle, last = glob.split("*")
    shortest = len(glob) - glob.count("*")

    def matches(text: str) -> bool:
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        position, end = len(first), len(text) - len(last)
        for piece in middle:
            found = text.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True

    return matches


def _with_single_signs(glob: str) -> Callable[[str], bool]:
    """As an expression; a run of `*` is one, or the cost would grow with every further star."""
    spelled = re.escape(re.sub(r"\*+", "*", glob)).replace(r"\*", ".*").replace(r"\?", ".")
    fullmatch = re.compile(spelled, re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


class DomainGlobs:
    """Domains in which `*` stands for any text without a dot and `?` for one character that is none."""

    __slots__ = ("_by_label", "_plain")

    def __init__(self, words: Iterable[str]) -> None:
        lowered = dict.fromkeys(word.lower() for word in words)
        self._plain = frozenset(word for word in lowered if not _SIGNS.search(word))
        self._by_label: dict[tuple[int, int, str], list[re.Pattern[str]]] = {}
        """How many labels, the place of the longest one without a sign, and that label -> the entries."""
        for word in lowered:
            if word not in self._plain:
                spelled = re.escape(word).replace(r"\*", r"[^.]*").replace(r"\?", r"[^.]")
                self._by_label.setdefault(_longest_label(word), []).append(re.compile(spelled))

    def __bool__(self) -> bool:
        """Whether there is any entry."""
        return bool(self._plain or self._by_label)

    def __contains__(self, domain: str) -> bool:
        """Of a domain in lower case."""
        if domain in self._plain:
            return True
        labels = domain.split(".")
        for place, label in ((0, ""), *enumerate(labels)):
            for pattern in self._by_label.get((len(labels), place, label), ()):
                if pattern.fullmatch(domain):
                    return True
        return False


def _longest_label(glob: str) -> tuple[int, int, str]:
    labels = glob.split(".")
    plain = [(len(label), place) for place, label in enumerate(labels) if not _SIGNS.search(label)]
    place = max(plain, default=(0, 0))[1]
    return len(labels), place, labels[place] if plain else ""
