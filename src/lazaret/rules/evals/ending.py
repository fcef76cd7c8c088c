"""The symbol that tells of an early end (Mail::SpamAssassin::Plugin::Shortcircuit)."""

from lazaret.rules.evals import Settings, eval_test


@eval_test("check_shortcircuit")
def shortcircuit(_settings: Settings) -> None:
    """Set afterwards, when it is known which rules hit."""
