"""The model follows the journal: whoever teaches what in which order, it comes to know what holds."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.flow.lessons import EVE, ROOT, School

from lazaret.flow.learner import Learner
from lazaret.learn.model import Counter, Private
from lazaret.learn.model_file import LIVE, SNAPSHOT, Reader
from lazaret.store import learned
from lazaret.store.opening import Store, open_store

URL = "sqlite:///lazaret.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(URL, tmp_path / "data", create=True)
    yield opened
    opened.close()


@pytest.fixture
def school(store: Store, tmp_path: Path) -> School:
    return School(store, tmp_path / "data")


def seen(memory) -> tuple[int, int]:
    """Spam and ham that a model has learned."""
    return int(memory.counters[Counter.SPAM_SEEN]), int(memory.counters[Counter.HAM_SEEN])


def test_few_lessons_are_learned_as_they_come(school):
    writer, learner = school.open()
    for seed in range(20):
        school.teach("spam", [seed])
        school.teach("ham", [seed])
    asyncio.run(learner.catch_up())

    assert (20, 20) == seen(writer)
    assert school.score(writer, "spam") > 0 > school.score(writer, "ham")
    assert not asyncio.run(learner.step())
    writer.close()


def test_a_folder_of_spam_and_then_a_folder_of_ham_make_a_fair_model(school):
    """One after the other they would make a model that takes everything for ham."""
    school.teach("spam", range(120))
    school.learn()
    school.teach("ham", range(120))
    school.learn()
    reader = Reader(school.folder, school.secret)
    spam = [school.score(reader, "spam", seed) for seed in range(900, 920)]
    ham = [school.score(reader, "ham", seed) for seed in range(900, 920)]

    assert (120, 120) == seen(reader)
    assert min(spam) > 0.5 > -0.5 > max(ham)


def test_many_lessons_are_waited_for_until_no_more_come(school):
    writer, learner = school.open()
    school.teach("spam", range(60))
    asyncio.run(learner.step())
    school.teach("ham", range(60))
    asyncio.run(learner.step())
    assert (0, 0) == seen(writer)

    asyncio.run(learner.step())
    assert (60, 60) == seen(writer)
    writer.close()


def test_who_reads_the_model_goes_over_to_the_one_that_was_made_anew(school):
    writer, learner = school.open()
    reader = Reader(school.folder, school.secret)
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    asyncio.run(learner.catch_up())

    assert reader.refresh()
    assert (60, 60) == seen(reader)
    assert school.score(writer, "spam") == school.score(reader, "spam")
    writer.close()


def test_a_correction_is_learned_at_once_and_leaves_nothing_of_the_mistake(school, store, tmp_path):
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    school.teach("ham", [77], as_spam=True)
    school.learn()
    assert "moved" in [fate.value for fate in school.teach("ham", [77]).fates]
    school.learn()
    undisturbed = Private()
    other = Learner(store.lessons, Taken(undisturbed))
    asyncio.run(other.catch_up())
    reader = Reader(school.folder, school.secret)

    assert (60, 61) == seen(reader) == seen(undisturbed)
    assert np.array_equal(undisturbed.table, reader.table)


class Taken:
    """The writer's place, in memory: it takes over what was made anew."""

    def __init__(self, memory: Private) -> None:
        self._memory = memory
        self.lesson = 0

    @property
    def table(self):
        return self._memory.table

    @property
    def counters(self):
        return self._memory.counters

    def done(self, lesson: int) -> None:
        self.lesson = lesson

    def replace(self, memory: Private, lesson: int) -> None:
        self._memory.table[:], self._memory.counters[:] = memory.table, memory.counters
        self.lesson = lesson

    def snapshot(self) -> None:
        pass


def test_a_forgotten_teacher_leaves_nothing(school):
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    school.learn()
    before = Reader(school.folder, school.secret).table.copy()
    school.teach("ham", range(100, 140), EVE, as_spam=True)
    school.learn()
    assert (100, 60) == seen(Reader(school.folder, school.secret))

    assert 40 == asyncio.run(school.teaching.forget(who=EVE, since=0))
    school.learn()
    after = Reader(school.folder, school.secret)
    assert (60, 60) == seen(after)
    assert np.array_equal(before, after.table)


