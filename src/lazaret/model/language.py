"""The languages that people are spoken to in: catalogues in gettext's form (`translations/*.po`).

`de.po` is German, and so are `de-mail.po`, which has the texts of mails, `de-rules.po` with the sentences of
the rules that come along, and `de-told.po` with what is made elsewhere and told as a whole (`sentences`).

A text is its own key, in English; `{name}` in it stands for a value.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lazaret.model.sentences import Sentences

_FOLDER = Path(__file__).parent / "translations"
TOLD = ("told", "rules")
"""The catalogues of what is made elsewhere."""
_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr|msgstr\[[01]\])\s+)?"((?:[^"\\]|\\.)*)"')
_ESCAPES = {r"\n": "\n", r"\"": '"', r"\\": "\\", r"\t": "\t"}
_WISH = re.compile(r"([A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Language:
    """One language; called with an English text it gives its own."""

    code: str
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """English text -> its translation, or the two for one and for many."""
    sentences: Sentences = field(default_factory=lambda: Sentences({}, {}), repr=False, compare=False)

    def __call__(self, text: str, **values: object) -> str:
        """The text in this language, with the values in their places."""
        found = self.texts.get(text, (text,))[0] or text
        return found.format(**values) if values else found

    def told(self, text: str) -> str:
        """A sentence that was made in English, its values in it; as it is where nobody has translated it."""
        return self.sentences.told(text)

    def many(self, one: str, many: str, number: int, **values: object) -> str:
        """The text for one or for many; the number is `{n}`."""
        forms = self.texts.get(one) or (one, many)
        found = forms[0] if number == 1 else forms[-1]
        return found.format(n=self.number(number), **values)

    def number(self, value: float) -> str:
        """A whole number with its thousands apart."""
        return f"{value:,.0f}".replace(",", "." if self.code == "de" else ",")

    def points(self, value: float, places: int = 1, sign: bool = False) -> str:
        """Points as people write them."""
        text = f"{value:+.{places}f}" if sign else f"{value:.{places}f}"
        return text.replace(".", ",") if self.code == "de" else text


ENGLISH = Language("en")


@cache
def languages() -> Mapping[str, Language]:
    """All languages by their code."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    told: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(_FOLDER.glob("*.po")):
        code, _, part = file.stem.partition("-")
        entries = dict(read(file.read_text("utf-8")))
        if part in TOLD:
            told.setdefault(code, []).extend((text, forms[0]) for text, forms in entries.items())
        else:
            found.setdefault(code, {}).update(entries)
    return {"en": ENGLISH} | {
        code: Language(code, texts, Sentences.of(told.get(code, ()), texts, comma=code == "de"))
        for code, texts in found.items()
    }


def language(code: str) -> Language:
    """The language with this code; English when there is none."""
    return languages().get(code, ENGLISH)


def wished(accept_language: str) -> Language:
    """The language that a browser asks for (RFC 9110, section 12.5.4), as far as we speak it."""
    best, weight = ENGLISH, 0.0
    for piece in accept_language[:500].split(","):
        found = _WISH.fullmatch(piece.strip())
        if found is None or found[1].lower() not in languages():
            continue
        try:
            quality = float(found[2] or 1)
        except ValueError:
            continue
        if quality > weight:
            best, weight = languages()[found[1].lower()], quality
    return best


def read(catalogue: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(English, translations) of each entry of a .po file that is translated."""
    for block in re.split(r"\n\s*\n", catalogue):
        entry: dict[str, str] = {}
        keyword = ""
        for line in block.splitlines():
            found = _LINE.fullmatch(line.strip())
            if found is None:
                continue
            keyword = found[1] or keyword
            entry[keyword] = entry.get(keyword, "") + _unescaped(found[2])
        forms = [text for key, text in sorted(entry.items()) if key.startswith("msgstr")]
        if entry.get("msgid") and all(forms):
            yield entry["msgid"], tuple(forms)


def _unescaped(text: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), text)
