"""Compiled, text gives the lines, the pieces and the octets that it gives in Python."""

import random
from typing import Any

import pytest

from lazaret.mime import kernel, text, transfer, uri_finder

pytestmark = pytest.mark.skipif(not kernel.text, reason="the kernel is not compiled: gcc, python3-dev")

WORDS = [
    *(
        b" ",
        b"  ",
        b"\n",
        b"\n",
        b"\r\n",
        b"\n \n",
        b"\t",
        b"\v",
        b"\f",
        b"\x00",
        b"\xa0",
        b"\x1b",
        b"\x85",
        b"\x1c",
    ),
    *(
        b"word",
        b"W",
        b".",
        b"a.b",
        b"A.",
        b".\xe9",
        b"1.2",
        b"a.1",
        b"..",
        b"@",
        b"a@b.example",
        b"://",
        b":/",
        b"http:",
    ),
    *(
        b"=",
        b"==",
        b"=4",
        b"1",
        b"=41",
        b"=3d",
        b"=3D",
        b"=\n",
        b"=\r\n",
        b"= \n",
        b"=\t\r\n",
        b"=\r",
        b"=g1",
        b" =\n",
    ),
    *(b"<", b">", b"(", b")", b"x" * 30, b" x" * 20, b"\xff"),
]


def texts(count: int) -> list[bytes]:
    rng = random.Random(1)
    return [b"".join(rng.choices(WORDS, k=rng.randrange(20))) for _ in range(count)]


def test_lines_are_the_same() -> None:
    for octets in texts(10_000):
        prefix = octets[:3]
        expected = list(text._short_lines(prefix + text._paragraphs(octets)))
        assert expected == kernel.text.lines(prefix, octets, text._LINE_LIMIT), octets


def test_long_lines_are_cut_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (2, 3, 7, 20):
        monkeypatch.setattr(text, "_LINE_LIMIT", limit)
        for octets in texts(1_000):
            expected = list(text._short_lines(text._paragraphs(octets)))
            assert expected == kernel.text.lines(b"", octets, limit), (limit, octets)


@pytest.mark.parametrize("limit", [0, 5, uri_finder.PIECE_LIMIT])
def test_pieces_are_the_same(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uri_finder, "PIECE_LIMIT", limit)
    for octets in texts(5_000):
        expected = list(uri_finder._pieces(octets.lower()))
        assert expected == kernel.text.pieces(octets, uri_finder._BLANKS, limit), octets


def test_quoted_printable_is_the_same() -> None:
    for octets in texts(20_000):
        assert transfer._quoted_printable(octets) == kernel.text.quoted_printable(octets), octets


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("lines", ("", b"", 2048)),
        ("lines", (b"", b"a", 1)),
        ("pieces", (b"a", b"short", 5)),
        ("pieces", (b"a", bytes(256), -1)),
        ("quoted_printable", ("text",)),
        ("sentences", ([b"two words"],)),
        ("sentences", ((b"two words", "text"),)),
    ],
)
def test_what_makes_no_sense_is_refused(function: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        getattr(kernel.text, function)(*arguments)
