"""The journal of lessons: each message counts once, people can change their mind, and nothing is lost."""

import asyncio
import time

import pytest
from tests.store.entries import delivered

from lazaret.model.lesson import Lesson, Limit, Taught
from lazaret.store import learned
from lazaret.store.opening import Store

BOB, EVE, ROOT = "user:bob@home.example", "user:eve@home.example", "cli:root"


def lesson(number: int = 1, *, spam: bool = True, who: str = ROOT, mail_id: str = "") -> Lesson:
    return Lesson(b"%032d" % number, spam, who, b"features %d" % number, mail_id=mail_id)


def teach(store: Store, *lessons: Lesson, limit: Limit | None = None) -> list[Taught]:
    return asyncio.run(store.lessons.teach(lessons, limit))


def counts(store: Store) -> tuple[int, int]:
    """Spam and ham that hold."""
    figures = asyncio.run(store.lessons.figures())
    return figures.spam, figures.ham


def in_force(store: Store, upto: int = 1 << 40) -> list[tuple[bytes, bool]]:
    entries, _ = asyncio.run(store.lessons.in_force(upto, b"", 1000))
    return [(entry.features, entry.spam) for entry in entries]


def test_the_same_message_taught_twice_counts_once(store):
    assert [Taught.NEW] == teach(store, lesson())
    assert [Taught.KNOWN, Taught.NEW, Taught.KNOWN] == teach(store, lesson(), lesson(2), lesson(2))

    assert (2, 0) == counts(store)


def test_taught_the_other_way_it_moves(store):
    teach(store, lesson())
    assert [Taught.MOVED] == teach(store, lesson(spam=False))

    assert (0, 1) == counts(store)
    assert [(b"features 1", False)] == in_force(store)


def test_it_may_move_to_and_fro_within_one_go(store):
    results = teach(store, lesson(), lesson(spam=False), lesson(), lesson(2))

    assert [Taught.NEW, Taught.MOVED, Taught.MOVED, Taught.NEW] == results
    assert (2, 0) == counts(store)


def test_a_user_does_not_overturn_an_operator_and_conclusions_overturn_nobody(store):
    teach(store, lesson(1), lesson(2, who=BOB))

    assert [Taught.KEPT] == teach(store, lesson(1, spam=False, who=BOB))
    assert [Taught.KEPT] == teach(store, lesson(2, spam=False, who="auto:out.example"))
    assert [Taught.MOVED] == teach(store, lesson(2, spam=False, who=ROOT))


def test_what_a_teacher_taught_can_be_taken_back(store):
    teach(store, lesson(1, who=EVE), lesson(2, who=BOB), lesson(3, who=EVE, spam=False))

    assert 2 == asyncio.run(store.lessons.forget(who=EVE, since=0))
    assert (1, 0) == counts(store)
    assert 0 == asyncio.run(store.lessons.forget(who=EVE, since=0))


def test_only_what_was_taught_since_then_is_taken_back(store):
    teach(store, lesson(1, who=EVE))

    assert 0 == asyncio.run(store.lessons.forget(who=EVE, since=time.time() + 60))
    assert (1, 0) == counts(store)


def test_what_the_forgotten_teacher_had_overturned_holds_again(store):
    teach(store, lesson(1, spam=False, who=BOB))
    teach(store, lesson(1, spam=True, who=EVE))
    asyncio.run(store.lessons.forget(who=EVE, since=0))

    assert [(b"features 1", False)] == in_force(store)
    assert [Taught.KNOWN] == teach(store, lesson(1, spam=False, who=BOB))


@pytest.mark.parametrize("order", [(BOB, EVE), (EVE, BOB)], ids=["first the first", "first the last"])
def test_of_two_forgotten_teachers_no_lesson_holds_again(store, order):
    teach(store, lesson(1, spam=True, who=BOB))
    teach(store, lesson(1, spam=False, who=EVE))
    for who in order:
        asyncio.run(store.lessons.forget(who=who, since=0))

    assert [] == in_force(store)
    assert [Taught.NEW] == teach(store, lesson(1, who=ROOT))


