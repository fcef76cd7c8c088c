"""The signals of the supervisor, as flags, and a sleep that they end."""

import os
import select
import signal
from dataclasses import dataclass, field

_OURS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(slots=True)
class Signals:
    """SIGTERM and SIGINT end the service, SIGHUP reloads it, SIGCHLD only has to wake us."""

    end: bool = False
    reload: bool = False
    wakeup: tuple[int, int] = field(default_factory=os.pipe)

    def install(self) -> None:
        for fd in self.wakeup:
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self.wakeup[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_end)
        signal.signal(signal.SIGINT, self._on_end)
        signal.signal(signal.SIGHUP, self._on_reload)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _on_end(self, *_: object) -> None:
        self.end = True

    def _on_reload(self, *_: object) -> None:
        self.reload = True

    def wait(self, seconds: float, *others: int) -> None:
        """Sleeps until a signal comes, one of the other descriptors is readable, or the time is over."""
        ready, _, _ = select.select([self.wakeup[0], *others], [], [], seconds)
        if self.wakeup[0] in ready:
            os.read(self.wakeup[0], 4096)

    def fork(self) -> int:
        """os.fork, the signals held back until the child has handlers of its own, so that none is lost."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
        try:
            pid = os.fork()
            if not pid:
                self._forget()
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @staticmethod
    def _forget() -> None:
        """In a child: none of this is ours any more."""
        signal.set_wakeup_fd(-1)
        for number in _OURS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
