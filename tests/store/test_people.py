"""People, the record of acts, tokens and figures, on every kind of database."""

import asyncio
import time

import pytest

from lazaret.model.errors import UserError
from lazaret.model.person import Person, Role


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
        await people.end(b"s" * 32, who="test")
        assert await people.holder(b"s" * 32, idle_since=0, begun_since=0) is None

        await people.failed(["name:x", "from:y"], now=now, forget_before=now - 60)
        assert [(1, int(now)), (0, 0)] == [tuple(r) for r in await people.failures(["name:x", "z"], since=0)]
        await people.succeeded("name:x")
        assert 0 == (await people.failures(["name:x"], since=0))[0][0]

        await store.tokens.add(b"t" * 32, ann.id, "script", ["read"], expires=0, who="test")
        assert ("read",) == (await store.tokens.holder(b"t" * 32, now=now))[1]
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
        assert ["token-add", "logout", "login"] == acts
        assert [] == await store.audit.page(who="nobody")
        assert [] == await store.audit.verify()

    asyncio.run(story())
