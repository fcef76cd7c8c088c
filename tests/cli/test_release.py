"""Releasing on the command line: one line per recipient, and an honest exit status."""

import json

import pytest
from tests.support.installation import ANN, BOB, CLEAN, QUARANTINE, message


@pytest.fixture(autouse=True)
def obliging(house):
    """The next hop takes everything, before and after each test."""
    yield
    house.hop.rcpt.clear()
    house.hop.end.clear()


def test_each_recipient_has_a_line_with_the_answer_of_the_mta(house):
    mail_id = house.lazaret.send_found(QUARANTINE, ANN, BOB, subject="release lines")
    lines = house.lazaret.output("release", mail_id).splitlines()
    hop = house.hop.at

    assert 2 == len(lines)
    for address, line in zip((ANN, BOB), lines, strict=True):
        assert line.startswith(f"{mail_id} {address} 250 2.0.0 from MTA({hop}): 250 2.0.0 Ok: queued as Q")
    assert house.hop.received[-1].octets.endswith(message(QUARANTINE, subject="release lines"))


def test_several_ids_are_released_though_one_is_not_there(house):
    ids = [house.lazaret.send_found(QUARANTINE, subject=f"release several {n}") for n in range(2)]
    done = house.lazaret.run("release", ids[0], "nobodyknows1", ids[1], ids[0])

    assert 66 == done.returncode
    assert ids == [line.split()[0] for line in done.stdout.decode().splitlines()]
    assert b"lazaret: no message nobodyknows1\n" == done.stderr


def test_a_deferred_release_exits_75_and_stays_releasable(house):
    mail_id = house.lazaret.send_found(QUARANTINE, ANN, BOB, subject="release deferred")
    house.hop.rcpt[BOB] = "450 4.2.0 mailbox busy"
    deferred = house.lazaret.run("release", mail_id)
    house.hop.rcpt.clear()
    again = house.lazaret.run("release", mail_id)

    assert (75, 0) == (deferred.returncode, again.returncode)
    assert f"{mail_id} {BOB} 450 4.2.0 from MTA".encode() in deferred.stdout
    assert f"{mail_id} {ANN} 250 already released".encode() in again.stdout
    assert 1 == house.hop.copies[BOB] - before(house, BOB, "release deferred")


def before(house, address, subject):
    """Copies that the recipient got of other messages."""
    return sum(subject.encode() not in octets for octets in house.hop.of(address))


def test_a_refused_release_exits_69(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release refused")
    house.hop.rcpt[ANN] = "550 5.1.1 no such user"
    done = house.lazaret.run("release", mail_id)

    assert 69 == done.returncode
    assert f"{mail_id} {ANN} 550 5.1.1 from MTA".encode() in done.stdout


def test_a_release_while_the_next_hop_is_down_exits_75(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release down")
    done = house.lazaret.run("release", mail_id, "--set", "relay.release=smtp:[127.0.0.1]:1")

    assert 75 == done.returncode
    assert f"{mail_id} {ANN} 4".encode() in done.stdout


def test_a_second_release_is_sent_with_again_only(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release second")
    house.lazaret.output("release", mail_id)
    sent = len(house.hop.received)
    silent = house.lazaret.output("release", mail_id)

    assert silent.startswith(f"{mail_id} {ANN} 250 already released; --again sends it once more (250 2.0.0 ")
    assert sent == len(house.hop.received)

    assert " 250 2.0.0 from MTA" in house.lazaret.output("release", mail_id, "--again")
    assert sent + 1 == len(house.hop.received)


def test_a_person_on_a_terminal_is_asked_before_a_second_release(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release asked")
    house.lazaret.output("release", mail_id)
    sent = len(house.hop.received)

    status, lines = house.lazaret.on_terminal("release", mail_id, answer="n\n")
    assert (0, sent) == (status, len(house.hop.received))
    assert any(f"{mail_id} {ANN} was released before. Send it once more? [y/N]" in line for line in lines)

    status, lines = house.lazaret.on_terminal("release", mail_id, answer="y\n")
    assert (0, sent + 1) == (status, len(house.hop.received))


def test_to_sends_it_to_another_address_of_ours(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release to")
    house.lazaret.output("release", mail_id, "--to", "helpdesk@home.example")

    assert ("helpdesk@home.example",) == house.hop.received[-1].envelope.addresses


def test_an_address_outside_needs_a_word_more(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release outside")
    refused = house.lazaret.run("release", mail_id, "--to", "zoe@far.example")

    assert 77 == refused.returncode
    assert (
        b"lazaret: zoe@far.example is not in local.domains; add --outside if you mean it\n" == refused.stderr
    )

    house.lazaret.output("release", mail_id, "--to", "zoe@far.example", "--outside")
    assert ("zoe@far.example",) == house.hop.received[-1].envelope.addresses


def test_delivered_mail_cannot_be_released(house):
    mail_id = house.lazaret.send_found(CLEAN, subject="release delivered")
    done = house.lazaret.run("release", mail_id)

    assert done.returncode in (65, 66)
    assert b"" == done.stdout
    assert 1 == done.stderr.count(b"\n")


def test_json_says_the_same_in_objects(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="release json")
    first, second = (json.loads(house.lazaret.output("release", mail_id, "--json")) for _ in range(2))

    assert (mail_id, ANN, "released", True) == tuple(first[k] for k in ("id", "to", "state", "sent"))
    assert first["response"].startswith("250 2.0.0 from MTA(")
    assert ("released", False) == (second["state"], second["sent"])
