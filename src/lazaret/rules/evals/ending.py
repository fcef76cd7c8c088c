"""The symbol that tells of an early end (Mail::SpamAssassin::Plugin::Shortcircuit)."""

from lazaret.rules.evals import Subject, eval_function


@eval_function("check_shortcircuit")
def shortcircuit(_subject: Subject) -> int:
    """Set afterwards, when it is known which rules hit."""
    return 0
