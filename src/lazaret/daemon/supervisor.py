"""Binds the sockets, starts the workers, the desk and the learner, and keeps them alive.

The supervisor touches no mail. Any child may be killed at any time: it is started again at once,
and the sockets stay open meanwhile, so that clients wait instead of being refused. All children
end with the supervisor, because they hold the read end of a pipe whose other end is his.
"""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lazaret import app
from lazaret.config.explain import difference
from lazaret.config.options import Config
from lazaret.daemon import compiling, desk, generation, learner, logs, privileges, sockets, worker
from lazaret.daemon.board import ROWS, Board, Cell
from lazaret.daemon.clients import ClientBoard
from lazaret.daemon.compiling import Compiler
from lazaret.daemon.generation import State
from lazaret.daemon.signals import Signals
from lazaret.daemon.silence import Silence
from lazaret.daemon.singles import Singles
from lazaret.daemon.sockets import Listener
from lazaret.daemon.suspects import Suspects
from lazaret.model.errors import LazaretError, UserError
from lazaret.model.network import NetworkSet
from lazaret.rules.ruleset import RuleSet
from lazaret.rules.watch import Watch

log = logging.getLogger("lazaret.supervisor")

TICK_S = 0.25
"""Between two looks around while processes come and go."""
CALM_S = 1.0
"""The same while none does: what ends or is asked for wakes us, and only a sign of life can fail to come."""
STUCK_S = 30.0
"""A worker without a sign of life for so long is replaced; its clients bring their messages again."""
START_S = 60.0
"""So long may a child take before its first sign of life."""
LIVED_WELL_S = 5.0
RESTART_S = (0.0, 0.25, 0.5, 1.0, 1.5)
"""Pauses before a child that dies again and again is started once more; always back within 2 s."""
END_S = 30.0
EX_TEMPFAIL = 75
ATTEMPTS = 3
"""So often are rules compiled that have changed again before they were ready."""
COLLECT_AFTER = 20_000
"""New objects before the collector looks for some that hold each other. The rules leave none of them behind,
and looking after every 700, as Python does, takes a twentieth of the time."""
SETTLE_S = 2.0
"""Changed rule files are left alone until they have stayed the same for so long."""


@dataclass(slots=True)
class Child:
    """One process of ours, or the place for one that is about to be started."""

    kind: str
    """worker | desk | learner"""
    row: int
    generation: int
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    start_at: float = 0.0
    ending: bool = False
    killed: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """What comes into force once its rules are compiled."""

    config: Config
    pid: int
    """The process that compiles them."""
    watch: Watch
    attempt: int


@dataclass(frozen=True, slots=True)
class Task:
    """What `lazaret serve` asks for."""

    config: Config
    load_config: Callable[[], Config]
    """Reads the configuration again, for SIGHUP."""
    web: desk.WebFactory
    announce: Callable[[str], None]
    """Says `ready …` once all listeners accept."""
    progress: Callable[[int, int], None] | None = None
    """Told how far the rules are compiled: (done, total)."""
    stuck_s: float = STUCK_S


def run(task: Task) -> int:
    """Serves until SIGTERM or SIGINT; the exit status. UserError when it cannot start."""
    return _Supervisor(task).run()


