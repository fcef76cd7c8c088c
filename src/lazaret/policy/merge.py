"""The policy of one recipient: of each setting the first that is not NULL, then the configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from lazaret.model.policies import PolicyRow
from lazaret.model.verdict import Category, Levels, Policy
from lazaret.policy.settings import SETTINGS

_LOVERS = {
    "spam_lover": Category.SPAM,
    "unchecked_lover": Category.UNCHECKED,
    "virus_lover": Category.VIRUS,
    "banned_files_lover": Category.BANNED,
    "bad_header_lover": Category.BAD_HEADER,
}
_BYPASSES = {
    "bypass_spam_checks": Category.SPAM,
    "bypass_virus_checks": Category.VIRUS,
    "bypass_banned_checks": Category.BANNED,
    "bypass_header_checks": Category.BAD_HEADER,
}
_FIELDS = {
    "subject_tag": "subject_tag",
    "subject_tag3": "strong_subject_tag",
    "clean_subject_tag": "clean_subject_tag",
    "tag3": "strong_level",
    "keep_spam": "keep",
    "size_limit": "size_limit",
    "local": "local",
}
"""Setting -> field of Policy, where it is taken over as it stands."""
_LEVELS = tuple(f.name for f in fields(Levels))


@dataclass(frozen=True, slots=True)
class Found:
    """A setting that the database makes."""

    name: str
    value: Any
    origin: str


def ordered(rows: Sequence[PolicyRow], keys: Sequence[str]) -> list[PolicyRow]:
    """Those that concern an address with these keys: by their priority, then the most specific first."""
    place = {key: number for number, key in enumerate(keys)}
    return sorted((r for r in rows if r.key in place), key=lambda r: (-r.priority, place[r.key]))


def found(rows: Sequence[PolicyRow]) -> Iterator[Found]:
    """What the rows set, each setting once; `rows` in the order of `ordered`."""
    for row in rows:
        if row.local is not None:
            yield Found("local", row.local, row.origin)
            break
    for setting in SETTINGS.values():
        for row in rows:
            value = row.values.get(setting.column)
            meaning = None if value is None else setting.read(value)
            if meaning is not None:
                yield Found(setting.name, meaning, row.origin)
                break


def merged(default: Policy, rows: Sequence[PolicyRow]) -> Policy:
    """The policy of whom the rows are for; `rows` in the order of `ordered`."""
    if not rows:
        return default
    set_here = {one.name: one for one in found(rows)}
    values: dict[str, Any] = {_FIELDS[n]: one.value for n, one in set_here.items() if n in _FIELDS}
    return replace(
        default,
        levels=_levels(default.levels, {n: set_here[n].value for n in _LEVELS if n in set_here}),
        lovers=frozenset(c for n, c in _LOVERS.items() if n in set_here and set_here[n].value),
        bypasses=frozenset(c for n, c in _BYPASSES.items() if n in set_here and set_here[n].value),
        sources={n: one.origin for n, one in set_here.items()},
        **values,
    )


def merged_values(default: Policy, values: Mapping[str, object]) -> Policy:
    """The policy that columns of `policy` make, by themselves."""
    return merged(default, [PolicyRow(0, "", 0, values=values)])


def _levels(default: Levels, values: dict[str, float]) -> Levels:
    """mark <= quarantine <= kill, whatever the tables say: the quarantine level is what counts."""
    levels = replace(default, **values)
    kill = None if levels.kill is None else max(levels.kill, levels.quarantine)
    return replace(levels, mark=min(levels.mark, levels.quarantine), kill=kill)
