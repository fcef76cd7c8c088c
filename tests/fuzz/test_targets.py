"""The targets of fuzz/ on what is near their seeds: a short turn of what `make fuzz` does for hours."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from fuzz.targets import SEEDS, TARGETS

FOUND: list[tuple[str, bytes]] = [
    ("spamd", b"\x94CHECK SPAMC/1.6\r\nContent-length: 6\r\n\r\nhello and more than that, in two pieces"),
    ("rule_syntax", b"if 04\nmeta Y 007 > 1\nendif\n"),
    ("rule_syntax", "if \u0664\nmeta Y \u0664 > 1\nendif\n".encode()),
    ("rule_syntax", "if \u00b3\nmeta Y \u00b3 > 1\nendif\n".encode()),
    ("amavisd_conf", b"$sa_tag_level_deflt = '';\n@spam_kill_level_maps = (['x'], 'y');\n"),
    ("amavisd_conf", b"$sa_kill_level_deflt = 'high';\n$sa_quarantine_cutoff_level = '';\n"),
]
"""(target, octets) of what was found once, and is mended."""


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_of_each_target_are_fine(target: str):
    for seed in SEEDS[target]:
        TARGETS[target](seed)


@pytest.mark.parametrize(("target", "octets"), FOUND)
def test_what_was_found_stays_mended(target: str, octets: bytes):
    TARGETS[target](octets)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_near_a_seed_is_fine_as_well(target: str, data: st.DataObject):
    """Pieces of seeds in any order, with octets between them."""
    seed = b"".join(SEEDS[target])
    piece = st.tuples(st.integers(0, len(seed)), st.integers(0, 60)).map(lambda p: seed[p[0] : p[0] + p[1]])
    pieces = data.draw(st.lists(piece | st.binary(max_size=8), max_size=20))
    TARGETS[target](b"".join(pieces))
