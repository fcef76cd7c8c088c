"""Texts in other languages: all there, with the same places for values, and chosen as the browser asks."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import lazaret
from lazaret.flow.tokens import SCOPES
from lazaret.model.language import Language, language, languages, read, wished
from lazaret.model.person import Role
from lazaret.model.quarantine import State
from lazaret.model.verdict import Action, Category
from lazaret.policy.settings import BESIDE, SETTINGS
from lazaret.web.account_pages import SCOPE_WORDS
from lazaret.web.acting import ACTS
from lazaret.web.overview_pages import SPANS
from lazaret.web.plots import BECAME
from lazaret.web.search_pages import FILTERS, HISTORY_STATES
from lazaret.web.visit import MENU

SOURCE = Path(lazaret.__file__).parent
_TEXT = r"""(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')"""
_ONE = re.compile(rf"(?<!\w)(?:_|say|language|visit\.language)\(\s*{_TEXT}\s*[,)]")
_TWO = re.compile(rf"(?<!\w)(?:_n|(?:say|language)\.many)\(\s*{_TEXT},\s*{_TEXT}")


def texts():
    """Every text that is written in a template or in code, and the words that are looked up by value."""
    found = set()
    for file in [*SOURCE.rglob("*.html"), *(SOURCE / "web").rglob("*.py"), SOURCE / "flow/lists.py"]:
        content = file.read_text()
        found |= {one or other for one, other in _ONE.findall(content)}
        found |= {one or other for one, other, *_ in _TWO.findall(content)}
    words = [*State, *(c.word for c in Category), *Action, *Role, *SPANS, *HISTORY_STATES]
    words += [label for _, label, _ in MENU]
    words += [label for label, _, _ in FILTERS] + [value for _, _, values in FILTERS for value in values]
    words += ["sent", "claimed", "mark", "kill", "killed", "marked", "quarantine"]
    words += [setting.text for setting in SETTINGS.values()] + list(BESIDE.values())
    words += [*SCOPE_WORDS.values(), *BECAME.values()]
    assert set(SCOPE_WORDS) == set(SCOPES)
    return sorted(found | set(map(str, words)))


def test_there_are_texts_to_be_found():
    assert {"Sign in", "{n} message", "There is no such message.", "quarantined"} <= set(texts())
    assert len(ACTS) > 3


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_text_is_translated(code):
    assert [] == [text for text in texts() if text not in language(code).texts]


PEOPLE_READ = [
    *(f"flow/{name}.py" for name in ("passkeys", "tokens", "login", "second_factor", "quarantine", "visit")),
    *(f"flow/{name}.py" for name in ("simulate", "lists", "digest", "policy_desk")),
    *("policy/settings.py", "policy/keys.py"),
    *(
        f"store/{name}.py"
        for name in ("policy_tables", "passkeys", "listing", "searches", "people", "tokens", "keys")
    ),
    *(f"store/{name}.py" for name in ("query", "search", "values", "reader")),
    *(str(file.relative_to(SOURCE)) for file in (SOURCE / "web").glob("*.py")),
]
"""Where an error is raised that a page shows."""
ERRORS = {"UserError", "QueryError", "ValueError", "Unfit", "wrong", "NotAllowed", "__init__"}
NOT_SHOWN = {"a password has from Zz9 to Zz9 characters for PBKDF2"}


def raised():
    """The sentence of each error, with a word of no language in each of its places."""
    for name in PEOPLE_READ:
        for node in ast.walk(ast.parse((SOURCE / name).read_text())):
            if isinstance(node, ast.Call) and node.args and called(node.func) in ERRORS:
                text = filled(node.args[0])
                if re.search(r"[a-z]{2}", text.replace("Zz9", "")):
                    yield text


def called(function):
    return getattr(function, "id", getattr(function, "attr", ""))


def filled(node):
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(filled(one) for one in node.values)
    if isinstance(node, ast.BinOp):
        return filled(node.left) + filled(node.right)
    return "Zz9"


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_error_that_a_page_shows_is_translated(code):
    found = sorted(set(raised()))

    assert 60 < len(found)
    assert [] == [text for text in found if language(code).told(text) == text]


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_rule_that_comes_along_says_what_it_found_in_every_language(code):
    said = [
        line.split(None, 2)[2].strip()
        for file in (SOURCE / "rules/data").glob("*.cf")
        for line in file.read_text().splitlines()
        if line.startswith("describe ")
    ]

    assert 200 < len(said)
    assert [] == [text for text in said if language(code).told(text) == text]


def test_what_nobody_has_translated_stays_as_it_is():
    assert "HTML: very short" == language("de").told("HTML: very short")
    assert "a password has from 1 to 2 characters" == language("en").told(
        "a password has from 1 to 2 characters"
    )


NAMES = {"Lazaret", "Message-ID", "SHA-256", "ms", "Europe/Berlin"}


@pytest.mark.parametrize(
    "file", sorted((SOURCE / "web/templates").glob("*.html")), ids=lambda file: file.name
)
def test_no_template_has_words_that_nobody_can_translate(file):
    content = re.sub(r"\{#.*?#\}", "", file.read_text(), flags=re.S)
    said = re.findall(r'(?:placeholder|aria-label|title|alt)="([^"{]*)"', content)
    content = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<(code|kbd|style|script)\b.*?</\1>", "", content, flags=re.S)
    said += re.sub(r"<[^>]*>", "\n", content).split("\n")
    words = {word.strip("–:,. ") for line in said for word in line.split()}
    # An address is an example, the same in every language.
    wrong = {w for w in words - NAMES if re.search(r"[^\W\d_]{2}", w) and not re.search(r"[@.]", w)}

    assert set() == wrong


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_a_translation_has_the_same_places_for_values(code):
    for text, forms in language(code).texts.items():
        wanted = places(text) - {"n"}
        for form in forms:
            assert wanted == places(form) - {"n"}, (text, form)


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("en, de;q=0.9", "en"),
        ("fr, de;q=0.4, en;q=0.8", "en"),
        ("", "en"),
        ("*", "en"),
        ("de;q=nonsense", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_a_browser_gets_what_it_asks_for_as_far_as_we_speak_it(asked, code):
    assert code == wished(asked).code


def test_a_catalogue_is_read_as_gettext_writes_it():
    entries = read(
        '#: somewhere\nmsgid "a \\"b\\""\nmsgstr ""\n"ä "\n"\\"c\\""\n\n'
        'msgid "{n} x"\nmsgid_plural "{n} xs"\nmsgstr[0] "eins"\nmsgstr[1] "{n} viele"\n\n'
        'msgid "not yet"\nmsgstr ""\n'
    )

    assert {'a "b"': ('ä "c"',), "{n} x": ("eins", "{n} viele")} == dict(entries)


def test_numbers_are_written_as_the_reader_writes_them():
    german = Language("de", {"{n} x": ("{n} Ix", "{n} Ixe")})

    assert ("1,234", "1.234") == (Language("en").number(1234), german.number(1234))
    assert ("6.5", "6,5", "+0,30") == (
        Language("en").points(6.5),
        german.points(6.5),
        german.points(0.3, 2, True),
    )
    assert ("1 Ix", "1.000 Ixe") == (german.many("{n} x", "{n} xs", 1), german.many("{n} x", "{n} xs", 1000))
    assert "2 xs" == Language("en").many("{n} x", "{n} xs", 2)
