"""Digests at their time, and the alarm when one is not sent."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from lazaret.daemon.board import Board, Cell, Row
from lazaret.daemon.postman import Postman
from lazaret.flow.digest import Sent, Standing
from lazaret.model.digest import Wish
from lazaret.model.errors import Reply, StoreUnavailable

TAKEN = Sent("ann@home.example", 2, Reply(250, "2.0.0", "Ok"))
DEFERRED = Sent("bob@home.example", 1, Reply(450, "4.2.0", "busy"))
REFUSED = Sent("cat@home.example", 1, Reply(550, "5.1.1", "no such user"))
NOTHING = Sent("dan@home.example", 0, Reply(250, "2.0.0", "nothing to tell"))
LATE = Standing("bob@home.example", Wish(), 1, None, None, late=True)


@dataclass
class Digests:
    """What the next rounds bring."""

    sent: list[Sent] = field(default_factory=list)
    waiting: list[Standing] = field(default_factory=list)

    async def run(self, tell):
        for one in self.sent:
            tell(one)
        return self.sent

    async def late(self):
        return self.waiting


def round_of(digests: Digests, row: Row) -> tuple[bool, float]:
    """Whether all was taken, and how long the postman waits then, at 7 minutes past."""
    postman = Postman(digests, row, clock=lambda: 7 * 60.0)  # type: ignore[arg-type]
    done = asyncio.run(postman.round())
    return done, postman._pause(done)


def test_what_was_sent_and_what_failed_is_counted():
    row = Board().row(0)
    round_of(Digests([TAKEN, DEFERRED, REFUSED, NOTHING]), row)
    assert (1, 2) == (row[Cell.DIGESTS_SENT], row[Cell.DIGESTS_FAILED])


def test_he_comes_again_at_the_full_quarter_and_sooner_while_something_waits():
    row = Board().row(0)
    assert (True, 8 * 60 + 1) == round_of(Digests([TAKEN, REFUSED]), row)
    assert (False, 60) == round_of(Digests([DEFERRED]), row)
    assert (False, 60) == round_of(Digests([], [LATE]), row)


def test_a_digest_that_is_late_is_an_alarm_once_and_its_end_is_told(caplog: pytest.LogCaptureFixture):
    row = Board().row(0)
    digests = Digests([], [LATE])
    postman = Postman(digests, row)  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO):
        asyncio.run(postman.round())
        asyncio.run(postman.round())
        assert 1 == row[Cell.DIGESTS_LATE]
        digests.waiting = []
        asyncio.run(postman.round())
    assert 0 == row[Cell.DIGESTS_LATE]
    assert [
        "(!)digest not sent for over an hour to 1 recipients: <bob@home.example>",
        "no digest is late any more",
    ] == [record.getMessage() for record in caplog.records]


def test_a_database_that_is_down_ends_no_postman(caplog: pytest.LogCaptureFixture):
    class Broken(Digests):
        async def run(self, tell):
            raise StoreUnavailable("planted")

    async def main() -> None:
        task = asyncio.create_task(Postman(Broken(), Board().row(0)).run())  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()

    asyncio.run(main())
    assert "no digests are sent; it is tried again in a minute" in caplog.text
