"""What was set, where: the keys and values of a configuration file and of `--set`, not yet checked."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lazaret.config.lines import key_lines, line_of
from lazaret.config.options import SECTIONS
from lazaret.config.problems import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Setting:
    """One key and its value, as TOML gave it."""

    path: tuple[str, ...]
    value: object
    where: str
    word: str | None = None
    """The value as typed on the command line, when it could be a bare word."""

    @property
    def key(self) -> str:
        return ".".join(self.path)


def read_file(file: Path, named_by: str) -> list[Setting]:
    """The settings of a file. ConfigError when it cannot be read or is not TOML."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise _unusable(named_by or str(file), f"cannot read {file}: {error.strerror}") from None
    try:
        document = octets.decode("utf-8")
        table = tomllib.loads(document)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _unusable(f"{file}:{line}", "not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, document, str(error)) from None
    except RecursionError:
        raise _unusable(str(file), "not TOML that can be read: brackets nested too deeply") from None
    lines = key_lines(document)
    return [Setting(path, value, f"{file}:{line_of(lines, path)}") for path, value in _flat(table)]


def read_arguments(settings: Sequence[str]) -> list[Setting]:
    """The settings of `--set key=value`. ConfigError for what has no `=`."""
    malformed = [s for s in settings if not re.match(r"\s*[\w.-]+\s*=", s)]
    if malformed:
        raise ConfigError(Problem("--set", f"expected section.key=VALUE, not {s!r}") for s in malformed)
    return [_argument(*s.split("=", 1)) for s in settings]


def _argument(key: str, text: str) -> Setting:
    key, text = key.strip(), text.strip()
    is_toml_alone = text[:1] in ("[", "{", '"', "'")
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError as error:
        if is_toml_alone:
            raise _unusable("--set", f"{key}: the value is not TOML: {error}") from None
        table = {"value": text}
    value = table["value"] if len(table) == 1 else text
    return Setting(tuple(key.split(".")), value, "--set", None if is_toml_alone else text)


def _flat(table: dict[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    """(path, value) down to the keys of sections; what is no section stays whole, for the error."""
    for name, value in table.items():
        if not isinstance(value, dict) or (name not in SECTIONS and name != "checks"):
            yield (name,), value
            continue
        for key, inner in value.items():
            if name == "checks" and isinstance(inner, dict):
                yield from (((name, key, option), v) for option, v in inner.items())
            else:
                yield (name, key), inner


def _syntax_error(file: Path, document: str, error: str) -> ConfigError:
    """tomllib says `Invalid value (at line 3, column 5)`, or `(at end of document)`."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", error, re.DOTALL)
    if match is None:
        return _unusable(str(file), f"not TOML: {error}")
    line = match[2] or document.rstrip().count("\n") + 1
    column = f" at column {match[3]}" if match[3] else ", the file ends too early"
    return _unusable(f"{file}:{line}", f"not TOML: {match[1]}{column}; texts need quotes, lists need [ ]")


def _unusable(where: str, text: str) -> ConfigError:
    return ConfigError([Problem(where, text)])
