"""A tree spelled out matches what the expression matched, octet for octet."""

import re

import hyperscan
import pytest

from lazaret.rules.perl_regex import parse
from lazaret.rules.spelling import is_caseless, spell


@pytest.mark.parametrize(
    "source",
    [
        rb"\w",
        rb"\W",
        rb"[^a]",
        rb"[^\n]",
        rb"(?i)[^k-m]",
        rb"(?i)q",
        rb"[\x80-\xff]",
        rb"[\]\-^!]",
        rb"\s",
        rb"(?s).",
    ],
)
def test_every_octet_matches_that_matched_before(source: bytes) -> None:
    node = parse(source)
    caseless = is_caseless(node)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_SINGLEMATCH | (hyperscan.HS_FLAG_CASELESS if caseless else 0)
    text = spell(node, caseless=caseless)
    database.compile(expressions=[b"^" + text], ids=[1], elements=1, flags=[flags])
    for octet in map(bytes, zip(range(256), strict=True)):
        found: list[int] = []
        database.scan(octet, lambda number, *_, found=found: found.append(number))
        assert bool(re.match(source, octet)) == bool(found), octet
