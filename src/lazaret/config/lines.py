"""On which line each key of a TOML document stands, which tomllib does not tell."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping

_TOKEN = re.compile(
    r'''
      (?P<skip>    [ \t\r]+ | \#[^\n]* )
    | (?P<text>    """ (?: \\. | [^"\\] | "{1,2}(?!") )* "{3,5}
                 | \'\'\' (?: [^'] | '{1,2}(?!') )* '{3,5}
                 | " (?: \\. | [^"\\\n] )* "
                 | ' [^'\n]* ' )
    | (?P<mark>    [\[\]{}=.,\n] )
    | (?P<bare>    [^\s\[\]{}=.,"'\#]+ )
    ''',
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = ("[", "{"), ("]", "}")

Path = tuple[str, ...]


def key_lines(document: str) -> Mapping[Path, int]:
    """Path of each table and key -> its line, counted from 1.

    `document` must be one that tomllib accepts. Keys inside an inline table are not listed: they stand
    where their parent does. Of an array of tables, the last is listed.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    for line, tokens in _statements(document):
        if tokens[0] == "[":
            path = table = _key(t for t in tokens if t not in ("[", "]"))
        else:
            path = table + _key(tokens[: tokens.index("=")])
        for length in range(1, len(path)):
            lines.setdefault(path[:length], line)
        lines[path] = line
    return lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of the key, or of the nearest statement that holds it; 0 when there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _statements(document: str) -> Iterator[tuple[int, list[str]]]:
    """(line, tokens) of each key = value and each [table]; a value may go over several lines."""
    line, depth, begun = 1, 0, 1
    tokens: list[str] = []
    for match in _TOKEN.finditer(document):
        token = match[0]
        if token == "\n" and depth == 0:
            if tokens:
                yield begun, tokens
            tokens = []
        elif match.lastgroup != "skip" and token != "\n":
            begun = begun if tokens else line
            tokens.append(token)
            depth += (token in _OPENING) - (token in _CLOSING)
        line += token.count("\n")
    if tokens:
        yield begun, tokens


def _key(tokens: Iterable[str]) -> Path:
    """The parts of a dotted key, quotes and escapes undone."""
    return tuple(next(iter(tomllib.loads(f"{t} = 0"))) for t in tokens if t != ".")
