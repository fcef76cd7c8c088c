"""Functions that rules call by name (`header X eval:check_for_…()`): one file per topic.

A function takes the Subject and the arguments of the rule, as text. It gives 0 or "" for no hit; a number is
the value of the rule; a text is a hit, with that text shown to people. To add one, write it in any file here.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache

from lazaret.rules.evals.subject import Settings, Subject

__all__ = ["Answer", "Settings", "Subject", "eval_function", "functions"]

Answer = float | str
EvalFunction = Callable[..., Answer]

_registered: dict[str, EvalFunction] = {}


def eval_function(name: str) -> Callable[[EvalFunction], EvalFunction]:
    """Makes a function known to rules as `eval:name()`."""

    def register(function: EvalFunction) -> EvalFunction:
        if name in _registered:
            raise ValueError(f"two eval functions are called {name}")
        _registered[name] = function
        return function

    return register


@cache
def functions() -> Mapping[str, EvalFunction]:
    """Every eval function by name; the files of this folder are imported for it."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _registered