def test_below_a_forgotten_lesson_an_older_one_holds_again(store):
    teach(store, lesson(1, spam=True, who="user:carol@home.example"))
    teach(store, lesson(1, spam=False, who=BOB))
    teach(store, lesson(1, spam=True, who=EVE))
    asyncio.run(store.lessons.forget(who=BOB, since=0))
    assert [(b"features 1", True)] == in_force(store)
    asyncio.run(store.lessons.forget(who=EVE, since=0))

    assert [(b"features 1", True)] == in_force(store)
    assert [Taught.MOVED] == teach(store, lesson(1, spam=False, who=ROOT))


def test_what_a_teacher_taught_before_the_time_that_is_forgotten_holds_again(store, monkeypatch):
    teach(store, lesson(1, spam=False, who=EVE))
    later = time.time() + 1000
    monkeypatch.setattr(learned.time, "time", lambda: later)
    teach(store, lesson(1, spam=True, who=EVE))
    asyncio.run(store.lessons.forget(who=EVE, since=later - 10))

    assert [(b"features 1", False)] == in_force(store)


def test_a_forgotten_message_can_be_taught_and_forgotten_again(store):
    for _ in range(3):
        assert [Taught.NEW] == teach(store, lesson())
        assert 1 == asyncio.run(store.lessons.forget_messages([lesson().digest]))

    assert (0, 0) == counts(store)


def test_of_a_forgotten_message_nothing_holds_again_whoever_had_taught_it(store):
    teach(store, lesson(1, spam=True, who=EVE))
    teach(store, lesson(1, spam=False, who=BOB))

    assert 1 == asyncio.run(store.lessons.forget_messages([lesson(1).digest]))
    assert [] == in_force(store)
    assert 0 == asyncio.run(store.lessons.forget_messages([lesson(1).digest]))


def test_what_lies_below_a_forgotten_message_is_not_brought_back_by_a_forgotten_teacher(store):
    teach(store, lesson(1, spam=True, who=EVE))
    teach(store, lesson(1, spam=False, who=BOB))
    asyncio.run(store.lessons.forget_messages([lesson(1).digest]))
    teach(store, lesson(1, spam=False, who=BOB))

    assert 1 == asyncio.run(store.lessons.forget(who=BOB, since=0))
    assert [] == in_force(store)


def test_what_a_user_makes_of_a_message_again_leaves_what_others_taught(store):
    """His later form of it takes the place of his own lesson alone, not of that which it had overturned."""
    teach(store, lesson(1, spam=True, who=EVE))
    limit = Limit(daily=5, less=0.3)
    teach(store, lesson(1, spam=False, who=BOB, mail_id="m1"), limit=limit)
    teach(store, lesson(2, spam=False, who=BOB, mail_id="m1"), limit=limit)

    assert [(b"features 1", True), (b"features 2", False)] == in_force(store)


def test_beyond_the_daily_limit_lessons_count_less_and_then_no_more(store):
    limit = Limit(daily=2, less=0.25)
    results = teach(store, *(lesson(n, who=BOB) for n in range(12)), limit=limit)

    assert [Taught.NEW] * 10 + [Taught.ENOUGH] * 2 == results
    entries, _ = asyncio.run(store.lessons.in_force(1000, b"", 100))
    assert [1.0, 1.0, *[0.25] * 8] == [entry.weight for entry in sorted(entries, key=lambda e: e.number)]
    assert [Taught.NEW] == teach(store, lesson(50, who=EVE), limit=limit)


def test_a_user_teaches_a_message_that_we_know_once_whatever_he_makes_of_it(store):
    limit = Limit(daily=20, less=0.25)
    teach(store, lesson(1, who=BOB, mail_id="one"), limit=limit)
    teach(store, lesson(2, who=BOB, mail_id="one"), limit=limit)

    assert [(b"features 2", True)] == in_force(store)


