"""People, the record of acts, tokens and figures, on every kind of database."""

import asyncio
import time

import pytest

from lazaret.model.errors import UserError
from lazaret.model.identity import ClaimedRole, Identity, Logout
from lazaret.model.passkey import Passkey
from lazaret.model.person import ALL, Person, Role, Sight

from .entries import quarantined, recipient


def test_people_sessions_record_tokens_and_figures(store):
    """One story, because each database takes its time to begin."""

    async def story():
        people, now = store.people, time.time()
        wished = Person(0, "ann@home.example", Role.DOMAIN_ADMIN, ("a@home.example",), ("home.example",))
        ann = await people.add(wished, who="test")
        assert (wished.addresses, wished.domains) == (ann.addresses, ann.domains)
        with pytest.raises(UserError):
            await people.add(wished, who="test")

        await people.invite(b"i" * 32, ann.id, expires=now + 60, who="test")
        assert ann == await people.invited(b"i" * 32, now=now)
        assert ann == await people.accept(b"i" * 32, "hash", now=now)
        assert await people.accept(b"i" * 32, "hash", now=now) is None
        assert "hash" == (await people.password("ann@home.example"))[1]

        await people.begin(b"s" * 32, ann.id, remote="192.0.2.1", now=now, who="test")
        assert (
            "ann@home.example" == (await people.holder(b"s" * 32, idle_since=now - 9, begun_since=0))[0].name
        )
        assert await people.holder(b"s" * 32, idle_since=now + 9, begun_since=0) is None
        sessions = await people.sessions(ann.id, idle_since=now - 9, begun_since=0, given_since=0)
        assert [("192.0.2.1", (b"s" * 16).hex())] == [(one.remote, one.name) for one in sessions]
        await people.begin(b"o" * 32, ann.id, remote="192.0.2.2", now=now, who="test")
        assert not await people.end_one(ann.id + 1, sessions[0].name, who="test")
        await people.end_others(ann.id, keep=b"s" * 32, who="test")
        assert sessions == await people.sessions(ann.id, idle_since=0, begun_since=0, given_since=0)
        assert [] == await people.sessions(ann.id, idle_since=now + 9, begun_since=0, given_since=0)
        await people.begin(b"o" * 32, ann.id, remote="192.0.2.2", now=now, who="test")
        assert await people.end_one(ann.id, (b"o" * 16).hex(), who="test")
        assert not await people.end_one(ann.id, (b"o" * 16).hex(), who="test")
        await people.end(b"s" * 32, who="test")
        assert await people.holder(b"s" * 32, idle_since=0, begun_since=0) is None

        await people.failed(["name:x", "from:y"], now=now, forget_before=now - 60)
        assert [(1, int(now)), (0, 0)] == [tuple(r) for r in await people.failures(["name:x", "z"], since=0)]
        await people.succeeded("name:x")
        assert 0 == (await people.failures(["name:x"], since=0))[0][0]

        await store.tokens.add(b"t" * 32, ann.id, "script", ["read"], expires=0, who="test")
        assert ("read",) == (await store.tokens.holder(b"t" * 32, now=now))[1]
        assert not await store.tokens.remove(ann.id + 1, (b"t" * 16).hex(), who="test")
        assert ["script"] == [token.label for token in await store.tokens.of(ann.id)]
        assert await store.tokens.begin(b"k" * 32, b"r" * 32, now=now) is None
        await store.tokens.finish(b"k" * 32, "done")
        assert (True, "done") == (
            (found := await store.tokens.begin(b"k" * 32, b"r" * 32, now=now)).same,
            found.answer,
        )

        assert {} == await store.figures.volume(since=0, bucket_s=3600)
        assert [] == await store.figures.senders(since=0)
        assert [] == await store.figures.rules(since=0)

        acts = [act.act for act in await store.audit.page(limit=3)]
        assert ["token-add", "logout", "session-end"] == acts
        assert [] == await store.audit.page(who="nobody")
        assert [] == await store.audit.verify()

    asyncio.run(story())


