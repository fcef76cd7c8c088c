"""What a generation of children works with, and how the next one comes about, all or nothing."""

import logging
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon import logs, sockets
from lazaret.daemon.smtp import SHUTTING_DOWN
from lazaret.daemon.sockets import Listener
from lazaret.model.envelope import Role
from lazaret.model.errors import UserError
from lazaret.rules.ruleset import RuleSet
from lazaret.wire.replies import encode

log = logging.getLogger("lazaret.supervisor")

SHOWN_PROBLEMS = 20
EX_NOINPUT = 66


@dataclass(slots=True)
class State:
    """What a generation of children works with."""

    config: Config
    ruleset: RuleSet
    listeners: Sequence[Listener]
    number: int = 0
    retired: Sequence[Listener] = field(default_factory=list)
    """Sockets that only older generations still use."""


def renewed(old: State, config: Config, ruleset: RuleSet) -> State:
    """The next one. All that can fail does so here, before anything is changed; LazaretError."""
    for problem in ruleset.problems:
        if not problem.line:
            raise UserError(f"{problem.file}: {problem.text}", EX_NOINPUT)
    ruleset.make_ready()
    try_store(old.config, config)
    listeners = sockets.bind_all(config, old.listeners)
    try:
        sockets.listen(listeners)
        logs.set_up(config)
    except BaseException:
        sockets.close(listeners, but=old.listeners)
        raise
    retired = [i for i in (*old.retired, *old.listeners) if i not in listeners]
    return State(config, ruleset, listeners, old.number + 1, retired)


def try_store(old: Config, config: Config) -> None:
    """Opens the database of a reload; a new one is made only where the configuration names a new place.

    One that was there and is gone, as on a disk that is not mounted, would be made anew, and what was kept in
    the new one is lost to sight when the old one is back. UserError, StoreUnavailable.
    """
    moved = (config.store.url, config.store.data_dir) != (old.store.url, old.store.data_dir)
    app.open_store(config, create=moved).close()


def turn_away(listeners: Iterable[Listener], *, but: Iterable[Listener] = ()) -> None:
    """Tells whoever waits to be accepted that nobody will: to close the socket would reset the connection.

    For sockets on which no process accepts any more, except those that `but` uses.
    """
    used = {item.socket for item in but}
    for item in listeners:
        while item.socket not in used and (waiting := _waiting(item)):
            with waiting, suppress(OSError):
                waiting.setblocking(False)
                if item.speaks == "smtp":
                    waiting.send(encode(SHUTTING_DOWN))


def _waiting(listener: Listener) -> socket.socket | None:
    try:
        return listener.socket.accept()[0]
    except OSError:
        return None  # nobody; or one who has gone, and the next round finds the others


def rule_changes(old: RuleSet, new: RuleSet) -> list[str]:
    """How many rules came, went or are worth another score."""
    came = len(new.symbols.keys() - old.symbols.keys())
    went = len(old.symbols.keys() - new.symbols.keys())
    both = new.symbols.keys() & old.symbols.keys()
    scored = sum(new.symbols[name].score != old.symbols[name].score for name in both)
    if not (came or went or scored):
        return []
    return [f"rules: {came} new, {went} gone, {scored} with another score; {len(new.symbols)} are run"]


def log_problems(ruleset: RuleSet) -> None:
    """One line each, with file and line number.

    They are the rules' author's to repair; the rules that can be used are run all the same.
    """
    problems = ruleset.problems
    for problem in problems[:SHOWN_PROBLEMS]:
        log.warning("rules: %s", problem)
    if len(problems) > SHOWN_PROBLEMS:
        log.warning(
            "rules: %d more problems; `lazaret rules check` says which", len(problems) - SHOWN_PROBLEMS
        )


_ROLES = {
    Role.AFTER_QUEUE: "smtp",
    Role.BEFORE_QUEUE: "before_queue",
    Role.ORIGINATING: "originating",
}


def ready_line(listeners: Sequence[Listener]) -> str:
    """What is said once all listeners accept."""
    places: dict[str, list[str]] = {}
    for item in listeners:
        name = item.speaks if item.speaks != "smtp" else _ROLES[item.role]
        places.setdefault(name, []).append(item.address)
    return "ready " + " ".join(f"{name}={','.join(at)}" for name, at in places.items())
