"""A module that is loaded when something of it is first asked for.

Python does as much work for `from module import name` inside a function, each time that it comes by, as
for many a view of a message: it asks whether the module is a package, and makes an error of the answer.
"""

from importlib import import_module
from typing import Any


class Late:
    """Stands for the module; what was asked of it once is an attribute from then on."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._module), name)
        setattr(self, name, value)
        return value
