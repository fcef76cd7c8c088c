"""The options written out: as an annotated configuration file, and as a page of the manual."""

from collections.abc import Iterator
from textwrap import fill

from lazaret.config.option import Option
from lazaret.config.options import CHECK_OPTIONS, SECTIONS, Check, Config, options_of

FILE_HEAD = """\
Every option of Lazaret with its default. What is not written keeps its default.
Relative paths are relative to the directory of this file.
`lazaret config check` checks it, `lazaret config explain` shows what is in force."""

PAGE_HEAD = """\
# Configuration

Lazaret reads one TOML file: the one that `--config` names, else `$LAZARET_CONFIG`, else
`/etc/lazaret/lazaret.toml`; without a file every option has its default.
Any option can be set for one command with `--set section.key=VALUE`.
Relative paths are relative to the directory of the file.
Without a file they are relative to `$STATE_DIRECTORY`, else to `/var/lib/lazaret` when it exists and is ours,
else to `$XDG_STATE_HOME/lazaret`.

`lazaret config check` names every error with its line.
`lazaret config default` prints a file with all options.
`lazaret config explain` shows what is in force and where it was set.
SIGHUP checks everything, then applies all or nothing, and logs the difference.
"""


def default_file() -> str:
    """TOML of all options with their defaults, each with its text above it; loading it changes nothing."""
    blocks = [_comment(FILE_HEAD), *(_assignment(name, o) for name, o in options_of(Config))]
    for section, options in SECTIONS.items():
        blocks.append(f"{_comment(_text_of(options))}\n[{section}]")
        blocks += [_assignment(name, o) for name, o in options_of(options)]
    # No check is named by default, so that its section can only be shown.
    checks = "\n".join(f"{name} = {o.kind.show(o.default)}" for name, o in CHECK_OPTIONS.items())
    blocks.append(_comment(_text_of(Check)) + "\n" + _comment(f"[checks.NAME]\n{checks}"))
    return "\n\n".join(blocks) + "\n"


def page() -> str:
    """docs/configuration.md."""
    blocks = [PAGE_HEAD, *_entries("", Config)]
    for section, options in SECTIONS.items():
        blocks += [f"## [{section}]\n\n{_text_of(options)}\n", *_entries(f"{section}.", options)]
    blocks += [f"## [checks.NAME]\n\n{_text_of(Check)}\n", *_entries("checks.NAME.", Check)]
    return "\n".join(blocks)


def _entries(prefix: str, section: type) -> Iterator[str]:
    for name, option in options_of(section):
        unit = f", in {option.unit}" if option.unit else ""
        fact = f"{_kind(option)}{unit}. Default: `{_default(option)}`."
        yield f"### `{prefix}{name}`\n\n{fact}\n\n{option.text}\n"


def _kind(option: Option) -> str:
    words = option.kind.name
    return words if words.startswith('"') else words[:1].upper() + words[1:]


def _assignment(name: str, option: Option) -> str:
    unit = f" ({option.unit})" if option.unit else ""
    return f"{_comment(option.text + unit)}\n{name} = {_default(option)}"


def _default(option: Option) -> str:
    return option.kind.show(option.default)


def _text_of(section: type) -> str:
    return section.__doc__ or ""


def _comment(text: str) -> str:
    return "\n".join(
        fill(line, 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
        for line in text.split("\n")
    )


if __name__ == "__main__":
    print(page(), end="")
