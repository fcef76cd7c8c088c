"""Modules that are loaded when something of them is first asked for."""

import subprocess
import sys

import pytest

from lazaret.model.late import Late

LOADED = """
import sys
from lazaret.model.late import Late
late = Late("colorsys")
print("colorsys" in sys.modules, late.rgb_to_hsv(0, 0, 0), "colorsys" in sys.modules)
"""


def test_it_is_not_loaded_before_somebody_asks() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert "False (0.0, 0.0, 0) True\n" == done.stdout


def test_what_was_asked_for_is_kept() -> None:
    late = Late("colorsys")
    assert late.rgb_to_hsv is vars(late)["rgb_to_hsv"]


def test_what_it_lacks_is_missed_as_from_the_module() -> None:
    with pytest.raises(AttributeError, match="colorsys"):
        Late("colorsys").nothing  # noqa: B018
