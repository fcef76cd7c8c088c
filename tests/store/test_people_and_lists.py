"""People, tokens, digests, policies and lists: the same on each kind of database."""

import asyncio
import time

from lazaret.model.digest import Letter, Wish
from lazaret.model.errors import Reply
from lazaret.model.person import Person, Role
from lazaret.model.policies import NewEntry
from lazaret.store.opening import Store

from .entries import NOW, quarantined, recipient

ANN = "ann@home.example"


def test_a_person_comes_in_and_is_known_by_his_scopes(store: Store) -> None:
    async def work() -> None:
        people = store.people
        wanted = Person(0, ANN, Role.USER, addresses=(ANN, "Ä@home.example"), domains=("home.example",))
        person = await people.add(wanted, who="root")
        assert (wanted.addresses, wanted.domains) == (tuple(sorted(person.addresses)), person.domains)
        await people.invite(b"i" * 32, person.id, expires=NOW, who="root")
        assert await people.invited(b"i" * 32, now=NOW - 1)
        assert await people.accept(b"i" * 32, "hash", now=NOW - 1)
        assert None is await people.accept(b"i" * 32, "hash", now=NOW - 1)
        await people.begin(b"s" * 32, person.id, remote="192.0.2.1", now=NOW, who="root")
        assert await people.holder(b"s" * 32, idle_since=NOW - 5, begun_since=NOW - 5)
        await people.failed(["name:x"], now=NOW, forget_before=NOW - 9)
        assert [(1, int(NOW))] == await people.failures(["name:x"], since=NOW - 1)
        await store.tokens.add(b"t" * 32, person.id, "a tool", ["find"], expires=0, who="root")
        assert await store.tokens.holder(b"t" * 32, now=NOW)
        assert None is await store.tokens.begin(b"k" * 32, b"r" * 32, now=NOW)
        assert await store.tokens.begin(b"k" * 32, b"r" * 32, now=NOW)
        await people.remove(person, who="root")
        assert [] == await people.all()
        assert [] == await store.audit.verify()

    asyncio.run(work())


def test_a_digest_is_told_once(store: Store) -> None:
    async def work() -> None:
        kept = quarantined(recipients=(recipient(ANN),))
        await store.journal.keep(kept)
        digests = store.digests
        assert [ANN] == [one.address for one in await digests.waiting(since=NOW - 1)]
        (copy,) = await digests.untold(ANN, since=NOW - 1, limit=5)
        assert (kept.mail_id, 0) == (copy.mail_id, copy.partition_tag)
        assert [kept.mail_id] == [item.mail_id for item in await digests.items([copy])]
        letter = Letter(ANN, "<d@h>", b"octets", (copy,), "", "")
        assert await digests.claim(letter, due=NOW, digest=b"d", now=time.time())
        assert not await digests.claim(letter, due=NOW, digest=b"d", now=time.time())
        await digests.settle("<d@h>", Reply(250, "2.0.0", "Ok"))
        assert [] == await digests.waiting(since=NOW - 1)
        await digests.set_wish(ANN, Wish(), who="ann")
        assert {ANN: Wish()} == await digests.wishes()
        assert {ANN} == await digests.known([ANN, "nobody@home.example"])

    asyncio.run(work())


def test_lists_and_policies_are_written_and_read(store: Store) -> None:
    async def work() -> None:
        lists, tables = store.sender_lists, store.policy_tables
        entry = NewEntry(owner=ANN, key="news@out.example", wb="W", networks=("192.0.2.0/24",), expires=77)
        await lists.add([entry], who="root")
        (found,) = await lists.page(allow=True, containing="NEWS", limit=5)
        assert (ANN, "news@out.example", True) == (found.owner, found.key, found.ours)
        before = (await store.policies.state()).number
        assert 1 == await lists.expire(78)
        assert [] == await lists.page(allow=None, limit=5)
        assert before < (await store.policies.state()).number
        await tables.change(ANN, {"spam_kill_level": 6.5}, local=True)
        (row,) = await tables.find([ANN])
        assert (6.5, True) == (row.values["spam_kill_level"], row.local)
        assert [ANN] == [one.key for one in await tables.page(limit=5)]
        assert await tables.remove(ANN)

    asyncio.run(work())
