"""Python before 3.11.5 (Debian 12 has 3.11.2) misreads possessive quantifiers behind a group: `(?:ab?c)*+`.

`(?>(?:ab?c)*)` means the same and is matched rightly.
"""

import re
import tokenize
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
AFTER_GROUP = re.compile(r"(?<![\\(])\)(?:[*+?]|\{\d*,?\d*\})\+")


def found_in(text: str) -> list[str]:
    """A closing parenthesis in a class of octets is none: `[()]*+`."""
    return AFTER_GROUP.findall(re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "_", text))


def test_the_search_finds_what_it_should() -> None:
    assert found_in(r"(?:ab?c)*+")
    assert found_in(r"(a|b){2,}+")
    assert not found_in(r"(?>(?:ab?c)*)[()]*+\)?+")


def test_no_expression_has_a_possessive_group() -> None:
    places = []
    for path in sorted(SOURCE.rglob("*.py")):
        with tokenize.open(path) as file:
            strings = [t for t in tokenize.generate_tokens(file.readline) if t.type == tokenize.STRING]
        places += [f"{path.name}:{t.start[0]}" for t in strings if found_in(t.string)]
    assert [] == places
