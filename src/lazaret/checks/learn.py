"""The learner as a check: what the site has taught it says whether a message is spam."""

from collections.abc import Iterator, Mapping

from lazaret.checks import Scan, Symbol
from lazaret.learn import explain, zones
from lazaret.learn.features import Hasher
from lazaret.learn.model import Counter, Memory, Model
from lazaret.learn.points import QUIET, Scale
from lazaret.model.verdict import Hit

SPAM = "BAYES_SPAM"
HAM = "BAYES_HAM"


class LearnCheck:
    """Yields one of two symbols, with the words that pushed most in its detail."""

    name = "learn"
    symbols: Mapping[str, Symbol] = {
        SPAM: Symbol(1.0, "Resembles what was learned as spam here"),
        HAM: Symbol(-1.0, "Resembles what was learned as ham here"),
    }

    def __init__(
        self, memory: Memory, hasher: Hasher, scale: Scale | None = None, *, always_explains: bool = False
    ) -> None:
        """`always_explains`: ham too, which is most mail; it costs more than judging it."""
        self._always_explains = always_explains
        self._memory = memory
        self._hasher = hasher
        self._scale = scale or Scale()

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        """Nothing while too little is known, or when the message could be either."""
        self._memory.refresh()
        spam, ham = (int(self._memory.counters[n]) for n in (Counter.SPAM_SEEN, Counter.HAM_SEEN))
        if not self._scale.points(1.0, spam=spam, ham=ham):
            return
        model = Model(self._memory)
        view = zones.view(scan.message)
        score = model.judge(self._hasher.features(view)).score
        points = self._scale.points(score, spam=spam, ham=ham)
        if abs(points) < QUIET:
            return
        detail = ""
        if points > 0 or self._always_explains:
            detail = explain.in_words(explain.pushes(view, model, self._hasher, most=4))
        yield Hit(SPAM if points > 0 else HAM, detail, abs(points))
