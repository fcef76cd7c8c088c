"""What the plug-ins know of a message besides what rules ask: fields that it does not bear, more URIs."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from lazaret.rules import evals
from lazaret.rules.evals import Subject
from lazaret.rules.views import HeaderValues

_log = logging.getLogger(__name__)
T = TypeVar("T")


def introduce(subject: Subject, headers: HeaderValues) -> None:
    """Lets rules see it: before they look at the message."""
    headers.beside = lambda name: _asked(partial(evals.field_of, selector=name), subject)
    found = _asked(evals.uris_of, subject)
    if found:
        subject.message.know_uris(found)


def _asked(ask: Callable[[Subject], T], subject: Subject) -> T | None:
    """None when the plug-in fails, as for eval functions."""
    try:
        return ask(subject)
    except Exception:
        _log.exception("a plug-in failed")
        return None
