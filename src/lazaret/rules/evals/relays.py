"""Whose hands the message went through (Mail::SpamAssassin::Plugin::RelayEval)."""

from lazaret.rules.evals import Subject, eval_function


@eval_function("check_no_relays")
def no_relays(subject: Subject) -> int:
    """No hand-over is recorded."""
    relays = subject.message.relays
    return not relays.trusted and not relays.untrusted and not relays.unparseable


@eval_function("check_all_trusted")
def all_trusted(subject: Subject) -> int:
    """Every hand-over was to a host that we trust."""
    relays = subject.message.relays
    return bool(relays.trusted) and not relays.untrusted and not relays.unparseable


@eval_function("check_relays_unparseable")
def relays_unparseable(subject: Subject) -> int:
    """How many hand-overs cannot be read."""
    return subject.message.relays.unparseable
