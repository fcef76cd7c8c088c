"""Subjects on a list (Mail::SpamAssassin::Plugin::WelcomeListSubject): part of a line with `*` and `?`."""

import re
from collections.abc import Callable

from lazaret.rules.evals import Settings, Subject, eval_test


def _text(subject: Subject) -> str:
    return subject.text("Subject").lower()


@eval_test("check_subject_in_welcomelist", of=_text)
def subject_in_welcomelist(settings: Settings) -> Callable[[str], bool] | None:
    return _listed(settings.lines("welcomelist_subject"))


@eval_test("check_subject_in_blocklist", of=_text)
def subject_in_blocklist(settings: Settings) -> Callable[[str], bool] | None:
    return _listed(settings.lines("blocklist_subject"))


def _listed(lines: tuple[str, ...]) -> Callable[[str], bool] | None:
    entries = [_spelled(line.lower()) for line in lines if line]
    if not entries:
        return None
    pattern = re.compile("|".join(entries))
    return lambda text: pattern.search(text) is not None


def _spelled(entry: str) -> str:
    return re.escape(re.sub(r"\*+", "*", entry)).replace(r"\*", ".*").replace(r"\?", ".")
