"""A long stream of mail under random faults, one every few seconds.

    make test-faults STREAM=100000 KIND=sqlite

What is printed is what docs/reliability.md says of it.
"""

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

import pytest

from .conftest import Hurt, thorough
from .points import POINTS_OF_THE_ROAD
from .traffic import ANN, OUTSIDE, Traffic, check, number_of

STREAM = int(os.environ.get("LAZARET_FAULTS_STREAM", "5000"))
PAUSE_S = (1.0, 3.0)
"""Between two faults, at random."""
SAY_S = 60.0
AGE_S = 400 * 86_400
"""Older than anything is kept."""


@dataclass
class Mischief:
    """What can be done to a service under mail."""

    hurt: Hurt
    traffic: Traffic
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    done: Counter[str] = field(default_factory=Counter)

    def acts(self) -> dict[str, tuple[int, Callable[[], object]]]:
        """Name -> how likely, what."""
        of_database = self._lock if self.hurt.server is None else self.hurt.kill_database
        return {
            "database locked" if self.hurt.server is None else "kill -9 of the database": (3, of_database),
            "next hop cuts off": (3, self.hurt.cut_off_next_hop),
            "next hop defers": (3, self._defer),
            "kill -9 of a process": (3, self._kill),
            "death at a point of the road": (6, self._die_at_a_point),
            "process stands still": (1, self._stand_still),
            "reload": (1, lambda: self.hurt.service.reload()),
            "death in a reload": (1, self._die_in_a_reload),
            "kill -9 of the supervisor": (1, self.hurt.restart),
            "release": (2, self._release),
            "death in a release": (2, lambda: self._release(self.chance.uniform(0.2, 2.0))),
            "purge": (1, self._purge),
            "death in a purge": (1, lambda: self._purge(self.chance.uniform(0.2, 2.0))),
        }

    def go_on(self) -> None:
        """As long as there is mail."""
        acts = self.acts()
        likely = [weight for weight, _ in acts.values()]
        begun = said = time.monotonic()
        while self.traffic.running:
            name = self.chance.choices(list(acts), likely)[0]
            self.done[name] += 1
            with suppress(sqlite3.OperationalError):
                acts[name][1]()
            time.sleep(self.chance.uniform(*PAUSE_S))
            if time.monotonic() > said + SAY_S:
                said = time.monotonic()
                print(
                    f"{said - begun:.0f} s: {len(self.traffic.taken)} taken, {self.done.total()} faults",
                    flush=True,
                )

    def _lock(self) -> None:
        with closing(sqlite3.connect(self.hurt.database, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(0.3)
            connection.execute("ROLLBACK")

    def _defer(self) -> None:
        self.hurt.hop.hop.rcpt[self.chance.choice((ANN, OUTSIDE))] = "450 4.2.0 later"
        time.sleep(0.3)
        self.hurt.hop.hop.rcpt.clear()

    def _kill(self) -> None:
        if workers := self.hurt.workers():
            self.hurt.signal(self.chance.choice(workers))

    def _die_at_a_point(self) -> None:
        self.hurt.arm(self.chance.choice(POINTS_OF_THE_ROAD))

    def _stand_still(self) -> None:
        if workers := self.hurt.workers():
            pid = self.chance.choice(workers)
            self.hurt.signal(pid, signal.SIGSTOP)
            threading.Timer(self.chance.uniform(0.5, 5.0), self.hurt.signal, (pid, signal.SIGCONT)).start()

    def _die_in_a_reload(self) -> None:
        self.hurt.service.reload()
        time.sleep(self.chance.uniform(0.05, 0.5))
        self._kill()

    def _stored(self) -> tuple[str, int] | None:
        """Id and number of a message of the quarantine that nothing was done with yet."""
        try:
            with closing(self.hurt.open()) as connection:
                found = connection.execute(
                    "SELECT q.mail_id, q.mail_text FROM quarantine q JOIN msgs m ON m.mail_id = q.mail_id"
                    " AND m.partition_tag = q.partition_tag WHERE q.chunk_ind = 1 AND NOT EXISTS"
                    " (SELECT 1 FROM lz_releases r WHERE r.mail_id = q.mail_id)"
                    " ORDER BY m.time_num DESC LIMIT 20"
                ).fetchall()
        except Exception:  # the database is what is being hurt
            return None
        if not found:
            return None
        mail_id, octets = self.chance.choice(found)
        return mail_id, number_of(bytes(octets))

    def _release(self, seconds: float = 0.0) -> None:
        if found := self._stored():
            self.hurt.run("release", found[0], seconds=seconds)

    def _purge(self, seconds: float = 0.0) -> None:
        """Of one message that is old, among many that are not."""
        if found := self._stored():
            mail_id, number = found
            self.traffic.aged.add(number)
            with suppress(Exception), closing(self.hurt.open()) as connection:
                connection.execute(
                    "UPDATE msgs SET time_num = time_num - :age WHERE mail_id = :mail_id",
                    {"age": AGE_S, "mail_id": mail_id},
                )
            self.hurt.run("db", "purge", seconds=seconds)


@thorough
@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgresql"])
def test_a_long_stream_under_random_faults(hurt_on: Callable[[str], Hurt], kind: str):
    hurt = hurt_on(kind)
    done: list[Counter[str]] = []

    def anything(hurt: Hurt, traffic: Traffic) -> None:
        mischief = Mischief(hurt, traffic)
        done.append(mischief.done)
        mischief.go_on()

    account = hurt.through(anything, count=STREAM, pause_s=0.0, patience_s=300.0, recipients=(ANN, OUTSIDE))
    [faults] = done
    print(f"\n{faults.total()} faults: {dict(faults)}")
    for number in account.misled:  # how it came to that
        print(
            *(line for line in hurt.said().splitlines() if f"Q{number}," in line or "POISON" in line),
            sep="\n",
        )
    # At most what was under way on each connection is brought again after a fault, to both recipients.
    check(account, what=f"random faults, {kind}", duplicates=2 * 8 * faults.total())
