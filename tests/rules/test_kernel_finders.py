"""Finders and matchers of the compiled kernel: what they confirm, count and refuse."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.mime import message
from lazaret.rules import kernel
from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm
from lazaret.rules.run import DeadlineError
from lazaret.rules.views import HeaderValues

from .kernels import find_first, finder, finders, needs_kernel, never, outset_of, run_with


@needs_kernel
def test_a_search_within_a_search_disturbs_nothing() -> None:
    """A hit may ask for a value for which the same field is searched."""
    texts = (b"first", b"second")

    def scan(text: bytes, note: Any, _flags: int, _context: object, _scratch: object) -> None:
        for place in (1, 0, 1) if text == b"first" else (2,):
            note(place, 0, 1, 0, None)

    group = finder(scan, ((0, SETTLED, 1), (1, 0, 1), (2, 0, 1)))

    def work_out(_rule: int) -> None:
        assert [2] == group.find(b"second")

    where: dict[int, bytes] = {}
    found = kernel.compiled.Values(outset_of((0.0, 0.0, 0.0), (0,), ()), work_out, where)
    left: list[object] = []
    finders(group, confirm=lambda _run, candidate: left.append(candidate)).over(run_with(found), texts)
    assert [(None, 1, [b"first"], 0), (None, 2, [b"second"], 1)] == left
    assert {0: b"first"} == where
    assert {"R0": 1} == found.hits()


SETTLED = 1


@needs_kernel
def test_what_is_no_text_of_a_run_is_refused() -> None:
    found = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    for run, texts in ((run_with(found), ("x",)), (run_with(found), None), (run_with({}), ()), (found, ())):
        with pytest.raises((TypeError, AttributeError)):
            finders().over(run, texts)


@needs_kernel
def test_a_field_is_read_once_and_searched_if_it_is_there() -> None:
    values = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    for known, read, beside, expected in (
        ({}, b"read", None, [b"read"]),
        ({"X": b"known"}, b"read", None, [b"known"]),
        ({"X": None}, b"read", None, []),
        ({}, None, b"beside", [b"beside"]),
        ({}, None, None, []),
    ):
        scanned: list[bytes] = []
        headers = HeaderValues(message.parse(b""))
        headers.update(known)
        headers.beside = lambda _selector, beside=beside: beside  # type: ignore[misc]
        group = finder(lambda text, *_, scanned=scanned: scanned.append(text), ())
        run = SimpleNamespace(values=values, headers=headers, message=None)
        finders(group, read=lambda _message, read=read: read).in_field(run)
        assert expected == scanned
        assert {"X": expected[0] if expected else None} == headers


@needs_kernel
def test_what_is_no_field_of_a_run_is_refused() -> None:
    values = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    for run in (
        None,
        SimpleNamespace(values=values, headers=None, message=None),
        SimpleNamespace(values=values, headers={"X": "text"}, message=None),
        SimpleNamespace(values=None, headers={"X": b"octets"}, message=None),
    ):
        with pytest.raises((TypeError, AttributeError)):
            finders().in_field(run)
    nothing_there = SimpleNamespace(values=values, headers={}, message=None)
    with pytest.raises(KeyError):
        finders(read=lambda _message: None).in_field(nothing_there)


@needs_kernel
def test_a_failed_confirmation_comes_through() -> None:
    def fail(_run: object, _candidate: object) -> None:
        raise DeadlineError

    found = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    with pytest.raises(DeadlineError):
        finders(finder(find_first, ((0, 0, 1),)), confirm=fail).over(run_with(found), [b"x"])


@needs_kernel
def test_a_search_looks_at_the_clock_when_its_time_is_over() -> None:
    looks: list[int] = []
    groups = finders(finder(lambda *_: None, ()))
    for deadline, expected in ((time.perf_counter() + 1000, 0), (0, 3)):
        found = kernel.compiled.Values(
            outset_of((0.0,), (), ()), never, {}, set(), lambda: looks.append(1), deadline
        )
        groups.over(run_with(found), (b"x",) * 100)
        assert expected == len(looks)


@needs_kernel
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [b"a", b"a*", b"", b"(?<=a)b|$", b"^a?", b"[ab]", b"[\\x80-\\xff]", b"(?:a|\\xc3[\\xa4])", b"a\\Kb|b"]
    ),
    st.lists(st.sampled_from([b"a", b"b", b"\n", b"\xc3\xa4", b"-"]), max_size=12).map(b"".join),
    st.sampled_from([None, 1, 2, 5]),
)
def test_it_counts_as_python_does(source: bytes, text: bytes, most: int | None) -> None:
    confirm = Confirm(Regex(source, ""))
    matcher: Any = confirm.matcher(counts=True)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    found = matcher.count(text, -1 if most is None else most)
    assert found in (None, confirm.count(text, most))
    assert found is not None or b"K" in source


@needs_kernel
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"b", b"a*", b"", b"(?<=a)b|$", b"a(?=b)", b"(b)(?<x>-)?", b"a\\Kb", b"(?=a\\K)"]),
    st.lists(st.sampled_from([b"a", b"b", b"\n", b"\xc3\xa4", b"-"]), max_size=12).map(b"".join),
)
def test_the_first_match_is_that_of_python(source: bytes, text: bytes) -> None:
    confirm = Confirm(Regex(source, ""))
    matcher = confirm.matcher(counts=False)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    found = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: matcher).first(0, text)
    assert found == confirm.first(text) or (found is None and b"K" in source)


@needs_kernel
def test_a_first_match_is_asked_of_an_expression_that_exists_and_in_octets() -> None:
    group = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: None)
    assert group.first(0, b"a") is None
    for place in (-1, 1, 1 << 70):
        with pytest.raises(IndexError):
            group.first(place, b"a")
    with pytest.raises(TypeError):
        group.first(0, "a")
    with pytest.raises(TypeError):
        group.first(0)


@needs_kernel
def test_what_takes_too_many_steps_is_left_to_python() -> None:
    matcher: Any = Confirm(Regex(rb"^(?:a+)+[bc]$", "")).matcher(counts=False)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    assert matcher.count(b"a" * 5000, 1) is None
    group = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: matcher)
    assert group.first(0, b"a" * 5000) is None
    with pytest.raises(ValueError, match="PCRE2"):
        kernel.compiled.Matcher(b"(", None, None)


@needs_kernel
def test_all_matchers_are_made_beforehand() -> None:
    asked: list[int] = []
    settled, put_off, exact, by_python = 1, 2, 32, 64
    places = tuple((rule, flag, 1) for rule, flag in enumerate((0, settled, put_off, exact, by_python)))
    group = kernel.compiled.Finder(None, None, places, (), None, asked.append)
    group.make_ready()
    group.make_ready()
    assert asked == [0, 1, 2, 3]

    def fails(_place: int) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        kernel.compiled.Finder(None, None, places, (), None, fails).make_ready()


@needs_kernel
@pytest.mark.parametrize("fold", [b"", bytes(255)])
def test_a_table_of_another_size_is_refused(fold: bytes) -> None:
    with pytest.raises(ValueError, match="fold"):
        kernel.compiled.Finders((), (), (), (), (), (), fold, never, "", None, 0)
