"""From a file, the environment and `--set` to one checked configuration, or to a line for every error."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lazaret.config.advice import instead_of
from lazaret.config.constraints import Conflict, conflicts
from lazaret.config.locate import base_directory, config_file
from lazaret.config.option import Option
from lazaret.config.options import SECTIONS, Check, Config, find_option
from lazaret.config.password import take_client_secret, take_password
from lazaret.config.paths import absolute
from lazaret.config.problems import ConfigError, Problem, Unfit
from lazaret.config.settings import Setting, read_arguments, read_file

Values = dict[tuple[str, ...], object]


def load(
    file: str | None = None,
    settings: Sequence[str] = (),
    *,
    environment: Mapping[str, str] | None = None,
    euid: int | None = None,
) -> Config:
    """The configuration, every path absolute. ConfigError (exit code 78) names every problem.

    `file` is what `--config` gave, `settings` what `--set` gave: `section.key=VALUE`. `environment`
    and `euid` (the effective user) are those of the process when they are not given.
    """
    environment = os.environ if environment is None else environment
    euid = os.geteuid() if euid is None else euid
    found, named_by = config_file(file, environment)
    given = read_file(found, named_by) if found else []
    given += read_arguments(settings)

    values, problems = _read(given)
    config = _assemble(values, found, {s.key: s.where for s in given})
    config = absolute(config, base_directory(found, environment, euid=euid))
    config, exposed = take_password(config, environment)
    config, exposed_too = take_client_secret(config, environment)
    unread = {s.key for s in given if s.path not in values}
    problems += _reported((*exposed, *exposed_too, *conflicts(config, euid)), config, unread)
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return config


def _read(given: Sequence[Setting]) -> tuple[Values, list[Problem]]:
    """The values by path, later ones over earlier ones, and what could not be read."""
    values: Values = {}
    problems = []
    for setting in given:
        option = find_option(setting.path)
        if option is None:
            problems.append(Problem(setting.where, f"{setting.key}: {instead_of(setting)}"))
            continue
        try:
            values[setting.path] = _value(option, setting)
        except Unfit as error:
            default = option.kind.show(option.default)
            problems.append(Problem(setting.where, f"{setting.key}: {error} (default {default})"))
    return values, problems


def _value(option: Option, setting: Setting) -> object:
    """The value checked; what was typed as a bare word may also be the text that TOML would quote."""
    try:
        return option.kind.read(setting.value)
    except Unfit as error:
        if setting.word is None:
            raise
        first = error
    try:
        return option.kind.read_word(setting.word)
    except Unfit as error:
        raise (error if setting.value == setting.word else first) from None


def _assemble(values: Values, file: Path | None, where: Mapping[str, str]) -> Config:
    """The sections built from what was set; all else keeps its default."""
    top = {path[0]: value for path, value in values.items() if len(path) == 1}
    sections = {
        name: section(**{path[1]: v for path, v in values.items() if len(path) == 2 and path[0] == name})
        for name, section in SECTIONS.items()
    }
    checks: dict[str, Check] = {}
    for path, value in values.items():
        if path[0] == "checks":
            checks[path[1]] = replace(checks.get(path[1], Check()), **{path[2]: value})  # type: ignore[arg-type]
    # Each value has come from the kind that its field declares, which no type checker can follow here.
    return Config(**top, **sections, checks=checks, file=file, where=where)  # type: ignore[arg-type]


def _reported(found: Sequence[Conflict], config: Config, unread: set[str]) -> list[Problem]:
    """Conflicts as problems, except what only follows from a value that could not be read."""
    return [Problem(_place(c, config), c.text) for c in found if unread.isdisjoint(c.keys)]


def _place(conflict: Conflict, config: Config) -> str:
    """Where the first of its keys was set; defaults alone conflict only with the machine."""
    return next((config.where[key] for key in conflict.keys if key in config.where), "default")
