"""The rule language of SpamAssassin: text to a Book. Never raises on what a file says: it notes a Problem.

One line is one setting. `#` starts a comment unless escaped; the escape goes before anything else is read,
also inside an expression. Texts have one octet per character (Latin-1), because expressions match octets.
"""

import re
from pathlib import Path

from lazaret.rules import capabilities
from lazaret.rules.book import Book, Problem
from lazaret.rules.conditions import Conditions
from lazaret.rules.definitions import Draft, split
from lazaret.rules.expression import ExpressionError
from lazaret.rules.sources import SourceFile, Sources, include_name

_COMMENT = re.compile(r"(?<!\\)#.*")
_LANG = re.compile(r"lang\s+(\S+)\s+", re.IGNORECASE)
_MAX_NESTED_INCLUDES = 50


def parse(sources: Sources, *, language: str = "en_US") -> Book:
    """Everything that the files say. `language` chooses among `lang xx` lines."""
    draft = Draft()
    for name, reason in sources.unreadable:
        draft.problems.append(Problem(name, 0, reason))
    if not any(f.name.endswith(".pre") for f in sources.files):
        draft.plugins.update(capabilities.DEFAULT_PLUGINS)
    reader = _Reader(sources, language, draft)
    for file in sources.files:
        reader.read(file)
    draft.settings["rule_directories"] = _directories(sources)
    return draft.finish()


def _directories(sources: Sources) -> list[str]:
    """Where the files lie, for the data files that lie beside them; our own need none."""
    parents = (str(Path(file.name).parent) for file in sources.files if not file.name.startswith("shipped/"))
    return list(dict.fromkeys(parents))


class _Reader:
    """Goes through the lines: comments, languages, conditions and includes."""

    def __init__(self, sources: Sources, language: str, draft: Draft) -> None:
        self._sources = sources
        self._language = language.lower()
        self._draft = draft
        self._conditions = Conditions(draft.plugins, draft.compatibility)
        self._nested = 0

    def read(self, file: SourceFile) -> None:
        draft, depth = self._draft, self._conditions.depth
        outer = draft.file, draft.line
        draft.file = file.name
        for number, line in enumerate(file.text.decode("latin-1").split("\n"), 1):
            draft.line = number
            if not self._read_line(line):
                break
        for begun in self._conditions.close_all(depth):
            draft.line = begun
            draft.note("this `if` has no endif")
        draft.file, draft.line = outer

    def _read_line(self, line: str) -> bool:
        """False when the rest of the file does not count."""
        if "#" in line:
            line = _COMMENT.sub("", line).replace("\\#", "#")
        line = line.strip()
        if not line:
            return True
        if line.startswith(("lang ", "lang\t")):
            line = self._translated(line)
        word, value = split(line)
        word = word.lower().replace("-", "_")
        if self._steer(word, value) or not self._conditions.active:
            return True
        match word:
            case "require_version":
                return self._require(value)
            case "include":
                self._include(value)
            case "":
                pass
            case _:
                self._draft.obey(word, value)
        return True

    def _translated(self, line: str) -> str:
        """The line after `lang xx`, or nothing when it is for other readers."""
        found = _LANG.match(line)
        if not found or not self._language.startswith(found[1].lower()):
            return ""
        return line[found.end() :]

    def _steer(self, word: str, value: str) -> bool:
        """Lines that count even where others do not."""
        match word:
            case "if" | "ifplugin":
                try:
                    self._conditions.begin(value if word == "if" else f"plugin({value})", self._draft.line)
                except ExpressionError as error:
                    self._draft.note(f"`{word} {value}` is not understood, its lines are skipped: {error}")
            case "else":
                if not self._conditions.otherwise():
                    self._draft.note("else without if")
            case "endif":
                if not self._conditions.end():
                    self._draft.note("endif without if")
            case _:
                return False
        return True

    def _require(self, value: str) -> bool:
        if value in (capabilities.VERSION, "@@VERSION@@"):
            return True
        self._draft.note(f"the file is for version {value}; the rest of it is skipped")
        return False

    def _include(self, value: str) -> None:
        file = self._sources.included.get(include_name(self._draft.file, value))
        if file is None:
            self._draft.note(f"{value} cannot be read")
        elif self._nested >= _MAX_NESTED_INCLUDES:
            self._draft.note("files include each other")
        else:
            self._nested += 1
            self.read(file)
            self._nested -= 1