def test_the_journal_is_read_on_in_its_order(store):
    teach(store, lesson(1), lesson(2, spam=False))
    teach(store, lesson(1, spam=False))
    entries = asyncio.run(store.lessons.after(0, 100))

    assert [1, 2, 3] == [entry.number for entry in entries]
    assert [0, 0, 1] == [entry.undoes for entry in entries]
    assert [3] == [entry.number for entry in asyncio.run(store.lessons.after(2, 100))]
    assert (1, 3) == (
        asyncio.run(store.lessons.pending(2)).entries,
        asyncio.run(store.lessons.pending(2)).last,
    )


def test_a_row_that_may_still_be_on_its_way_is_waited_for(store):
    """Another host's transaction may commit a lower number later than ours a higher one."""
    teach(store, lesson(1), lesson(2), lesson(3))

    def lose(connection):
        connection.execute("DELETE FROM lz_learned WHERE id = 2")

    def age(connection):
        connection.execute("UPDATE lz_learned SET time_num = time_num - 60")

    asyncio.run(store.writer.run(lose))
    assert [1] == [entry.number for entry in asyncio.run(store.lessons.after(0, 100))]
    asyncio.run(store.writer.run(age))
    assert [1, 3] == [entry.number for entry in asyncio.run(store.lessons.after(0, 100))]


def test_what_held_at_an_earlier_row_can_be_read_although_more_came(store):
    teach(store, lesson(1), lesson(2))
    teach(store, lesson(1, spam=False))

    assert [(b"features 1", True), (b"features 2", True)] == in_force(store, 2)
    assert [(b"features 1", False), (b"features 2", True)] == in_force(store)


def test_pages_of_what_holds_follow_each_other(store):
    teach(store, *(lesson(n) for n in range(10)))
    seen, after = [], b""
    while True:
        entries, after = asyncio.run(store.lessons.in_force(100, after, 3))
        seen += [entry.features for entry in entries]
        if not after:
            break

    assert [b"features %d" % n for n in range(10)] == seen


def test_the_secret_is_made_once(store):
    first = asyncio.run(store.lessons.secret())

    assert 32 == len(first)
    assert first == asyncio.run(store.lessons.secret())


@pytest.mark.parametrize("by_id", [True, False])
def test_it_is_known_for_whom_a_message_was_scanned(store, by_id):
    entry = delivered(mail_id="seenmail0001", message_id="<7@out.example>")
    store.journal.note(entry)
    asyncio.run(store.writer.run(lambda connection: None))
    recipient = entry.recipients[0].address
    deadline = time.monotonic() + 10
    mail_id = "seenmail0001" if by_id else ""
    scanned = store.lessons.was_scanned_for
    while not asyncio.run(scanned(recipient, mail_id, "<7@out.example>")):
        assert time.monotonic() < deadline

    assert not asyncio.run(scanned("eve@home.example", mail_id, "<7@out.example>"))
    assert not asyncio.run(scanned(recipient, mail_id, "<8@out.example>"))
    assert not asyncio.run(scanned(recipient, "", ""))


def test_the_oldest_lessons_go_and_the_latest_of_each_kind_stay(store, monkeypatch):
    monkeypatch.setattr(learned, "LEAST", 2)
    teach(store, *(lesson(number, spam=number % 2 == 0) for number in range(10)))
    teach(store, lesson(3, spam=True))  # moves
    now = time.time()

    assert 0 == asyncio.run(store.lessons.expire(now - 60, 100))
    assert [3, 3, 1, 0] == [asyncio.run(store.lessons.expire(now + 60, 3)) for _ in range(4)]

    # 7 and 9 are the latest ham; 8 lies between them, and 3 came last.
    assert [3, 7, 8, 9] == sorted(int(features.split()[1]) for features, _ in in_force(store))
    pending = asyncio.run(store.lessons.pending(0))
    assert 4 == pending.entries == pending.last - pending.first + 1


def test_of_too_few_lessons_none_goes(store):
    teach(store, lesson(), lesson(2, spam=False))

    assert 0 == asyncio.run(store.lessons.expire(time.time() + 60, 100))
    assert (1, 1) == counts(store)
