"""Which listed metas are to be looked at: those of which a trigger has changed, in order."""

from collections.abc import Iterable, Sequence

from lazaret.rules.metas import Meta


class Settler:
    """The listed metas of a program, as bits of a number: bit 0 is the first one."""

    def __init__(self, planned: Sequence[Meta], rules: int) -> None:
        listed = [meta for meta in planned if meta.triggers is not None]
        self.listed = tuple(meta.rule for meta in listed)
        """Their rules, each after those that it mentions."""
        places: list[list[int]] = [[] for _ in range(rules)]
        for place, meta in enumerate(listed):
            for trigger in meta.triggers or ():
                places[trigger].append(place)
        self.places = tuple(map(tuple, places))
        """Of each rule: the places of the metas that it concerns."""
        self._concerned = [sum(1 << place for place in set(each)) for each in places]

    @property
    def all(self) -> int:
        """All of them."""
        return (1 << len(self.listed)) - 1

    def concerned(self, rules: Iterable[int]) -> int:
        """The metas to look at when the values of these rules have changed, or may have."""
        metas = 0
        of_rule = self._concerned
        for rule in rules:
            metas |= of_rule[rule]
        return metas

    def rules(self, metas: int) -> list[int]:
        """The rules of these metas, in order."""
        return [rule for rule, bit in zip(self.listed, bin(metas)[:1:-1], strict=False) if bit == "1"]

    def octets(self, metas: int) -> bytes:
        """The same number, as `Values.settle` takes it."""
        return metas.to_bytes(len(self.listed) // 8 + 1, "little")
