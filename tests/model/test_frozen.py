"""What dataclasses of which no field is set again have in common with `@dataclass(frozen=True)`."""

import pickle
from dataclasses import field, replace

import pytest

from lazaret.model.frozen import frozen


@frozen
class Pair:
    """For the tests."""

    left: str
    right: tuple[int, ...] = ()
    notes: dict[str, int] = field(default_factory=dict, compare=False)


def test_it_compares_and_hashes_by_its_fields() -> None:
    assert Pair("a", (1,), {"n": 1}) == Pair("a", (1,), {"n": 2}) != Pair("b", (1,))
    assert {Pair("a", (1,)): 1}[Pair("a", (1,))] == 1


def test_it_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Pair("a").other = 1  # type: ignore[attr-defined]


def test_it_can_be_copied_with_other_values_and_handed_to_another_process() -> None:
    pair = replace(Pair("a"), right=(2,))
    assert Pair("a", (2,)) == pair == pickle.loads(pickle.dumps(pair))
    assert repr(pair).endswith("Pair(left='a', right=(2,), notes={})")
