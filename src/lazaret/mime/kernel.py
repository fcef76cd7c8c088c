"""The compiled inner loops of reading mail (…_kernel.c), where they could be built."""

import importlib
import os
from typing import Any


def load(name: str, interface: int) -> Any:
    """The module; None where there is none, where it is another version's or LAZARET_KERNEL=0 forbids it."""
    if os.environ.get("LAZARET_KERNEL") == "0":
        return None
    try:
        module = importlib.import_module(f"lazaret.mime.{name}")
    except ImportError:
        return None
    return module if module.INTERFACE == interface else None


html = load("_html_kernel", 1)
"""None: HTML is read in Python, with the same results."""
text = load("_text_kernel", 1)
"""None: text is read in Python, with the same results."""
