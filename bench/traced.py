"""`lazaret`, with a clock of CPU time around each step of the road. For bench/steps.py.

    python bench/traced.py FOLDER serve …

On SIGUSR2 each process writes what its steps have cost into FOLDER, in a file named after its pid.
"""

import functools
import gc
import importlib
import inspect
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType
from typing import Any

REST = "event loop and what is not listed"

STEPS = {
    "SMTP in": [
        "daemon.smtp:SmtpConnection.data_received",
        "daemon.smtp:SmtpConnection._answer",
    ],
    "guard": ["daemon.guard:Guard.handle"],
    "filter": ["flow.filter:Filter.handle"],
    "ids and digest": ["flow.filter:arrive"],
    "parse": ["flow.filter:mime.parse"],
    "policies": ["flow.policies:PolicyBook.of"],
    "look-up of an earlier attempt": ["store.partial:Partial.done_before"],
    "examine": ["checks.examine:Examiner.examine", "checks.lockstep:_Work.advance"],
    "rules": ["rules.ruleset:RuleSet.steps"],
    "rules: details shown": ["rules.evaluate:Evaluator._detail"],
    "learner: pieces": ["checks.learn:zones.view"],
    "learner: features": ["learn.features:Hasher.features"],
    "learner: judged": ["learn.model:Model.judge"],
    "learner: named": ["checks.learn:_words"],
    "decide and plan": ["flow.filter:decide", "flow.filter:plan"],
    "header fields": ["flow.deliver:Courier._octets"],
    "quarantine: entry and marks": ["flow.deliver:Courier._keep"],
    "SMTP out": ["net.relay:Relay.send", "net.hop_connection:HopConnection.data_received"],
    "row of history, made": ["flow.filter:entry_of", "flow.deliver:entry_of"],
    "row of history, noted": ["store.writer:Writer.note", "store.writer:Writer.keep"],
    "rows written: transaction": ["store.writer:Writer._write"],
    "rows written: rows": ["store.rows:Rows.write"],
    "rows written: campaigns": ["store.campaigns:assign"],
    "rows written: words for the search": ["store.fulltext:add"],
    "log line and counts": ["flow.filter:Filter._record"],
    "log line": ["daemon.record:logline.text"],
    "log line, written": ["logging:Handler.handle"],
    "autolearn": ["flow.autolearn:Autolearn.consider", "flow.autolearn:Autolearn._teach"],
}


class Ledger:
    """CPU seconds of each step, one stack of steps a thread."""

    def __init__(self) -> None:
        self.process = "supervisor"
        self._own = threading.local()
        self._all: list[dict[str, list[float]]] = []

    def _mine(self) -> tuple[list[str], dict[str, list[float]], list[float]]:
        own = self._own
        if not hasattr(own, "stack"):
            own.stack, own.spent, own.since = [REST], {REST: [0.0, 0]}, [time.thread_time()]
            self._all.append(own.spent)
        return own.stack, own.spent, own.since

    def enter(self, step: str) -> None:
        stack, spent, since = self._mine()
        now = time.thread_time()
        spent.setdefault(stack[-1], [0.0, 0])[0] += now - since[0]
        stack.append(step)
        since[0] = now

    def leave(self, times: int = 1) -> None:
        stack, spent, since = self._mine()
        now = time.thread_time()
        row = spent.setdefault(stack.pop(), [0.0, 0])
        row[0] += now - since[0]
        row[1] += times
        since[0] = now

    def begin(self, process: str) -> None:
        """In a child: what its parent has spent is not its own."""
        self.process = process
        self._own = threading.local()
        self._all = []

    def told(self) -> tuple[str, dict[str, tuple[float, int]]]:
        self._mine()
        total: dict[str, list[float]] = {}
        for spent in self._all:
            for step, (seconds, times) in spent.items():
                row = total.setdefault(step, [0.0, 0])
                row[0] += seconds
                row[1] += times
        known = sum(seconds for seconds, _ in total.values())
        # What no step has: the loop since its last step, threads without steps, and the kernel's own.
        total.setdefault(REST, [0.0, 0])[0] += time.process_time() - known
        return self.process, {step: (s, int(n)) for step, (s, n) in total.items()}


LEDGER = Ledger()


class _Stepped:
    """A coroutine whose running, but not its waiting, is clocked."""

    def __init__(self, inner: Any, step: str) -> None:
        self._inner, self._step = inner, step

    def __await__(self) -> Generator[Any, Any, Any]:
        inner, value, error = self._inner, None, None
        times = 1
        while True:
            LEDGER.enter(self._step)
            try:
                wanted = inner.send(value) if error is None else inner.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                LEDGER.leave(times)
                times = 0
            value = error = None
            try:
                value = yield wanted
            except BaseException as e:
                error = e


def clocked(function: Callable[..., Any], step: str) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def stepped(*args: Any, **kwargs: Any) -> Any:
            return await _Stepped(function(*args, **kwargs), step)

        return stepped
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def stepping(*args: Any, **kwargs: Any) -> Generator[Any, None, Any]:
            inner, times = function(*args, **kwargs), 1
            while True:
                LEDGER.enter(step)
                try:
                    found = next(inner)
                except StopIteration as end:
                    return end.value
                finally:
                    LEDGER.leave(times)
                    times = 0
                yield found

        return stepping

    @functools.wraps(function)
    def around(*args: Any, **kwargs: Any) -> Any:
        LEDGER.enter(step)
        try:
            return function(*args, **kwargs)
        finally:
            LEDGER.leave()

    return around


def clock_all() -> None:
    for step, places in STEPS.items():
        for place in places:
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module if module == "logging" else f"lazaret.{module}")
            *outer, name = path.split(".")
            for word in outer:
                owner = getattr(owner, word)
            if name == "_record":
                _clock_attribute(owner, step)
                continue
            setattr(owner, name, clocked(getattr(owner, name), step))


def _clock_attribute(owner: Any, step: str) -> None:
    """The filter is given its recorder."""
    made = owner.__init__

    def __init__(self: Any, **kwargs: Any) -> None:
        made(self, **{**kwargs, "record": clocked(kwargs["record"], step)})

    owner.__init__ = __init__


def _collected(phase: str, _: dict[str, int]) -> None:
    if phase == "start":
        LEDGER.enter("garbage collector")
    else:
        LEDGER.leave()


def main() -> None:
    folder = Path(sys.argv.pop(1))
    from lazaret.cli.main import run
    from lazaret.daemon import supervisor

    clock_all()
    gc.callbacks.append(_collected)

    def tell(_: int, __: FrameType | None) -> None:
        half = folder / f".{os.getpid()}"
        half.write_text(json.dumps(LEDGER.told()))
        half.rename(folder / str(os.getpid()))

    work = supervisor._Supervisor._work

    def begin(self: Any, child: supervisor.Child) -> None:
        LEDGER.begin(child.kind)
        work(self, child)

    supervisor._Supervisor._work = begin  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR2, tell)
    run()


if __name__ == "__main__":
    main()
