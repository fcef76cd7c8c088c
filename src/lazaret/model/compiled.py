"""Compiled inner loops (…kernel.c of a room), where they could be built."""

import importlib
import os
from typing import Any


def load(module: str, interface: int) -> Any:
    """The module; None where there is none, where it is another version's or LAZARET_KERNEL=0 forbids it.

    Without it everything runs in Python, with the same results.
    """
    if os.environ.get("LAZARET_KERNEL") == "0":
        return None
    try:
        found = importlib.import_module(module)
    except ImportError:
        return None
    return found if found.INTERFACE == interface else None