def test_a_token_ends_with_the_token_that_made_it(store):
    """Whoever has stolen one has made others by it."""

    async def story():
        ann = await store.people.add(Person(0, "ann@home.example", Role.USER), who="test")
        bob = await store.people.add(Person(0, "bob@home.example", Role.USER), who="test")
        tokens, now = store.tokens, time.time()
        made = ((b"a", b""), (b"b", b"a"), (b"c", b"b"), (b"d", b"c"), (b"e", b""))
        for one, maker in made:
            await tokens.add(
                one * 32, ann.id, one.decode(), ["account"], expires=0, who="x", maker=maker * 32
            )
        await tokens.add(b"o" * 32, bob.id, "of bob", ["account"], expires=0, who="x")

        makers = {one.label: one.maker for one in await tokens.of(ann.id)}
        assert {"a": "", "b": "61" * 16, "c": "62" * 16, "d": "63" * 16, "e": ""} == makers
        assert not await tokens.remove(bob.id, "62" * 16, who="x")
        assert await tokens.remove(ann.id, "62" * 16, who="x")
        assert {"a", "e"} == {one.label for one in await tokens.of(ann.id)}
        assert None is await tokens.holder(b"d" * 32, now=now)
        assert ["of bob"] == [one.label for one in await tokens.of(bob.id)]
        ends = [act.detail for act in await store.audit.page(limit=3) if act.act == "token-remove"]
        assert [f"{x * 16}, made by {y * 16}" for x, y in (("64", "63"), ("63", "62"))] + ["62" * 16] == ends
        with pytest.raises(UserError, match="was removed"):
            await tokens.add(b"f" * 32, ann.id, "late", ["account"], expires=0, who="x", maker=b"c" * 32)

    asyncio.run(story())


def test_figures_are_of_what_one_sees(store):
    async def story():
        for to, copies in (("ann@home.example", 2), ("bob@away.example", 3)):
            for _ in range(copies):
                await store.journal.keep(quarantined(recipients=(recipient(to),)))
        both = (recipient("ann@home.example"), recipient("bob@away.example"))
        await store.journal.keep(quarantined(recipients=both))
        for sight, messages, stopped in (
            (ALL, 6, 7),
            (Sight.of(domains=["home.example"]), 3, 3),
            (Sight.of(["bob@away.example"]), 4, 4),
            (Sight.of(domains=["other.example"]), 0, 0),
        ):
            found = await store.stats.overview(sight=sight)
            assert (messages, stopped) == (found.messages, found.actions.get("quarantine", 0))
            assert messages == sum(found.scores.values()) == sum(sum(d.values()) for d in found.days.values())
            volume = await store.figures.volume(since=0, bucket_s=3600, sight=sight)
            assert stopped == sum(sum(span.values()) for span in volume.values())
            assert messages == sum(n for _, n in await store.figures.senders(since=0, sight=sight))
            rules = await store.figures.rules(since=0, sight=sight)
            assert {messages} - {0} == {rule.messages for rule in rules}
            assert stopped == sum(p.copies for p in await store.past.copies(since=0, sight=sight))

    asyncio.run(story())


def test_saved_searches_are_those_of_one_person(store):
    async def story():
        searches = store.searches
        ann, ben = [await store.people.add(Person(0, name, Role.USER), who="test") for name in ("ann", "ben")]
        first = await searches.save(ann.id, "Bills", "subject:bill", everything=False)
        again = await searches.save(ann.id, "Bills", "subject:bill -from:ben", everything=True)
        assert (first.id, True) == (again.id, again.everything)
        other = await searches.save(ann.id, "A", "", everything=False)
        assert [other, again] == await searches.of(ann.id)
        assert [] == await searches.of(ben.id)
        assert not await searches.rename(ben.id, first.id, "taken over")
        assert not await searches.remove(ben.id, first.id)
        with pytest.raises(UserError):
            await searches.rename(ann.id, other.id, "Bills")
        assert [True, True] == [await searches.rename(ann.id, other.id, "Ällerlei 😀") for _ in range(2)]
        assert await searches.remove(ann.id, first.id)
        assert ["Ällerlei 😀"] == [one.name for one in await searches.of(ann.id)]
        for number in range(49):
            await searches.save(ann.id, f"{number}", "x", everything=False)
        with pytest.raises(UserError):
            await searches.save(ann.id, "one more", "x", everything=False)
        await store.people.remove(ann, who="test")
        assert [] == await searches.of(ann.id)

    asyncio.run(story())


