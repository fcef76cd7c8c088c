"""What nobody was told of, and who may send the digest that tells of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from lazaret.model.digest import Interval, Letter, Told, Untold, Wish
from lazaret.model.errors import Reply
from lazaret.model.keeping import Keeping
from lazaret.store.opening import Store

from .conftest import Place
from .entries import NOW, delivered, quarantined, recipient

ANN, BOB = "ann@home.example", "bob@home.example"
OK, LATER, NEVER = Reply(250, "2.0.0", "Ok"), Reply(450, "4.2.0", "busy"), Reply(550, "5.1.1", "unknown")
DUE = NOW + 3600


def kept(store: Store, *addresses: str, **changes: object) -> str:
    copies = tuple(recipient(address) for address in addresses or (ANN,))
    entry = quarantined(recipients=copies, **changes)
    asyncio.run(store.journal.keep(entry))
    return entry.mail_id


def untold(store: Store, address: str = ANN) -> list[Untold]:
    return asyncio.run(store.digests.untold(address, since=NOW - 10, limit=100))


def letter(copies: Sequence[Untold], name: str, to: str = ANN) -> Letter:
    return Letter(to, f"<digest.{name}@x>", b"", tuple(copies), "", "")


def claim(store: Store, wanted: Letter, *, due: float = DUE, now: float = DUE) -> bool:
    return asyncio.run(store.digests.claim(wanted, due=due, digest=b"d" * 32, now=now))


def settle(store: Store, wanted: Letter, reply: Reply) -> None:
    asyncio.run(store.digests.settle(wanted.message_id, reply))


def waiting(store: Store) -> list[tuple[str, str, str, int]]:
    found = asyncio.run(store.digests.waiting(since=NOW - 10))
    return [(one.address, one.category, one.action, one.number) for one in found]


def test_what_is_new_is_counted_by_recipient_category_and_action(store: Store):
    kept(store, ANN, BOB)
    kept(store, ANN)
    kept(store, ANN, time=NOW - 100)
    assert [(ANN, "S", "quarantine", 2), (BOB, "S", "quarantine", 1)] == waiting(store)


@pytest.mark.parametrize(("reply", "left"), [(OK, 0), (LATER, 1), (NEVER, 1)])
def test_a_copy_is_told_of_once_the_next_hop_has_taken_the_digest(store: Store, reply: Reply, left: int):
    kept(store, ANN, BOB)
    wanted = letter(untold(store), "a")
    assert claim(store, wanted)
    settle(store, wanted, reply)
    assert (left, 1) == (len(untold(store)), len(untold(store, BOB)))


def test_the_lowest_score_comes_first_and_its_messages_come_in_that_order(store: Store):
    low = kept(store, score=5.5)
    for score in (9.0, 5.1):
        entry = quarantined(recipients=(recipient(ANN, score=score),))
        asyncio.run(store.journal.keep(entry))
    copies = untold(store)
    assert [5.1, 6.001, 9.0] == [round(copy.score, 3) for copy in copies]
    assert low == copies[1].mail_id
    items = asyncio.run(store.digests.items(copies))
    assert [copy.mail_id for copy in copies] == [item.mail_id for item in items]


def test_a_moment_is_claimed_once_unless_its_digest_was_deferred(store: Store):
    kept(store)
    copies = untold(store)
    first, second, third = (letter(copies, name) for name in "abc")
    assert claim(store, first)
    assert not claim(store, second)
    settle(store, first, LATER)
    assert claim(store, second)
    settle(store, second, OK)
    assert not claim(store, third)
    assert claim(store, third, due=DUE + 86_400)


def test_a_claim_of_a_process_that_is_gone_is_taken_over_and_its_old_letter_passes_no_more(
    place: Place, store: Store
):
    kept(store)
    first, second = (letter(untold(store), name) for name in "ab")
    assert claim(store, first)
    place.execute("UPDATE lz_digests SET owner = 'elsewhere - 1 1'")
    assert not claim(store, second, now=DUE + 10)
    assert claim(store, second, now=DUE + 1000)
    assert not asyncio.run(store.journal.released_copy(first.message_id, b"d" * 32, [ANN]))
    assert asyncio.run(store.journal.released_copy(second.message_id, b"d" * 32, [ANN]))


def test_a_digest_passes_us_once_for_its_recipient_with_its_content(store: Store):
    kept(store)
    wanted = letter(untold(store), "a")
    assert claim(store, wanted)

    def passes(name: str, digest: bytes, *to: str) -> bool:
        return asyncio.run(store.journal.released_copy(name, digest, to))

    assert not passes(wanted.message_id, b"e" * 32, ANN)
    assert not passes(wanted.message_id, b"d" * 32, BOB)
    assert not passes(wanted.message_id, b"d" * 32, ANN, BOB)
    assert not passes("<digest.other@x>", b"d" * 32, ANN)
    assert passes(wanted.message_id, b"d" * 32, ANN)
    assert not passes(wanted.message_id, b"d" * 32, ANN)
    asyncio.run(store.journal.expect_again(wanted.message_id, [ANN]))
    assert passes(wanted.message_id, b"d" * 32, ANN)


def test_known_is_who_got_a_message_or_is_named_somewhere(place: Place, store: Store):
    kept(store, ANN, BOB, "cat@home.example", "dan@home.example")
    assert set() == asyncio.run(store.digests.known([ANN, BOB]))

    async def deliver() -> None:
        store.journal.note(delivered())
        await asyncio.sleep(0)

    asyncio.run(deliver())
    store.writer.close()
    other = place.open()
    place.execute("INSERT INTO users (policy_id, email) VALUES (1, ?)", (BOB,))
    asyncio.run(other.digests.set_wish("cat@home.example", Wish(), who="test"))
    wanted = [ANN, BOB, "cat@home.example", "dan@home.example", "nobody@home.example"]
    assert {ANN, BOB, "cat@home.example"} == asyncio.run(other.digests.known(wanted))


def test_a_wish_comes_back_as_it_was_and_its_change_is_on_record(place: Place, store: Store):
    wish = Wish(Interval.WEEKLY, (6, 18), "Europe/Berlin", "de", (Told.VIRUS, Told.SPAM))
    asyncio.run(store.digests.set_wish("Ann@Home.Example", wish, who="web:ann"))
    assert wish == asyncio.run(store.digests.wish(ANN))
    changed = replace(wish, hours=(), categories=())
    asyncio.run(store.digests.set_wish(ANN, changed, who="web:ann"))
    assert {ANN: changed} == asyncio.run(store.digests.wishes())
    asyncio.run(store.digests.set_wish(ANN, None, who="web:ann"))
    assert asyncio.run(store.digests.wish(ANN)) is None
    acts = place.execute("SELECT who, act, detail FROM lz_audit ORDER BY id")
    assert ("web:ann", "digest-wish", f"{ANN}: weekly at 6 18") == tuple(acts[0])
    assert 3 == len(acts)


def test_attempts_say_what_was_answered_the_latest_moment_last(store: Store):
    kept(store)
    first, second = (letter(untold(store), name) for name in "ab")
    claim(store, first)
    settle(store, first, NEVER)
    claim(store, second, due=DUE + 10, now=DUE + 10)
    found = asyncio.run(store.digests.attempts(since=NOW))
    assert [("refused", "550 5.1.1 unknown"), ("claimed", "")] == [(a.state, a.response) for a in found]


def test_old_digests_are_forgotten_and_what_they_told_of_with_them(place: Place, store: Store):
    kept(store)
    wanted = letter(untold(store), "a")
    claim(store, wanted)
    settle(store, wanted, OK)

    async def purge() -> None:
        async for _ in store.retention.purge(Keeping(400, 400, 400), now=NOW, batch=100):
            pass

    asyncio.run(purge())
    counts = [place.one(f"SELECT count(*) FROM {t}")[0] for t in ("lz_digests", "lz_digest_items")]  # noqa: S608
    assert [0, 0] == counts
