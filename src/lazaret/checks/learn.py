"""The learner as a check: what the site has taught it says whether a message is spam."""

from collections.abc import Iterator, Mapping

from lazaret.checks import Scan, Symbol
from lazaret.learn import explain, zones
from lazaret.learn.features import Hasher
from lazaret.learn.known import Known
from lazaret.learn.model import Counter, Model
from lazaret.learn.points import CLASS_FULL, QUIET, Scale
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

    def __init__(self, known: Known, *, always_explains: bool = False) -> None:
        """`always_explains`: ham too, which is most mail; it costs more than judging it."""
        self._known = known
        self._always_explains = always_explains

    @property
    def is_ready(self) -> bool:
        """Whether the learner has its full say; other points are chosen with that in mind."""
        self._known.refresh()  # Whoever asks has the message before `run` does.
        counters = self._known.memory.counters
        return bool(min(counters[Counter.SPAM_SEEN], counters[Counter.HAM_SEEN]) >= CLASS_FULL)

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        """Nothing while too little is known, or when the message could be either."""
        self._known.refresh()
        memory, hasher = self._known.memory, self._known.hasher
        spam, ham = (int(memory.counters[n]) for n in (Counter.SPAM_SEEN, Counter.HAM_SEEN))
        scale = Scale.of(memory)
        if not scale.say(spam=spam, ham=ham):
            return
        model = Model(memory)
        view = zones.view(scan.message)
        score = model.judge(hasher.features(view)).score
        points = scale.points(score, spam=spam, ham=ham)
        if abs(points) < QUIET:
            return
        detail = ""
        if points > 0 or self._always_explains:
            detail = _words(view, model, hasher)
        yield Hit(SPAM if points > 0 else HAM, detail, abs(points))

    def explain(self, scan: Scan, /) -> str:
        """The words of a hit that came without them."""
        return _words(zones.view(scan.message), Model(self._known.memory), self._known.hasher)


def _words(view: zones.View, model: Model, hasher: Hasher) -> str:
    return explain.in_words(explain.pushes(view, model, hasher, most=4))