def test_a_second_factor_is_confirmed_used_once_and_taken_away(store):
    async def story():
        people, factors, now = store.people, store.second_factors, time.time()
        ann = await people.add(Person(0, "ann@home.example", Role.USER), who="test")
        await factors.wait(b"h" * 32, ann.id, expires=now + 60, now=now)
        assert ann == await factors.waiting(b"h" * 32, now=now)
        assert await factors.waiting(b"h" * 32, now=now + 61) is None
        assert [True, False] == [await factors.finish(b"h" * 32), await factors.finish(b"h" * 32)]

        await factors.propose(ann.id, "OLD")
        await factors.propose(ann.id, "NEW")
        assert ("NEW", False) == await factors.secret(ann.id)
        assert not await factors.use_step(ann.id, 1), "before it is confirmed no code lets in"
        for digest in (b"k" * 32, b"s" * 32):
            await people.begin(digest, ann.id, remote="", now=now, who="test")
        codes = [b"1" * 32, b"2" * 32]
        assert not await factors.confirm(ann.id, "OLD", 5, codes, keep=b"k" * 32, who="test")
        assert await factors.confirm(ann.id, "NEW", 5, codes, keep=b"k" * 32, who="test")
        assert not await factors.confirm(ann.id, "NEW", 6, codes, keep=b"k" * 32, who="test")
        kept = await people.holder(b"k" * 32, idle_since=0, begun_since=0)
        assert kept is not None
        assert kept[0].second_factor
        assert await people.holder(b"s" * 32, idle_since=0, begun_since=0) is None
        await factors.propose(ann.id, "OTHER")
        assert ("NEW", True) == await factors.secret(ann.id)

        assert [False, True, False] == [await factors.use_step(ann.id, step) for step in (5, 6, 6)]
        assert [True, False] == [await factors.use_code(ann.id, b"1" * 32, who="test") for _ in range(2)]
        assert not await factors.use_code(ann.id + 1, b"2" * 32, who="test")
        assert 1 == await factors.codes_left(ann.id)
        await factors.set_codes(ann.id, [b"3" * 32, b"4" * 32], who="test")
        assert 2 == await factors.codes_left(ann.id)
        assert await factors.remove(ann, who="test", end_sessions=True)
        assert await people.holder(b"k" * 32, idle_since=0, begun_since=0) is None
        assert 0 == await factors.codes_left(ann.id)
        assert not await factors.remove(ann, who="test")
        assert [] == await store.audit.verify()

    asyncio.run(story())


def test_an_identity_belongs_to_one_person_and_he_has_one_of_each_issuer(store):
    async def story():
        people, identities = store.people, store.identities
        ann = await people.add(Person(0, "ann@home.example", Role.USER, ("ann@home.example",)), who="test")
        first = Identity("https://one.example", "Subject-A")
        assert await identities.holder(first) is None
        assert await identities.link(ann, first, who="test")
        assert not await identities.link(ann, Identity("https://one.example", "subject-a"), who="test")
        assert await identities.link(ann, Identity("https://two.example", "Subject-A"), who="test")
        assert ann.id == (await identities.holder(first)).id
        assert await identities.holder(Identity("https://one.example", "subject-a")) is None
        assert (await people.named("ann@home.example")).single_sign_on
        assert await identities.remove(ann, who="test")
        assert not await identities.remove(ann, who="test")
        assert await identities.holder(first) is None

    asyncio.run(story())


