"""Which words pushed a message most, and which way? In groups that a person knows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lazaret.learn.features import Features, Hasher, joined
from lazaret.learn.model import Model
from lazaret.learn.zones import View

SENDER = frozenset(
    {"from", "reply-to", "sender", "message-id", "organization", "x-sender", "relay", "received"}
)
LINKS = frozenset({"link", "site"})
FORM = frozenset({"mime", "attachment", "html", "tags", "names", "title"})
_LONGEST = 40
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Push:
    """A word, and by how much log-odds it moved the message; above 0 towards spam."""

    group: str
    """sender, subject, text, links, form, header."""
    word: str
    amount: float


def pushes(
    view: View, model: Model, hasher: Hasher, *, features: Features | None = None, most: int = 5
) -> list[Push]:
    """The `most` strongest words towards spam and as many towards ham, the strongest first.

    What a pair of words adds is given to both by halves; what runs of octets add belongs to no word and
    is not shown. `features`: those of the view, where they are known already.
    """
    if features is None:
        features = hasher.features(view)
    shares = model.shares(features).of_feature
    words = hasher.words(view.pieces)
    if not len(words.features):
        return []
    # A feature that stands in several places is shared out among them.
    places = np.concatenate([words.features, words.pairs])
    at = features.searchsorted(places)
    times = np.bincount(at, minlength=len(features))
    amounts = shares[at] / times[at]
    single = amounts[: len(words.features)].astype(np.float64)
    halves = amounts[len(words.features) :] / 2
    single += np.bincount(words.first, halves, len(single)) + np.bincount(
        words.first + 1, halves, len(single)
    )
    octets = joined(view.pieces)
    groups: list[str] = [_group(piece.name) for piece in view.pieces]
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    strongest = np.argsort(-np.abs(single))[:_LOOKED_AT]
    columns = (words.pieces[strongest], words.starts[strongest], words.ends[strongest], single[strongest])
    for piece, start, end, amount in zip(*(column.tolist() for column in columns), strict=True):
        word = octets[start : min(end, start + _LONGEST)].decode("utf-8", "replace")
        found[groups[piece], word.lower()] += amount
    ranked = sorted((Push(group, word, amount) for (group, word), amount in found.items()), key=_by_strength)
    return [*_first(ranked, most, spam=True), *_first(ranked, most, spam=False)]


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


def _first(ranked: list[Push], most: int, *, spam: bool) -> list[Push]:
    return [push for push in ranked if (push.amount > 0) == spam and push.amount][:most]


def _by_strength(push: Push) -> float:
    return -abs(push.amount)


def _group(name: str) -> str:
    if name in ("subject", "text"):
        return name
    for group, members in (("sender", SENDER), ("links", LINKS), ("form", FORM)):
        if name in members:
            return group
    return "header"
