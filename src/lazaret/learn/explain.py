"""Which words pushed a message most, and which way? In groups that a person knows."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lazaret.learn import kernel
from lazaret.learn.features import Features, Hasher, joined
from lazaret.learn.model import Floats, Judgement, Model
from lazaret.learn.zones import Kind, View

SENDER = frozenset(
    {"from", "reply-to", "sender", "message-id", "organization", "x-sender", "relay", "received"}
)
LINKS = frozenset({"link", "site"})
FORM = frozenset({"mime", "attachment", "names", "title"})
_LONGEST = 40
_LOOKED_AT = 100


class Push(NamedTuple):
    """A word, and by how much log-odds it moved the message; above 0 towards spam."""

    group: str
    """sender, subject, text, links, form, header."""
    word: str
    """Or the name of a fact, as in `learn/form.py`."""
    amount: float


def pushes(
    view: View,
    model: Model,
    hasher: Hasher,
    *,
    features: Features | None = None,
    judged: Judgement | None = None,
    most: int = 5,
) -> list[Push]:
    """The `most` strongest words towards spam and as many towards ham, the strongest first.

    What a pair of words or facts adds is given to both by halves; what runs of octets add belongs to no
    word and is not shown. `features` and `judged`: those of the view, where they are known already.
    """
    if features is None:
        features = hasher.features(view)
    shares = model.shares(features, judged).of_feature
    groups = list(map(_group, view.pieces.kinds))
    facts = [list(map(_key_of, told)) for _, told in view.facts]
    if kernel.compiled:
        names = groups, facts
        found = hasher.named(view, features, shares, names, most=_LOOKED_AT, longest=_LONGEST)
    else:
        found = _named(view, hasher, features, shares, groups, facts)
    ranked = sorted(found.items(), key=itemgetter(1))
    return [
        *[Push(*key, amount) for key, amount in ranked[: -most - 1 : -1] if amount > 0],
        *[Push(*key, amount) for key, amount in ranked[:most] if amount < 0],
    ]


_Key = tuple[str, str]
"""Of a word or a fact its group, and how it is called."""


def _named(
    view: View, hasher: Hasher, features: Features, shares: Floats, groups: list[str], facts: list[list[_Key]]
) -> dict[_Key, float]:
    """What all facts and the strongest words add."""
    words, told_amounts = _strongest(view, hasher, features, shares)
    found: defaultdict[_Key, float] = defaultdict(float)
    for keys, amounts in zip(facts, told_amounts, strict=True):
        for key, share in zip(keys, amounts, strict=True):
            found[key] += share
    octets = joined(view.pieces)
    for piece, start, end, amount in words:
        word = octets[start : min(end, start + _LONGEST)].decode("utf-8", "replace")
        found[groups[piece], word.lower()] += amount
    return found


def _strongest(
    view: View, hasher: Hasher, features: Features, shares: Floats
) -> tuple[list[tuple[int, int, int, float]], list[list[float]]]:
    """The strongest words: of each the number of its piece, its place in `joined`, and by how much it pushed;
    and what each fact adds."""
    told_amounts: list[list[float]] = []
    for facts in view.facts:
        told = hasher.told(facts)
        amounts = shares[features.searchsorted(told.features)]
        halves = shares[features.searchsorted(told.pairs)] / 2
        each = (
            amounts + _summed(told.first, halves, len(amounts)) + _summed(told.second, halves, len(amounts))
        )
        told_amounts.append(each.tolist())
    words = hasher.words(view.pieces)
    # A feature that stands in several places is shared out among them.
    places = [words.features, words.pairs, words.again]
    at = [features.searchsorted(numbers) for numbers in places]
    times = np.bincount(np.concatenate(at), minlength=len(features))
    single, pairs, again = (shares[numbers] / times[numbers] for numbers in at)
    by_word = single + _summed(words.first, pairs / 2, len(single))
    by_word += _summed(words.first + 1, pairs / 2, len(single)) + _summed(words.again_of, again, len(single))
    strongest = np.argsort(-np.abs(by_word), kind="stable")[:_LOOKED_AT]
    columns = (words.pieces[strongest], words.starts[strongest], words.ends[strongest], by_word[strongest])
    return list(zip(*(column.tolist() for column in columns), strict=True)), told_amounts


def in_words(found: Iterable[Push]) -> str:
    """On one line: `towards spam: text (click, buy), sender (shop); towards ham: links (lists)`."""
    parts = []
    for label, spam in (("spam", True), ("ham", False)):
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for push in found:
            if (push.amount > 0) == spam:
                groups[push.group].append(push.word)
        if groups:
            said = ", ".join(f"{group} ({', '.join(words)})" for group, words in groups.items())
            parts.append(f"towards {label}: {said}")
    return "; ".join(parts)


def _summed(numbers: NDArray[np.intp], amounts: NDArray[np.floating], most: int) -> NDArray[np.float64]:
    """The amounts of each number below `most`."""
    summed: NDArray[np.float64] = np.bincount(numbers, amounts, most).astype(np.float64)
    return summed


@lru_cache(4096)
def _key_of(fact: bytes) -> _Key:
    return "form", fact.partition(b"=")[0].decode()


@lru_cache(1024)
def _group(kind: Kind) -> str:
    name = kind.name
    if name in ("subject", "text"):
        return name
    for group, members in (("sender", SENDER), ("links", LINKS), ("form", FORM)):
        if name in members:
            return group
    return "header"
