"""This host's model, made out of the journal of lessons: by the one process that writes it.

Few lessons are learned one after the other as they come. Many at once are not: whoever teaches a folder
of spam and then a folder of ham would get a model that takes everything for ham. Then the model is made
anew out of all lessons that hold, in an order by chance, while the old one goes on serving; likewise,
after a while, when lessons were taken back. So a forgotten lesson leaves nothing behind, and hosts that
read the same journal know the same.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from lazaret.flow.needs import Lessons
from lazaret.learn.model import Counter, Model, Private
from lazaret.learn.model_file import ModelDamaged, Writer, start_over
from lazaret.learn.packing import BadLesson, unpack
from lazaret.learn.points import FITTED_EACH, Feedback
from lazaret.model.lesson import JournalRow

log = logging.getLogger("lazaret.learner")

MANY = 50
"""More lessons at once than this, and than SHARE of what is known, make a model anew."""
SHARE = 0.1
PAGE = 200
BREATHER = 20
"""Lessons after which the process looks up: it has a heartbeat to give."""
REST = 20.0
"""After a model was made anew, so many times as long passes before taken-back lessons alone make another."""
SNAPSHOT_LESSONS = 500
SNAPSHOT_S = 300.0
REFIT = 100
"""After so many lessons the points are fitted again."""


class Learner:
    """Follows the journal. Its owner is the only process that has the model's file open for writing."""

    def __init__(
        self, lessons: Lessons, writer: Writer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lessons = lessons
        self._writer = writer
        self._clock = clock
        self._model = Model(writer)
        self._feedback = Feedback()
        self._seen_last = -1
        self._since_snapshot = 0
        self._snapshot_at = clock()
        self._not_before = 0.0
        self._since_fit = 0

    async def step(self, *, at_once: bool = False) -> bool:
        """A piece of the work; whether there is more to do at once. StoreUnavailable.

        With many lessons it waits until no more come, and to make it anew until there was enough rest, but
        not `at_once`.
        """
        pending = await self._lessons.pending(self._writer.lesson)
        if pending.last < self._writer.lesson:
            log.warning("the journal of lessons is behind the model: it is made anew")
            await self._make_anew(pending.last)
            return True
        if 0 < self._writer.lesson < pending.first - 1:
            log.warning("lessons have expired that the model does not know: it is made anew")
            await self._make_anew(pending.last)
            return True
        if pending.entries > max(MANY, SHARE * self._known):
            quiet = pending.last == self._seen_last
            self._seen_last = pending.last
            if pending.settled and (quiet or at_once):
                await self._make_anew(pending.last)
                return True
            return False
        if pending.entries:
            return await self._go_on()
        if self._is_stale and (at_once or self._clock() >= self._not_before):
            await self._make_anew(self._writer.lesson)
            return True
        self._take_snapshot()
        return False

    async def catch_up(self) -> None:
        """Does all that there is to do now."""
        while await self.step(at_once=True):
            pass

    @property
    def _known(self) -> float:
        return float(self._writer.counters[Counter.SPAM_SEEN] + self._writer.counters[Counter.HAM_SEEN])

    @property
    def _is_stale(self) -> bool:
        return bool(self._writer.counters[Counter.STALE])

    async def _go_on(self) -> bool:
        """Learns the next lessons; whether there were any."""
        entries = await self._lessons.after(self._writer.lesson, PAGE)
        for number, entry in enumerate(entries, 1):
            self._learn(self._model, entry)
            if entry.undoes:
                self._writer.counters[Counter.STALE] = 1
            self._writer.done(entry.number)
            if number % BREATHER == 0:
                await asyncio.sleep(0)
        self._since_snapshot += len(entries)
        self._since_fit += len(entries)
        if self._since_fit >= REFIT:
            self._fit()
        self._take_snapshot()
        return len(entries) > 0

    async def _make_anew(self, upto: int) -> None:
        """Out of all lessons that hold as of row `upto`."""
        began = self._clock()
        memory, after, count = Private(), b"", 0
        model = Model(memory)
        self._feedback = Feedback()
        while True:
            entries, after = await self._lessons.in_force(upto, after, PAGE)
            for number, entry in enumerate(entries, 1):
                self._learn(model, entry)
                if number % BREATHER == 0:
                    await asyncio.sleep(0)
            count += len(entries)
            if not after:
                break
        self._writer.replace(memory, upto)
        self._model = Model(self._writer)
        self._fit()
        self._snapshot()
        took = self._clock() - began
        self._not_before = self._clock() + REST * took
        log.info("the model is made anew out of %d lessons, in %.1f s", count, took)

    def _learn(self, model: Model, entry: JournalRow) -> None:
        if not entry.features:
            return
        try:
            features = unpack(entry.features)
        except BadLesson as e:
            log.error("lesson %d cannot be learned: %s", entry.number, e)
            return
        mature = min(model.spam, model.ham) >= FITTED_EACH
        before = model.learn(features, spam=entry.spam, weight=entry.weight)
        if mature:
            self._feedback.note(before.score, spam=entry.spam)

    def _fit(self) -> None:
        self._since_fit = 0
        self._feedback.fit(self._writer.counters)

    def _take_snapshot(self) -> None:
        due = self._since_snapshot and self._clock() >= self._snapshot_at + SNAPSHOT_S
        if due or self._since_snapshot >= SNAPSHOT_LESSONS:
            self._snapshot()

    def _snapshot(self) -> None:
        self._writer.snapshot()
        self._since_snapshot = 0
        self._snapshot_at = self._clock()


def open_writer(folder: Path, secret: bytes) -> Writer:
    """The model in this folder, for writing. ModelBusy while another process has it.

    A damaged one, or one of another site, is given up: all of it is in the journal.
    """
    try:
        return Writer.open(folder, secret)
    except ModelDamaged as e:
        log.warning("%s; the model is made anew", e)
        start_over(folder)
        return Writer.open(folder, secret)
