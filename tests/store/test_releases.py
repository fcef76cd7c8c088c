"""The journal of releases: who may send, what is recorded, and what a crash leaves behind."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lazaret.model.delivery import Answer
from lazaret.model.errors import NoSuchMessage, Reply
from lazaret.model.quarantine import ReleaseRecord, State
from lazaret.store.opening import Store

from .conftest import Place
from .entries import quarantined, recipient

PROCESS = Path(__file__).with_name("process.py")
OK = Reply(250, "2.0.0", "from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as X")
LATER = Reply(451, "4.5.0", "try again")
NEVER = Reply(550, "5.1.1", "no such user")
ANN = "Ann@home.example"


def kept(store: Store) -> str:
    entry = quarantined(recipients=(recipient(ANN), recipient("bob@home.example")))
    asyncio.run(store.journal.keep(entry))
    return entry.mail_id


def claim(
    store: Store,
    mail_id: str,
    resent: str,
    *,
    again: bool = False,
    to: Sequence[str] = (ANN,),
    digest: bytes = b"d",
) -> tuple[ReleaseRecord, ...]:
    asked = store.quarantine.claim(
        mail_id, to, who="root", resent_message_id=resent, digest=digest, again=again
    )
    return asyncio.run(asked)


def settle(store: Store, claims: Sequence[ReleaseRecord], reply: Reply) -> None:
    answers = [Answer(one.recipient, reply) for one in claims]
    asyncio.run(store.quarantine.settle(claims, answers))


def states(store: Store, mail_id: str) -> list[State]:
    return [copy.state for copy in asyncio.run(store.quarantine.detail(mail_id)).item.copies]


@contextmanager
def claiming(
    place: Place, mail_id: str, resent: str, *, start: float = 0.0, stay: float
) -> "Iterator[subprocess.Popen[str]]":
    """A process that claims Ann's copy at the time `start` and stays for some seconds."""
    command = [
        sys.executable,
        PROCESS,
        "claim",
        place.url,
        place.data_dir,
        mail_id,
        resent,
        str(start),
        str(stay),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=place.environment) as process:
        yield process


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_release_is_claimed_sent_and_recorded(store: Store, place: Place) -> None:
    mail_id = kept(store)
    claims = claim(store, mail_id, "<r1@h>")
    assert [("claimed", ANN, "<r1@h>")] == [(c.state, c.recipient, c.resent_message_id) for c in claims]
    settle(store, claims, OK)
    assert [State.RELEASED, State.QUARANTINED] == states(store, mail_id)
    detail = asyncio.run(store.quarantine.detail(mail_id))
    assert [("sent", "root", str(OK))] == [(r.state, r.who, r.response) for r in detail.releases]
    assert str(OK) == detail.item.copies[0].response
    letters = place.execute("SELECT rs FROM msgrcpt ORDER BY rseqnum")
    assert [("R",), (" ",)] == letters


def test_a_second_release_is_not_sent_unless_asked_for_again(store: Store) -> None:
    mail_id = kept(store)
    settle(store, claim(store, mail_id, "<r1@h>"), OK)
    (second,) = claim(store, mail_id, "<r2@h>")
    assert ("released", str(OK)) == (second.state, second.response)
    (third,) = claim(store, mail_id, "<r3@h>", again=True)
    assert ("claimed", "<r3@h>") == (third.state, third.resent_message_id)


@pytest.mark.parametrize("reply", [LATER, NEVER])
def test_a_release_that_was_not_accepted_can_be_tried_again(store: Store, reply: Reply) -> None:
    mail_id = kept(store)
    settle(store, claim(store, mail_id, "<r1@h>"), reply)
    assert State.QUARANTINED == states(store, mail_id)[0]
    assert "claimed" == claim(store, mail_id, "<r2@h>")[0].state


def test_another_address_may_have_it_too(store: Store) -> None:
    mail_id = kept(store)
    claims = claim(store, mail_id, "<r1@h>", to=(ANN, "boss@else.example"))
    assert ["claimed", "claimed"] == [one.state for one in claims]
    settle(store, claims, OK)
    assert [State.RELEASED, State.QUARANTINED] == states(store, mail_id)


