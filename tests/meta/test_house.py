"""What a machine can hold of the rules of the house: names, docstrings, changelog, forbidden words."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted((REPOSITORY / "src" / "lazaret").rglob("*.py"))

NAMES_FOR_NOTHING = {
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "manager",
    "misc",
    "shared",
    "util",
    "utils",
}
"""A module of such a name tells no reader what is in it, so everything comes to lie there."""

MACHINE_WORDS = re.compile(
    r"/wor[k]/|/far[m]/|\.librar[y]/|pyth[o]nhosted|py[p]i\.or[g]|registry\.npm[j]s|deb\.de[b]ian"
)
"""Paths of one machine, and hosts that packages come from: nobody else's tree has them."""


def tracked_files() -> list[Path]:
    """The files under version control; skips where there is no git."""
    try:
        names = subprocess.run(
            ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [REPOSITORY / name for name in names.decode().split("\0") if name]


def test_no_module_has_a_name_that_says_nothing():
    assert [] == [m for m in MODULES if NAMES_FOR_NOTHING & {m.stem, m.parent.name}]


def test_every_module_says_what_it_is_for():
    """One sentence at its top: what a reader would ask."""
    without = [m for m in MODULES if not (ast.get_docstring(ast.parse(m.read_bytes())) or "").strip()]

    assert [] == without


def test_the_changelog_has_an_entry_for_this_version():
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

    assert f"\n## [{version}]" in (REPOSITORY / "CHANGELOG.md").read_text()


def test_no_file_names_a_machine_or_a_download_host():
    found = []
    for file in tracked_files():
        if not file.is_file():
            continue
        text = file.read_bytes().decode("utf-8", "replace")
        found += [f"{file.relative_to(REPOSITORY)}: {m[0]}" for m in MACHINE_WORDS.finditer(text)]

    assert [] == found


def test_locked_requirements_name_no_source():
    """Where packages come from is the affair of whoever installs them."""
    for name in ("requirements-build.txt", "requirements.txt", "requirements-dev.txt"):
        text = (REPOSITORY / name).read_text()

        assert [] == re.findall(r"^\s*-.*|https?://\S+", text.replace("    --hash", ""), re.MULTILINE), name
        assert "--hash=sha256:" in text


def test_every_link_of_the_pages_leads_to_a_file():
    """Links within the tree; what stands elsewhere is not ours to keep."""
    broken = []
    for page in (f for f in tracked_files() if f.suffix == ".md" and f.is_file()):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(REPOSITORY)}: {target}")

    assert [] == broken
