"""Bounces of mail that really was ours (Mail::SpamAssassin::Plugin::VBounce)."""

import re

from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.globs import Globs

_IN_TEXT = re.compile(rb"[> ]*Received:", re.IGNORECASE)
_IN_MESSAGE = re.compile(rb"^[> ]*Received:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(rb"\s(\S+\.\S+)(?=\s)")
_BETWEEN_BLANKS = re.compile(rb" (\S+\.\S+)(?= )")


@eval_function("have_any_bounce_relays")
def have_bounce_relays(subject: Subject) -> int:
    """`welcomelist_bounce_relays` names the hosts over which our mail goes out."""
    return bool(subject.settings.once(_relays))


@eval_function("check_welcomelist_bounce_relays")
def over_our_relays(subject: Subject) -> str:
    """A message that is quoted or attached went out over one of them."""
    relays = subject.settings.once(_relays)
    if not relays:
        return ""
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
