"""The learner as a check: what the site has taught it says whether a message is spam."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lazaret.checks import Scan, Step, Symbol
from lazaret.learn import explain, zones
from lazaret.learn.features import Features, Hasher
from lazaret.learn.known import Known
from lazaret.learn.model import Counter, Judgement, Model
from lazaret.learn.points import CLASS_FULL, QUIET, Scale
from lazaret.model.steps import Steps, finish
from lazaret.model.verdict import Hit

SPAM = "BAYES_SPAM"
HAM = "BAYES_HAM"
_SEEN = (Counter.SPAM_SEEN, Counter.HAM_SEEN)


class _Read(NamedTuple):
    """What a message was judged by."""

    view: zones.View
    features: Features
    judged: Judgement
    model: Model
    hasher: Hasher


class LearnCheck:
    """Yields one of two symbols; the words that pushed most are found for who asks."""

    name = "learn"
    symbols: Mapping[str, Symbol] = {
        SPAM: Symbol(1.0, "Resembles what was learned as spam here"),
        HAM: Symbol(-1.0, "Resembles what was learned as ham here"),
    }

    def __init__(self, known: Known, *, always_explains: bool = False) -> None:
        """`always_explains`: each hit comes with its words; to find them costs more than to judge."""
        self._known = known
        self._always_explains = always_explains
        self._refreshed = False
        """For the message that comes to `run` next."""

    @property
    def is_ready(self) -> bool:
        """Whether the learner has its full say; other points are chosen with that in mind."""
        self._known.refresh()
        self._refreshed = True  # Whoever asks has the message before `run` does.
        return min(map(self._known.memory.counters.item, _SEEN)) >= CLASS_FULL

    def run(self, scan: Scan, /) -> Iterator[Hit | Step]:
        """Nothing while too little is known, or when the message could be either."""
        if not self._refreshed:
            self._known.refresh()
        self._refreshed = False
        memory, hasher = self._known.memory, self._known.hasher
        spam, ham = map(int, map(memory.counters.item, _SEEN))
        scale = Scale.of(memory)
        if not scale.say(spam=spam, ham=ham):
            return
        read = yield from _read(scan, Model(memory), hasher)
        scan.notes[self.name] = read
        points = scale.points(read.judged.score, spam=spam, ham=ham)
        if abs(points) < QUIET:
            return
        detail = _words(read) if self._always_explains else ""
        yield Hit(SPAM if points > 0 else HAM, detail, abs(points))

    def explain(self, scan: Scan, /) -> str:
        """The words of a hit that came without them."""
        read = scan.notes.get(self.name)
        if not isinstance(read, _Read):
            read = finish(_read(scan, Model(self._known.memory), self._known.hasher))
        return _words(read)


def _read(scan: Scan, model: Model, hasher: Hasher) -> Steps[_Read]:
    meanwhile = scan.meanwhile
    if meanwhile.until < 0:
        yield 0
    view = zones.view(scan.message)
    if meanwhile.until < 1:
        yield 1
    features = hasher.features(view)
    if meanwhile.until < 2:
        yield 2
    return _Read(view, features, model.judge(features), model, hasher)


def _words(read: _Read) -> str:
    found = explain.pushes(
        read.view, read.model, read.hasher, features=read.features, judged=read.judged, most=4
    )
    return explain.in_words(found)
