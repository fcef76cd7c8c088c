"""Bounces of mail that really was ours (Mail::SpamAssassin::Plugin::VBounce)."""

import re
from collections.abc import Callable

from lazaret.rules.evals import Settings, Subject, Test, eval_test
from lazaret.rules.evals.globs import Globs

_IN_TEXT = re.compile(rb"[> ]*Received:", re.IGNORECASE)
_IN_MESSAGE = re.compile(rb"^[> ]*Received:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(rb"\s(\S+\.\S+)(?=\s)")
_BETWEEN_BLANKS = re.compile(rb" (\S+\.\S+)(?= )")


@eval_test("have_any_bounce_relays")
def have_bounce_relays(settings: Settings) -> Test | None:
    """`welcomelist_bounce_relays` names the hosts over which our mail goes out."""
    return (lambda _subject: 1) if settings.once(_relays) else None


@eval_test("check_welcomelist_bounce_relays")
def over_our_relays(settings: Settings) -> Callable[[Subject], str] | None:
    """A message that is quoted or attached went out over one of them."""
    relays = settings.once(_relays)
    return (lambda subject: _relay_in(subject, relays)) if relays else None


def _relay_in(subject: Subject, relays: Globs) -> str:
    for line in subject.message.body:
        if _IN_TEXT.match(line):
            for word in _BETWEEN_BLANKS.findall(line):
                if word.decode("utf-8", "replace") in relays:
                    return str(word.decode("utf-8", "replace"))
    body = subject.message.raw[subject.message.header.body_start :]
    for field in _IN_MESSAGE.findall(body):
        for word in _WORD.findall(field + b"\n"):
            if word.decode("utf-8", "replace") in relays:
                return str(word.decode("utf-8", "replace"))
    return ""


def _relays(settings: Settings) -> Globs:
    return Globs(settings.words("welcomelist_bounce_relays"))
