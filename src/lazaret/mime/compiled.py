"""The compiled inner loops of this room (*kernel.c), where they could be built."""

import importlib
import os
from typing import Any


def load(name: str, interface: int) -> Any:
    """The module; None where there is none, where it is another version's or LAZARET_KERNEL=0 forbids it.

    Without it everything runs in Python, with the same results.
    """
    if os.environ.get("LAZARET_KERNEL") == "0":
        return None
    try:
        module = importlib.import_module(f"lazaret.mime.{name}")
    except ImportError:
        return None
    return module if module.INTERFACE == interface else None
