"""Meta rules at run time: looked at in order, and only when a trigger of theirs has changed."""

from collections.abc import Sequence

from lazaret.rules import metas
from lazaret.rules.metas import Code, Meta
from lazaret.rules.run import Run


class Settler:
    """The metas of a program. Their code is made when it is first needed: a message needs few of them."""

    def __init__(self, planned: Sequence[Meta], rules: int) -> None:
        self._metas = planned
        self._codes: list[Code | None] = [None] * len(planned)
        self._dependents: list[list[int]] = [[] for _ in range(rules)]
        for place, meta in enumerate(planned):
            for trigger in meta.triggers:
                self._dependents[trigger].append(place)

    def settle(self, run: Run) -> None:
        """Sets the value of every meta that is concerned; a meta stands after those it mentions."""
        waiting = bytearray(len(self._metas))
        for rule in run.changed:
            for place in self._dependents[rule]:
                waiting[place] = 1
        place = waiting.find(1)
        while place >= 0:
            meta = self._metas[place]
            value = metas.evaluate(self._code(place), run.values)
            if value != run.values[meta.rule]:
                run.set(meta.rule, value)
                for dependent in self._dependents[meta.rule]:
                    waiting[dependent] = 1
            place = waiting.find(1, place + 1)

    def _code(self, place: int) -> Code:
        code = self._codes[place]
        if code is None:
            code = self._codes[place] = metas.compiled(self._metas[place].source)
        return code
