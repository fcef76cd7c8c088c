"""Meta rules at run time: the listed ones in order, and only when a trigger of theirs has changed."""

from collections.abc import Iterable, Sequence

from lazaret.rules.metas import Meta


class Settler:
    """The listed metas of a program, as bits of a number: bit 0 is the first one."""

    def __init__(self, planned: Sequence[Meta], rules: int) -> None:
        listed = [meta for meta in planned if meta.triggers is not None]
        self._rules = [meta.rule for meta in listed]
        self._concerned = [0] * rules
        for place, meta in enumerate(listed):
            for trigger in meta.triggers or ():
                self._concerned[trigger] |= 1 << place

    def concerned(self, rules: Iterable[int]) -> int:
        """The metas to look at when the values of these rules have changed, or may have."""
        metas = 0
        of_rule = self._concerned
        for rule in rules:
            metas |= of_rule[rule]
        return metas

    def rules(self, metas: int) -> list[int]:
        """Their rules, each after those that it mentions."""
        return [rule for rule, bit in zip(self._rules, bin(metas)[:1:-1], strict=False) if bit == "1"]