class _Supervisor:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._board = Board()
        self._client_board = ClientBoard()
        self._signals = Signals()
        self._lifeline = os.pipe()
        self._compiler = Compiler(self._signals, self._lifeline)
        self._suspects = Suspects()
        self._silence = Silence()
        self._singles = Singles(self._signals, self._board, self._lifeline, self._silence)
        self._pending: Pending | None = None
        self._children: list[Child] = []
        self._announced = False

    def run(self) -> int:
        config = self._task.config
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
        logs.set_up(config)
        privileges.prepare_data_dir(config)
        sockets.allow_many()
        listeners = sockets.bind_all(config)
        try:
            self._state = self._prepared(config, listeners)
        except BaseException:
            sockets.close(listeners)
            raise
        self._signals.install()
        self._add_generation(self._state)
        try:
            self._watch()
        finally:
            self._end()
        return 0

    def _prepared(self, config: Config, listeners: Sequence[Listener]) -> State:
        """All that can fail before the first client may connect."""
        files = [*(item.endpoint.path for item in listeners), logs.file_of(config)]
        privileges.hand_over(config, filter(None, files))
        privileges.become_service_user(config)
        if not config.local.domains:
            log.warning("local.domains is empty: every recipient is taken for local")
        app.open_store(config, create=True).close()
        app.check_page_certificate(config)
        app.preload()
        self._watch_rules = Watch(config.rules.paths)
        self._look_at = time.monotonic() + config.rules.watch_s
        state = State(config, self._first_rules(config), listeners)
        generation.log_problems(state.ruleset)
        state.ruleset.make_ready()
        sockets.listen(listeners)
        return state

    def _first_rules(self, config: Config) -> RuleSet:
        """Compiled beside us; by us where that fails, because a start is no time to refuse."""
        ruleset = app.stored_rules(config)
        if ruleset is not None:
            return ruleset
        pid = self._compiler.start(config, nice=0, progress=self._task.progress)
        os.waitpid(pid, 0)
        return app.load_rules(config, self._task.progress)

    def _watch(self) -> None:
        while not self._signals.end:
            self._reap()
            self._start_due()
            self._replace_stuck()
            self._retire_old()
            if all(c.ending for c in self._children if c.generation < self._state.number):
                generation.turn_away(self._state.retired, but=self._state.listeners)
            if not self._announced and self._all_up(self._state.number):
                self._announced = True
                self._task.announce(generation.ready_line(self._state.listeners))
            if self._signals.reload:
                self._signals.reload = False
                self._reload()
            self._look_at_rules()
            self._start_singles()
            self._signals.wait(self._pause(), *self._singles.wake)

    def _pause(self) -> float:
        """How long there is nothing to look at."""
        current = self._state.number
        if any(c.generation < current for c in self._children) or not self._all_up(current):
            return TICK_S
        if not self._state.config.rules.watch_s:
            return CALM_S
        return min(max(self._look_at - time.monotonic(), 0.0), CALM_S)

    def _start_singles(self) -> None:
        state = self._state
        self._singles.start_waiting(state.config, state.ruleset, [*state.listeners, *state.retired])
        self._singles.end_stuck(self._task.stuck_s, START_S)

    # Generations

    def _add_generation(self, state: State) -> None:
        """Places for a desk and for the workers of the state; `_start_due` fills them."""
        taken = {c.row for c in self._children}
        free = (n for n in range(ROWS) if n not in taken)
        self._children.append(Child("desk", next(free), state.number))
        for _ in range(state.config.workers.count or os.cpu_count() or 1):
            self._children.append(Child("worker", next(free), state.number))
        if state.config.learn.enabled:
            self._children.append(Child("learner", next(free), state.number))

    def _reload(self) -> None:
        """All or nothing: the old generation serves until the new one does."""
        with _old_stays():
            config = self._task.load_config()
            app.check_page_certificate(config)
            generation.try_store(self._state.config, config)
            self._begin(config)

    def _look_at_rules(self) -> None:
        """Puts changed rule files in force, under the configuration that holds."""
        config, now = self._state.config, time.monotonic()
        if not config.rules.watch_s or now < self._look_at:
            return
        changes = self._watch_rules.changes()
        pause = min(SETTLE_S, config.rules.watch_s) if self._watch_rules.unsettled else config.rules.watch_s
        self._look_at = now + pause
        for line in changes:
            log.info("rules: %s", line)
        if changes:
            with _old_stays():
                self._begin(config)

    def _begin(self, config: Config, attempt: int = 1) -> None:
        """Takes what is compiled already, or has it compiled; `_compiled` goes on then."""
        self._drop_pending()
        watch = Watch(config.rules.paths)
        ruleset = app.stored_rules(config)
        if ruleset is not None:
            self._change_to(config, ruleset, watch)
            return
        log.info("reload: the rules are being compiled, the old ones serve meanwhile")
        pid = self._compiler.start(config, nice=compiling.NICENESS)
        self._pending = Pending(config, pid, watch, attempt)

    def _compiled(self, pending: Pending, status: int) -> None:
        self._pending = None
        with _old_stays():
            compiling.check(status)
            ruleset = app.stored_rules(pending.config)
            if ruleset is not None:
                self._change_to(pending.config, ruleset, pending.watch)
            elif pending.attempt < ATTEMPTS:
                self._begin(pending.config, pending.attempt + 1)
            else:
                raise UserError("the rule files do not stay as they are for long enough", EX_TEMPFAIL)

    def _drop_pending(self) -> None:
        if self._pending is not None:
            os.kill(self._pending.pid, signal.SIGKILL)  # `_reap` takes it for a stranger.
            self._pending = None

    def _change_to(self, config: Config, ruleset: RuleSet, watch: Watch) -> None:
        old = self._state
        self._state = generation.renewed(old, config, ruleset)
        self._watch_rules = watch
        self._look_at = time.monotonic() + config.rules.watch_s
        changes = difference(old.config, config) + generation.rule_changes(old.ruleset, ruleset)
        for line in changes or ["nothing has changed"]:
            log.info("reload: %s", line)
        generation.log_problems(ruleset)
        self._add_generation(self._state)

    def _retire_old(self) -> None:
        """Once the new generation serves, the old one is told to end."""
        current = self._state.number
        old = [c for c in self._children if c.generation < current and not c.ending]
        if not old or not self._all_up(current):
            return
        for child in old:
            child.ending = True
            if child.pid:
                os.kill(child.pid, signal.SIGTERM)
            else:
                self._children.remove(child)
        self._close_retired()
        log.info("reload: done")

    def _all_up(self, generation: int) -> bool:
        children = [c for c in self._children if c.generation == generation]
        return all(c.pid and self._board.row(c.row)[Cell.ACCEPTING] for c in children)

    # Children

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if not child.pid and not child.ending and child.start_at <= now:
                self._start(child)

    def _start(self, child: Child) -> None:
        self._board.row(child.row).begin(0)
        child.started = time.monotonic()
        try:
            pid = self._signals.fork()
        except OSError as e:
            log.error("cannot start a %s: %s; it is tried again", child.kind, e.strerror)
            child.start_at = child.started + RESTART_S[-1]
            return
        if pid:
            child.pid = pid
            return
        status = 70
        try:
            os.close(self._lifeline[1])
            self._work(child)
            status = 0
        except BaseException:
            log.exception("%s %d failed", child.kind, os.getpid())
        finally:
            logging.shutdown()
            os._exit(status)

    def _work(self, child: Child) -> None:
        state = self._state
        # The rules are a million objects that stay: the collector would look at each of them again and again,
        # and write to pages that all workers share.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        # A copy of ours would keep a retired socket listening, with nobody to take its connections.
        sockets.let_go(state.retired, but=state.listeners)
        if child.kind == "desk":
            desk.run(
                desk.Desk(
                    config=state.config,
                    board=self._board,
                    row=child.row,
                    workers=self._worker_rows(child.generation),
                    listeners=[item for item in state.listeners if item.speaks == "http"],
                    lifeline=self._lifeline[0],
                    web=self._task.web,
                    ruleset=state.ruleset,
                )
            )
            return
        if child.kind == "learner":
            learner.run(learner.Study(state.config, self._board, child.row, self._lifeline[0]))
            return
        worker.run(
            worker.Crew(
                config=state.config,
                ruleset=state.ruleset,
                board=self._board,
                client_board=self._client_board,
                row=child.row,
                workers=self._worker_rows(child.generation),
                listeners=state.listeners,
                clients=NetworkSet(str(n) for n in state.config.listen.clients),
                suspects=self._suspects,
                counter=self._singles.counter,
                lifeline=self._lifeline[0],
            )
        )

    def _worker_rows(self, generation: int) -> Sequence[int]:
        return [c.row for c in self._children if c.kind == "worker" and c.generation == generation]

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if self._pending is not None and self._pending.pid == pid:
                self._compiled(self._pending, status)
                continue
            if self._singles.has_ended(pid, status):
                continue
            child = next((c for c in self._children if c.pid == pid), None)
            if child is not None:
                self._died(child, status)

    def _died(self, child: Child, status: int) -> None:
        self._board.row(child.row).begin(0)
        self._silence.forget(child.pid)
        self._accuse(child)
        if child.ending:
            self._children.remove(child)
            self._close_retired()
            return
        now = time.monotonic()
        child.deaths = 0 if now - child.started > LIVED_WELL_S else child.deaths + 1
        pause = RESTART_S[min(child.deaths, len(RESTART_S) - 1)]
        code = os.waitstatus_to_exitcode(status)
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        log.error("%s %d ended %s; another one starts", child.kind, child.pid, how)
        child.pid, child.killed = 0, False
        child.start_at = now + pause

    def _accuse(self, child: Child) -> None:
        """What a dead worker had under way is handled alone when it comes again."""
        suspects = self._suspects.accuse(child.row) if child.kind == "worker" else 0
        if suspects:
            log.warning("worker %d had %d messages under way; each is handled alone", child.pid, suspects)

    def _close_retired(self) -> None:
        if any(c.generation < self._state.number for c in self._children):
            return
        generation.turn_away(self._state.retired, but=self._state.listeners)
        sockets.close(self._state.retired, but=self._state.listeners)
        self._state.retired = []

    def _replace_stuck(self) -> None:
        for child in self._children:
            if not child.pid or child.killed:
                continue
            beat = self._board.row(child.row)[Cell.BEAT]
            silent = self._silence.of(child.pid, beat or child.started)
            if silent > (self._task.stuck_s if beat else START_S):
                log.error("%s %d gave no sign of life for %.0f s; killed", child.kind, child.pid, silent)
                os.kill(child.pid, signal.SIGKILL)
                child.killed = True

    def _end(self) -> None:
        self._drop_pending()
        running = [c for c in self._children if c.pid]
        for child in running:
            child.ending = True
            os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while self._children and time.monotonic() < deadline:
            self._children = [c for c in self._children if c.pid]
            self._reap()
            generation.turn_away([*self._state.listeners, *self._state.retired])
            if self._children:
                self._signals.wait(0.05)
        for child in self._children:
            os.kill(child.pid, signal.SIGKILL)
        sockets.close([*self._state.listeners, *self._state.retired])


@contextmanager
def _old_stays() -> Iterator[None]:
    """Whatever fails in a reload is logged, and changes nothing."""
    try:
        yield
    except LazaretError as e:
        log.error("reload refused, the old configuration stays in force: %s", e)
    except Exception:
        log.exception("reload failed, the old configuration stays in force")
