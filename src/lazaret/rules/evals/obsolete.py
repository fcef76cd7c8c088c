"""Functions that SpamAssassin itself keeps for old rule files only: they never hit."""

from lazaret.rules.evals import Subject, eval_function


def _never(_subject: Subject, *_arguments: str) -> int:
    return 0


for _name in ("check_for_illegal_ip", "check_for_unique_subject_id", "short_url_tests"):
    eval_function(_name)(_never)