def test_a_passkey_is_found_by_its_id_used_and_removed_by_its_owner(store):
    async def story():
        people, passkeys, now = store.people, store.passkeys, time.time()
        ann, bob = [
            await people.add(
                Person(0, f"{name}@home.example", Role.USER, (f"{name}@home.example",)), who="test"
            )
            for name in ("ann", "bob")
        ]
        key = Passkey(bytes(range(256)), b"\x00\xffcose", 3, "Telephone")
        await passkeys.add(ann, key, keep=b"", who="test")
        with pytest.raises(UserError):
            await passkeys.add(bob, key, keep=b"", who="test")
        holder, known = await passkeys.holder(key.credential)
        assert (ann.id, key.public_key, 3) == (holder.id, known.public_key, known.sign_count)
        assert holder.second_factor
        assert await passkeys.use(known, 4, b"c" * 32, expires=now + 9, now=now)
        assert not await passkeys.use(known, 5, b"c" * 32, expires=now + 9, now=now)
        assert not await passkeys.answer(b"c" * 32, expires=now + 9, now=now)
        assert await passkeys.answer(b"c" * 32, expires=now + 30, now=now + 20)
        [after] = await passkeys.of(ann.id)
        assert 4 == after.sign_count
        assert after.used
        await passkeys.remove(bob.id, key.name, who="test")
        await passkeys.rename(ann.id, key.name, "Old telephone")
        assert ["Old telephone"] == [one.label for one in await passkeys.of(ann.id)]
        await passkeys.remove(ann.id, key.name, who="test")
        assert await passkeys.holder(key.credential) is None
        assert not await passkeys.remove_all(ann, who="test")

    asyncio.run(story())


def test_a_provider_opens_sessions_says_what_somebody_is_in_them_and_ends_them(store):
    async def story():
        people, sign_ons, now = store.people, store.sign_ons, time.time()
        ben = await people.add(Person(0, "ben@home.example", Role.USER, ("ben@home.example",)), who="test")
        known = Identity("https://login.example", "4711", session="s1")
        role = ClaimedRole("hosting", Role.DOMAIN_ADMIN, ("home.example", ".home.example"))

        async def holder(name, given_since=0.0):
            found = await people.holder(name * 32, idle_since=0, begun_since=0, given_since=given_since)
            return found and (found[0].role, found[0].domains, found[0].role_is_given)

        async def begin(name, half=b"", **how):
            times = {"remote": "192.0.2.1", "now": now, "who": "test"} | how
            await people.begin(name * 32, ben.id, half=half, **times)

        await begin(b"a")
        await sign_ons.note(b"a" * 32, ben, known, role, who="test")
        given = (Role.DOMAIN_ADMIN, role.domains, True)
        assert given == await holder(b"a")
        assert await holder(b"a", given_since=now + 9) is None
        await sign_ons.note(b"h" * 32, ben, known, role, who="test")
        await begin(b"b", half=b"h" * 32)
        assert given == await holder(b"b"), "it goes on from the half to the whole"
        await begin(b"p")
        assert (Role.USER, (), False) == await holder(b"p"), "a password gives what the account is"
        await begin(b"c")
        await sign_ons.note(b"c" * 32, ben, known, None, who="test")
        assert [None, None] == [await holder(b"a"), await holder(b"b")], "it is no longer said"
        assert (Role.USER, (), False) == await holder(b"c")

        def logout(token, subject="", session=""):
            return Logout(known.issuer, subject, session, token * 32, now + 60)

        assert 0 == await sign_ons.end(logout(b"1", subject="another"))
        assert 0 == await sign_ons.end(logout(b"2", subject="another", session="s1"))
        assert 1 == await sign_ons.end(logout(b"3", session="s1"))
        assert await holder(b"c") is None
        assert await sign_ons.end(logout(b"3", subject="4711")) is None, "it counts once"
        assert (Role.USER, (), False) == await holder(b"p")
        await begin(b"d")
        await sign_ons.note(b"d" * 32, ben, known, role, who="test")
        await begin(b"e", forget_before=now + 1)
        assert [None, None] == [await holder(b"d"), await holder(b"p")], "lapsed ones are forgotten"

    asyncio.run(story())
