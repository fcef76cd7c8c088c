"""Words as the full-text indexes of servers take them: ASCII, each with the letter of its column.

MariaDB leaves out words of fewer than three characters and a list of English ones, and has its own idea of
what a letter is; PostgreSQL knows four kinds of columns. With `b_` before each word of the body, and what is
not ASCII written in hexadecimal, neither matters, and a search in one column reads nothing of the others.
All is in lower case: where MariaDB makes an index anew it takes words so, whatever it does with new rows.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence

from lazaret.store.dialect import COLUMNS

_LETTERS = dict(zip(COLUMNS, "sftba", strict=True))
_MAX = 80
"""MariaDB leaves out words of more than 84 characters, unless it is set otherwise."""
_PLAIN = re.compile(r"[a-z0-9]*")


def token(column: str, word: str) -> str:
    """`b_invoice`. What would be too long is the hash of it."""
    return f"{_LETTERS[column]}_{_ascii(word)}"


def tokens(columns: Sequence[str]) -> Iterator[str]:
    """All words of a message; each of the columns has words with blanks between them."""
    for column, text in zip(COLUMNS, columns, strict=True):
        letter = _LETTERS[column] + "_"
        for word in text.split(" ") if text else ():
            yield letter + (word if word.isascii() else _ascii(word))


def _ascii(word: str) -> str:
    """The word itself, or `_` and its octets, as no word has that in it: what begins alike stays alike."""
    if _PLAIN.fullmatch(word):
        return word
    octets = word.encode("utf-8", "replace")
    if 2 * len(octets) > _MAX:
        return "_y" + hashlib.blake2b(octets, digest_size=16).hexdigest()
    return "_" + octets.hex()
