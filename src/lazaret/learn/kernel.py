"""The compiled inner loop of the features (kernel.c), where it could be built."""

import os
from typing import Any

INTERFACE = 2


def _load() -> Any:
    """The module; None where there is none, where it is another version's or LAZARET_KERNEL=0 forbids it."""
    if os.environ.get("LAZARET_KERNEL") == "0":
        return None
    try:
        from lazaret.learn import _kernel  # type: ignore[attr-defined]
    except ImportError:
        return None
    return _kernel if _kernel.INTERFACE == INTERFACE else None


compiled = _load()
"""None: everything runs in Python, with the same results."""
