"""Subjects on a list (Mail::SpamAssassin::Plugin::WelcomeListSubject): part of a line with `*` and `?`."""

import re

from lazaret.rules.evals import Settings, Subject, eval_function


@eval_function("check_subject_in_welcomelist")
def subject_in_welcomelist(subject: Subject) -> int:
    return _holds(subject, "welcomelist_subject")


@eval_function("check_subject_in_blocklist")
def subject_in_blocklist(subject: Subject) -> int:
    return _holds(subject, "blocklist_subject")


def _holds(subject: Subject, word: str) -> bool:
    pattern = subject.settings.once(_patterns).get(word)
    text = subject.header("Subject").decode("utf-8", "replace").lower()
    return pattern is not None and pattern.search(text) is not None


def _patterns(settings: Settings) -> dict[str, re.Pattern[str]]:
    patterns = {}
    for word in ("welcomelist_subject", "blocklist_subject"):
        entries = [_spelled(line.lower()) for line in settings.lines(word) if line]
        if entries:
            patterns[word] = re.compile("|".join(entries))
    return patterns


def _spelled(entry: str) -> str:
    return re.escape(re.sub(r"\*+", "*", entry)).replace(r"\*", ".*").replace(r"\?", ".")