def test_what_another_tool_released_is_released(store: Store, place: Place) -> None:
    mail_id = kept(store)
    place.execute("UPDATE msgrcpt SET rs = 'R' WHERE mail_id = ? AND rseqnum = 1", (mail_id,))
    assert "released" == claim(store, mail_id, "<r1@h>")[0].state


def test_a_claim_in_this_process_is_busy(store: Store) -> None:
    mail_id = kept(store)
    claim(store, mail_id, "<r1@h>")
    assert "busy" == claim(store, mail_id, "<r2@h>")[0].state
    assert "busy" == claim(store, mail_id, "<r2@h>", again=True)[0].state


def test_an_unknown_message_cannot_be_claimed(store: Store) -> None:
    with pytest.raises(NoSuchMessage):
        claim(store, "nosuch111111", "<r1@h>")


def test_an_undeleted_message_that_was_released_is_released_again(store: Store) -> None:
    mail_id = kept(store)
    settle(store, claim(store, mail_id, "<r1@h>"), OK)
    asyncio.run(store.quarantine.set_deleted(mail_id, True, who="x"))
    asyncio.run(store.quarantine.set_deleted(mail_id, False, who="x"))
    assert [State.RELEASED, State.QUARANTINED] == states(store, mail_id)


def test_a_claim_that_a_crash_left_open_is_uncertain(store: Store, place: Place) -> None:
    mail_id = kept(store)
    with claiming(place, mail_id, "<first@h>", stay=60) as process:
        assert "claimed" == said(process)
        assert State.QUARANTINED == states(store, mail_id)[0]
        assert "busy" == claim(store, mail_id, "<second@h>", again=True)[0].state
        process.kill()
    assert State.UNCERTAIN == states(store, mail_id)[0]
    assert ["uncertain"] == [r.state for r in asyncio.run(store.quarantine.detail(mail_id)).releases]
    assert 1 == asyncio.run(store.quarantine.count("state:uncertain"))
    assert "uncertain" == claim(store, mail_id, "<second@h>")[0].state
    (again,) = claim(store, mail_id, "<third@h>", again=True)
    assert ("claimed", "<first@h>") == (again.state, again.resent_message_id)
    settle(store, [again], OK)
    assert State.RELEASED == states(store, mail_id)[0]


def test_of_two_processes_that_claim_at_once_one_wins(store: Store, place: Place) -> None:
    mail_id = kept(store)
    start = time.time() + 1.0
    # Each stays at work until both have asked, or the winner's claim would be that of a crash.
    with (
        claiming(place, mail_id, "<a@h>", start=start, stay=1.5) as one,
        claiming(place, mail_id, "<b@h>", start=start, stay=1.5) as other,
    ):
        assert ["busy", "claimed"] == sorted([said(one), said(other)])


def test_our_own_copy_is_known_once_per_recipient(store: Store) -> None:
    mail_id = kept(store)
    claims = claim(store, mail_id, "<r1@h>", to=(ANN, "bob@home.example"), digest=b"right")
    settle(store, claims, OK)
    journal = store.journal

    def passes(resent: str, digest: bytes, *recipients: str) -> bool:
        return asyncio.run(journal.released_copy(resent, digest, recipients))

    assert not passes("<guess@h>", b"right", ANN)
    assert not passes("<r1@h>", b"wrong", ANN)
    assert not passes("<r1@h>", b"right", ANN, "other@home.example")
    assert passes("<r1@h>", b"right", ANN)
    assert not passes("<r1@h>", b"right", ANN)
    asyncio.run(journal.expect_again("<r1@h>", [ANN]))
    assert passes("<r1@h>", b"right", ANN)
    assert passes("<r1@h>", b"right", "bob@home.example")
    assert not passes("<r1@h>", b"right")
    assert not passes("", b"right", ANN)


def test_a_copy_that_comes_by_before_its_answer_is_known_already(store: Store) -> None:
    mail_id = kept(store)
    claims = claim(store, mail_id, "<r1@h>")
    assert not asyncio.run(store.journal.released_copy("<r1@h>", b"any", [ANN]))
    assert asyncio.run(store.journal.released_copy("<r1@h>", b"d", [ANN]))
    settle(store, claims, OK)
    assert not asyncio.run(store.journal.released_copy("<r1@h>", b"d", [ANN]))