def test_taken_back_lessons_make_it_anew_not_more_often_than_it_is_worth(store, school):
    now = [0.0]
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    writer, _ = school.open()
    learner = Learner(store.lessons, writer, clock=lambda: now[0])
    asyncio.run(learner.catch_up())
    learner._not_before = 100.0
    school.teach("spam", [1], as_spam=False)
    asyncio.run(learner.step())
    assert (60, 61) == seen(writer)
    asyncio.run(learner.step())
    assert (60, 61) == seen(writer)

    now[0] = 101.0
    asyncio.run(learner.step())
    assert (59, 61) == seen(writer)
    writer.close()


def test_a_lost_model_is_made_out_of_the_journal(school):
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    school.learn()
    before = Reader(school.folder, school.secret).table.copy()
    for name in (LIVE, SNAPSHOT):
        (school.folder / name).unlink()
    school.learn()

    assert np.array_equal(before, Reader(school.folder, school.secret).table)


def test_a_damaged_snapshot_or_a_model_of_another_site_is_made_anew(school):
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    school.learn()
    (school.folder / LIVE).unlink()
    octets = bytearray((school.folder / SNAPSHOT).read_bytes())
    octets[5000] ^= 1
    (school.folder / SNAPSHOT).write_bytes(octets)
    school.learn()
    assert (60, 60) == seen(Reader(school.folder, school.secret))

    school.secret = b"another site's secret 0123456789"
    school.learn()
    assert (60, 60) == seen(Reader(school.folder, school.secret))


def test_a_journal_that_was_restored_from_an_older_backup_makes_it_anew(school, store):
    school.teach("spam", range(60))
    school.teach("ham", range(60))
    school.learn()

    def lose(connection):
        connection.execute("DELETE FROM lz_learned WHERE id > 80")

    asyncio.run(store.writer.run(lose))
    school.learn()

    assert 80 == sum(seen(Reader(school.folder, school.secret)))


def test_another_host_that_reads_the_same_journal_knows_the_same(school, store, tmp_path):
    other = School(store, tmp_path / "other")
    other.folder.mkdir()
    school.teach("spam", range(60))
    school.learn()
    school.teach("ham", range(60))
    school.learn()
    other.learn()
    one, another = (Reader(s.folder, s.secret) for s in (school, other))

    assert school.secret == other.secret
    assert np.array_equal(one.table, another.table)


def test_a_lesson_of_a_later_version_stops_nothing(school, store):
    school.teach("spam", range(3))

    def change(connection):
        connection.execute("UPDATE lz_learned SET features = x'ff00' WHERE id = 2")

    asyncio.run(store.writer.run(change))
    school.learn()

    assert (2, 0) == seen(Reader(school.folder, school.secret))


def test_points_are_fitted_to_what_people_said(school):
    school.teach("spam", range(250), ROOT)
    school.teach("ham", range(250), ROOT)
    school.learn()
    counters = Reader(school.folder, school.secret).counters

    assert 0.75 <= counters[Counter.FACTOR] <= 2.0
    assert 0.0 <= counters[Counter.EVEN] <= 1.5


def test_what_expires_stays_known_until_the_model_is_made_anew(school, store, tmp_path, monkeypatch):
    monkeypatch.setattr(learned, "LEAST", 20)
    behind = School(store, tmp_path / "other")
    behind.folder.mkdir()
    school.teach("spam", range(5))
    behind.learn()
    for kind in ("spam", "ham"):
        school.teach(kind, range(5, 65))
    school.learn()
    while asyncio.run(store.lessons.expire(time.time() + 60, 50)):
        pass
    school.teach("ham", [100])
    school.learn()
    behind.learn()

    # The spam of 45 to 64, and all ham after it; what the other host had was a lesson that is gone.
    assert (65, 61) == seen(Reader(school.folder, school.secret))
    assert (20, 61) == seen(Reader(behind.folder, behind.secret))
    asyncio.run(store.lessons.forget(who=ROOT, since=time.time() - 3600))
    school.learn()
    assert (0, 0) == seen(Reader(school.folder, school.secret))
