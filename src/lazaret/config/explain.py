"""What is in force and where it was set, and what a reload changes; passwords are never shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from lazaret.config.options import CHECK_OPTIONS, OPTIONS, Config

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Line:
    """One option as it is in force."""

    key: str
    value: str
    """As TOML."""
    where: str
    """`/etc/lazaret/lazaret.toml:12`, `--set`, or `default`."""


def explain(config: Config) -> Iterator[Line]:
    """Every option, in the order of `lazaret config default`."""
    for key, value in _values(config):
        yield Line(key, value, config.where.get(key, "default"))


def difference(old: Config, new: Config) -> list[str]:
    """One line for each option that changed: `levels.mark: 3.0 -> 4.0`. For the log of a reload."""
    before, after = dict(_values(old)), dict(_values(new))
    changed = [
        f"{key}: {before.get(key, 'default')} -> {after.get(key, 'default')}"
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]
    if old.store.password != new.store.password:
        changed.append("store.password: changed")
    return changed


def _values(config: Config) -> Iterator[tuple[str, str]]:
    for path, option in OPTIONS.items():
        holder = config if len(path) == 1 else getattr(config, path[0])
        yield ".".join(path), option.kind.show(getattr(holder, path[-1]))
    for name, check in config.checks.items():
        for option_name, option in CHECK_OPTIONS.items():
            yield f"checks.{name}.{option_name}", option.kind.show(getattr(check, option_name))
    if config.store.password:
        yield "store.password", HIDDEN
