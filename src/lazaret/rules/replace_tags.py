"""ReplaceTags: `<A>` in the expression of a listed rule stands for the text of `replace_tag A`.

`<inter X>`, `<pre X>` and `<post X>`, once per rule, put their text between adjacent tags, before and
after each tag (Mail::SpamAssassin::Plugin::ReplaceTags).
"""

import re
from dataclasses import dataclass, field

_PASSES = 6
_KINDS = ("pre", "inter", "post")


@dataclass(slots=True)
class ReplaceTags:
    """The tags read so far and the rules that they are for."""

    start: str = "<"
    end: str = ">"
    tags: dict[str, str] = field(default_factory=dict)
    around: dict[str, dict[str, str]] = field(default_factory=lambda: {k: {} for k in _KINDS})
    rules: set[str] = field(default_factory=set)

    def apply(self, expression: str) -> str:
        """The expression with its tags replaced; nested tags up to six levels."""
        start, end = re.escape(self.start), re.escape(self.end)
        chosen = {}
        for kind in _KINDS:
            expression, chosen[kind] = self._choose(kind, expression, start, end)
        tag = re.compile(rf"{start}(\w+){end}", re.ASCII)
        if chosen["inter"]:
            adjacent = re.compile(rf"({start}\w+{end})(?={start}\w+{end})", re.ASCII)
            expression = adjacent.sub(lambda m: m[1] + chosen["inter"], expression)
        if chosen["pre"] or chosen["post"]:
            expression = tag.sub(lambda m: chosen["pre"] + m[0] + chosen["post"], expression)
        for _ in range(_PASSES):
            replaced = tag.sub(lambda m: self.tags.get(m[1], m[0]), expression)
            if replaced == expression:
                break
            expression = replaced
        return expression

    def _choose(self, kind: str, expression: str, start: str, end: str) -> tuple[str, str]:
        found = re.search(rf"{start}{kind}\s+(\w+){end}", expression, re.ASCII)
        if not found:
            return expression, ""
        without = re.sub(rf"{start}{kind}\s+\w+{end}", "", expression, flags=re.ASCII)
        return without, self.around[kind].get(found[1], "")
