"""Parts of the compiled kernel, made as small as a test needs them."""

from types import SimpleNamespace
from typing import Any

import pytest

from lazaret.rules import folding, kernel, metas

needs_kernel = pytest.mark.skipif(not kernel.compiled, reason="the kernel is not compiled: gcc, python3-dev")


def outset_of(
    first: tuple[float, ...],
    waiting: tuple[int, ...],
    rules: tuple[int, ...],
    source: str = "0",
    asked: Any = (),
    failed: Any = None,
) -> Any:
    return kernel.compiled.Outset(
        names=tuple(f"R{n}" for n in range(len(first))),
        first=first,
        waiting=waiting,
        kept=(),
        metas=rules,
        listed=(),
        concerned=((),) * len(first),
        asked=asked,
        failed=failed,
        make_code=lambda rule: kernel.code(source) or metas.compiled(source),
        evaluate=metas.evaluate,
    )


def never(rule: int) -> None:
    raise AssertionError(f"nobody may ask for {rule}")


def finder(scan: object, places: tuple[tuple[int, int, int], ...], alone: tuple[int, ...] = ()) -> Any:
    """Without expressions: Python is to confirm everything."""
    return kernel.compiled.Finder(scan, None, places, alone, None, lambda _place: None)


def finders(
    *each: object,
    at_first: tuple[tuple[int, int], ...] = (),
    confirm: Any = never,
    read: Any = never,
    remembered: int = 0,
) -> Any:
    return kernel.compiled.Finders(
        each, (), (), (), (), at_first, folding.TABLE, confirm, "X", read, remembered
    )


def run_with(found: object) -> object:
    return SimpleNamespace(values=found)


def find_first(_text: bytes, note: Any, *_: object) -> None:
    note(0, 0, 1, 0, None)
