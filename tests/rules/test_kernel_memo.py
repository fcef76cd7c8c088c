"""What the compiled kernel remembers of texts: they are not searched again, and that is all."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.rules import folding, kernel

from .kernels import find_first, finder, finders, needs_kernel, never, outset_of, run_with

SETTLED = 1
_LONG = 513
"""Octets of a text that is not remembered."""
_MOST = 1 << 20
"""Places for texts. Where there are few, two may have the same one: Python's hash decides, anew each time."""

Scan = Callable[..., None]


def _scan_for(*words: bytes, searched: list[bytes]) -> Scan:
    def scan(text: bytes, note: Any, *_: object) -> None:
        searched.append(text)
        for place, word in reversed([*enumerate(words)]):
            if word in text:
                note(place, 0, 1, 0, None)

    return scan


def _of_kinds(searched: list[bytes], confirm: Any, remembered: int) -> Any:
    """Finders of all kinds of texts, with two expressions each."""

    def group(first_rule: int, *words: bytes) -> tuple[object]:
        places = ((first_rule, SETTLED, 1), (first_rule + 1, 0, -1))
        return (finder(_scan_for(*words, searched=searched), places),)

    return kernel.compiled.Finders(
        group(0, b"a", b"b"),
        group(2, b"a", b"o"),
        group(4, b"&", b"\\"),
        group(6, b"A", b"B"),
        group(8, b"\xe9", b"a"),
        (),
        folding.TABLE,
        confirm,
        "",
        None,
        remembered,
    )


def _result(made: Any, left: list[object], texts: Sequence[bytes]) -> object:
    where: dict[int, bytes] = {}
    values = kernel.compiled.Values(outset_of((0.0,) * 10, (), ()), never, where)
    left.clear()
    made.over(run_with(values), texts)
    return values.hits(), where, [*left]


@needs_kernel
@given(
    st.lists(
        st.lists(st.sampled_from([b"", b"a", b"aB", b"A0-", b"&", b"b\\", b"\xe9a", b"o" * 600])), max_size=6
    )
)
def test_what_is_found_is_the_same_with_and_without(messages: list[list[bytes]]) -> None:
    left: list[object] = []
    searched: list[bytes] = []
    searched_always: list[bytes] = []

    def confirm(_run: object, candidate: object) -> None:
        left.append(candidate)

    always = _of_kinds(searched_always, confirm, 0)
    for remembered in (1, 2, 100):
        some = _of_kinds(searched, confirm, remembered)
        for texts in messages * 2:
            assert _result(always, left, texts) == _result(some, left, texts)
    assert len(searched) <= len(searched_always)


@needs_kernel
def test_a_text_that_came_before_is_not_searched_again() -> None:
    searched: list[bytes] = []
    scan = _scan_for(b"a", searched=searched)
    made = finders(finder(scan, ((0, SETTLED, 1),)), finder(scan, ((1, SETTLED, 1),)), remembered=_MOST)
    for texts in ((b"a", b"b"), (b"c", b"a"), (b"b", b"a")):
        values = kernel.compiled.Values(outset_of((0.0, 0.0), (), ()), never, where := {})
        made.over(run_with(values), texts)
        assert {"R0": 1, "R1": 1} == values.hits()
        assert {0: b"a", 1: b"a"} == where
    assert [b"a", b"b", b"a", b"b", b"c", b"c"] == searched


@needs_kernel
def test_long_texts_and_what_comes_late_in_a_message_are_searched_each_time() -> None:
    for texts, again in (
        ([b"a" * _LONG], 1),
        ([b"a" * (_LONG - 1)], 0),
        ([b"a"] * 300, 300 - 256),
    ):
        searched: list[bytes] = []
        made = finders(finder(_scan_for(b"a", searched=searched), ((0, SETTLED, 1),)), remembered=9)
        for _ in range(2):
            made.over(run_with(kernel.compiled.Values(outset_of((0.0,), (), ()), never, {})), texts)
        assert len(texts) + again == len(searched)


@needs_kernel
def test_a_text_in_which_much_is_found_is_searched_each_time() -> None:
    for count, again in ((47, 0), (48, 1)):
        searched: list[bytes] = []
        places = tuple((rule, SETTLED, 1) for rule in range(count))
        made = finders(finder(_scan_for(*[b"a"] * count, searched=searched), places), remembered=9)
        for _ in range(2):
            values = kernel.compiled.Values(outset_of((0.0,) * count, (), ()), never, {})
            made.over(run_with(values), (b"a",))
            assert count == len(values.hits())
        assert 1 + again == len(searched)


@needs_kernel
def test_nothing_is_remembered_of_a_search_that_failed() -> None:
    searched: list[bytes] = []
    scan = _scan_for(b"a", searched=searched)

    def fails(text: bytes, *rest: Any) -> None:
        scan(text, *rest)
        if len(searched) == 2:
            raise OSError("broken")

    made = finders(finder(fails, ((0, SETTLED, 1),)), remembered=9)
    values = kernel.compiled.Values(outset_of((0.0,), (), ()), never, {})
    with pytest.raises(OSError, match="broken"):
        made.over(run_with(values), (b"b", b"a"))
    made.over(run_with(values), (b"b", b"a"))
    assert [b"b", b"a", b"b", b"a"] == searched


@needs_kernel
def test_what_is_asked_for_meanwhile_may_take_the_place() -> None:
    """A hit may ask for a value for which the same field is searched."""
    made = finders(*(finder(find_first, ((rule, SETTLED, 1),)) for rule in (0, 1)), remembered=1)
    asked: list[int] = []

    def work_out(rule: int) -> None:
        asked.append(rule)
        within = kernel.compiled.Values(outset_of((0.0, 0.0), (), ()), never, {})
        for text in (b"other", b"another" * 20):
            made.over(run_with(within), (text,))

    for _ in range(3):
        where: dict[int, bytes] = {}
        values = kernel.compiled.Values(outset_of((0.0, 0.0), (0, 1), ()), work_out, where)
        made.over(run_with(values), (b"one", b"one"))
        assert {0: b"one", 1: b"one"} == where
    assert [0, 1] * 3 == asked


@needs_kernel
def test_a_number_of_texts_that_cannot_be_is_refused() -> None:
    for remembered in (-1, 1 << 40):
        with pytest.raises(ValueError, match="remembered"):
            finders(remembered=remembered)
