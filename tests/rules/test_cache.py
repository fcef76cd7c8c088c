"""Compiled rules on disk."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet, load

MAIL = message.parse(b"Subject: s\n\nfoo bar\n")


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., tuple[RuleSet, int]]:
    """Loads the rules; how many expressions had to be compiled for it."""
    (tmp_path / "a.cf").write_text("body A /foo/\nbody B /b(?=ar)/\nscore B 2\n")

    def run(**more: object) -> tuple[RuleSet, int]:
        done: list[int] = []
        ruleset = load(
            [tmp_path / "a.cf"],
            shipped=False,
            cache_dir=tmp_path / "cache",
            progress=lambda n, _total: done.append(n),
            **more,  # type: ignore[arg-type]
        )
        return ruleset, len(done)

    return run


Loaded = Callable[..., tuple[RuleSet, int]]


def stored(tmp_path: Path) -> Path:
    return next((tmp_path / "cache").glob("*.rules"))


def test_the_second_start_compiles_nothing_and_finds_the_same(loaded: Loaded) -> None:
    first, compiled = loaded()
    second, compiled_again = loaded()
    assert (2, 0) == (compiled, compiled_again)
    assert first.evaluate(MAIL, 0) == second.evaluate(MAIL, 0)
    assert first.symbols == second.symbols


def test_what_is_stored_reads_no_expression_for_a_message(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("it was read again")

    loaded()
    stored_set, _ = loaded()
    monkeypatch.setattr("lazaret.rules.confirm.perl_regex.parse", read)
    assert ["A", "B"] == [name for name, _ in stored_set.evaluate(MAIL, 0).hits]


def test_a_change_of_rules_or_scores_is_compiled(loaded: Loaded, tmp_path: Path) -> None:
    loaded()
    assert 2 == loaded(overrides={"A": 3.0})[1]
    (tmp_path / "a.cf").write_text("body A /foo/\n")
    assert 1 == loaded()[1]


def test_only_its_owner_may_read_it(loaded: Loaded, tmp_path: Path) -> None:
    loaded()
    assert 0o600 == stat.S_IMODE(stored(tmp_path).stat().st_mode)
    assert 0o700 == stat.S_IMODE((tmp_path / "cache").stat().st_mode)
    assert [stored(tmp_path)] == list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_one_changed_octet_means_compiling_anew(loaded: Loaded, tmp_path: Path, place: int) -> None:
    loaded()
    octets = bytearray(stored(tmp_path).read_bytes())
    octets[place] ^= 1
    stored(tmp_path).write_bytes(octets)
    ruleset, compiled = loaded()
    assert 2 == compiled
    assert ["A", "B"] == [name for name, _ in ruleset.evaluate(MAIL, 0).hits]
    assert 0 == loaded()[1]


def test_half_a_file_means_compiling_anew(loaded: Loaded, tmp_path: Path) -> None:
    loaded()
    octets = stored(tmp_path).read_bytes()
    stored(tmp_path).write_bytes(octets[: len(octets) // 2])
    assert 2 == loaded()[1]


def test_old_files_go(loaded: Loaded, tmp_path: Path) -> None:
    for score in range(12):
        loaded(overrides={"A": float(score + 1)})
    assert len(list((tmp_path / "cache").iterdir())) < 8
