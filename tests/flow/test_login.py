"""Guessing: what is tried at the same time counts as what is tried one after the other."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from tests.support.mailroom import _store_in

from lazaret.flow.login import TRIES_PER_NAME, Doorkeeper, LoginFailed, Refusal
from lazaret.flow.sealing import Seal
from lazaret.flow.second_factor import SecondFactor
from lazaret.model.person import Person, Role

PASSWORD = "four words for tests"
PLACE = "192.0.2.7"


@asynccontextmanager
async def door(folder):
    """(doorkeeper, second factor, ann), who has a password."""
    store = _store_in(folder)
    doorkeeper = Doorkeeper(store.people, store.second_factors)
    factor = SecondFactor(store.second_factors, store.people, doorkeeper, "home.example", Seal(bytes(32)))
    ann = await store.people.add(Person(0, "ann@home.example", Role.USER), who="test")
    await doorkeeper.accept(await doorkeeper.invite(ann, who="test"), PASSWORD, remote=PLACE)
    try:
        yield doorkeeper, factor, ann
    finally:
        doorkeeper.close()
        store.close()


def refusals(answers):
    return [answer.why for answer in answers if isinstance(answer, LoginFailed)]


@pytest.mark.parametrize("way", ["login", "change"])
def test_passwords_that_are_guessed_all_at_once_are_counted_all(tmp_path, way):
    """The right one comes last, when as many have failed as may."""

    async def main():
        async with door(tmp_path) as (doorkeeper, _, ann):

            def guess(password):
                if way == "login":
                    return doorkeeper.login(ann.name, password, remote=PLACE)
                return doorkeeper.change_password(ann, password, "five other words here", remote=PLACE)

            guesses = [guess(f"guess number {n}") for n in range(30)]
            return refusals(await asyncio.gather(*guesses, guess(PASSWORD), return_exceptions=True))

    seen = asyncio.run(main())

    assert 31 == len(seen)
    assert Refusal.LOCKED is seen[-1]
    assert TRIES_PER_NAME <= seen.count(Refusal.PASSWORD) <= TRIES_PER_NAME + 4


def test_codes_that_are_guessed_all_at_once_are_counted_all(tmp_path):
    async def main():
        async with door(tmp_path) as (_, factor, ann):
            guesses = [factor.check(ann, f"{n:06}", remote=PLACE) for n in range(50)]
            return refusals(await asyncio.gather(*guesses, return_exceptions=True))

    assert [Refusal.CODE] * TRIES_PER_NAME + [Refusal.LOCKED] * 45 == asyncio.run(main())
