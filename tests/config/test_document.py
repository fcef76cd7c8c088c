"""The options written out: they must be all, and they must be true."""

import tomllib
from pathlib import Path

from lazaret.config.document import default_file, page
from lazaret.config.options import CHECK_OPTIONS, OPTIONS

REPOSITORY = Path(__file__).parents[2]


def test_the_default_file_changes_nothing(read):
    assert read("") == read(default_file())


def test_the_default_file_has_every_option():
    table = tomllib.loads(default_file())
    paths = {(k,) for k, v in table.items() if not isinstance(v, dict)}
    paths |= {(s, k) for s, v in table.items() if isinstance(v, dict) for k in v}

    assert set(OPTIONS) == paths


def test_the_default_file_shows_how_a_check_is_configured():
    shown = "\n".join(["# [checks.NAME]", *(f"# {name} = " for name in CHECK_OPTIONS)])

    assert shown in default_file()


def test_the_default_file_fits_a_terminal():
    assert 100 >= max(map(len, default_file().splitlines()))


def test_the_page_of_the_manual_is_the_one_that_the_options_give():
    """`make docs` writes it."""
    assert page() == (REPOSITORY / "docs" / "configuration.md").read_text()


def test_the_example_configuration_is_valid(read):
    assert read((REPOSITORY / "examples" / "lazaret.toml").read_text())
