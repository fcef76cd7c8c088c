"""Digests on the command line and by the service, with real mail on both sides."""

import email
import re
from email.policy import default
from pathlib import Path

import pytest
from tests.support.installation import CLEAN, QUARANTINE, Installation, hop_beside

WEB = ("--set", "web.url=https://q.example.org")


def acquainted(house, name: str) -> str:
    """An address that has got a message, and so is known."""
    address = f"{name}@home.example"
    house.lazaret.send_found(CLEAN, address, subject=f"digest hello {name}")
    return address


def test_a_digest_is_previewed_and_then_sent_once(house):
    carl = acquainted(house, "digest.carl")
    house.lazaret.send_found(QUARANTINE, carl, subject="digest preview")
    text = house.lazaret.output("digest", "preview", carl, *WEB)

    assert "digest preview\n" in text
    assert 2 == len(re.findall(r"https://q\.example\.org/d/[A-Za-z0-9_-]+", text))
    assert "<!doctype html>" in house.lazaret.output("digest", "preview", carl, "--html", *WEB)

    (sent,) = house.lazaret.output("digest", "send", carl, *WEB).splitlines()
    assert sent.startswith(f"{carl} 250 2.0.0 from MTA(")
    message = email.message_from_bytes(house.hop.of(carl)[-1], policy=default)
    assert "1 message is in your quarantine" == message["Subject"]
    assert "" == house.hop.received[-1].envelope.sender
    assert f"{carl} 250 2.0.0 nothing to tell\n" == house.lazaret.output("digest", "send", carl, *WEB)


def test_status_says_who_waits_and_what_was_answered(house):
    dora = acquainted(house, "digest.dora")
    house.lazaret.send_found(QUARANTINE, dora, subject="digest status")
    house.lazaret.output("digest", "send", dora, *WEB)
    house.lazaret.send_found(QUARANTINE, dora, subject="digest status again")
    (row,) = [r for r in house.lazaret.rows("digest", "status", "--json", *WEB) if r["to"] == dora]

    assert (1, False, "sent") == (row["new"], row["late"], row["state"])
    assert row["response"].startswith("250 2.0.0 from MTA(")
    assert ["RECIPIENT", "NEW", "NEXT", "LAST", "ANSWER"] == (
        house.lazaret.output("digest", "status", *WEB).splitlines()[0].split()
    )


def test_exit_statuses_tell_the_truth(house):
    eve = acquainted(house, "digest.eve")
    house.lazaret.send_found(QUARANTINE, eve, subject="digest exit")
    try:
        house.hop.rcpt[eve] = "450 4.2.0 busy"
        assert 75 == house.lazaret.run("digest", "send", eve, *WEB).returncode
        house.hop.rcpt[eve] = "550 5.1.1 no such user"
        assert 69 == house.lazaret.run("digest", "send", eve, *WEB).returncode
    finally:
        house.hop.rcpt.clear()
    for address, status, words in (
        ("zoe@far.example", 67, b"is not in local.domains"),
        ("nobody@home.example", 67, b"is not known here"),
        ("no address", 65, b"is not a mail address"),
    ):
        done = house.lazaret.run("digest", "send", address, *WEB)
        assert (status, 1) == (done.returncode, done.stderr.count(b"\n"))
        assert words in done.stderr
    assert 78 == house.lazaret.run("digest", "send", eve).returncode


@pytest.fixture
def service(tmp_path: Path, free_port):
    """An installation whose service sends digests at every hour, and the next hop."""
    with hop_beside() as hop:
        lazaret = Installation(tmp_path, next_hop=hop.at.endpoint.port, smtp=free_port(), http=free_port())
        with lazaret.file.open("a") as file:
            file.write('[web]\nurl = "https://q.example.org"\n')
            file.write(f"[digest]\nenabled = true\nhours = {list(range(24))}\ntime_zone = 'UTC'\n")
        yield lazaret, hop


def an_hour_earlier(lazaret: Installation, hours: int = 1) -> None:
    lazaret.write("UPDATE msgs SET time_num = time_num - ?", hours * 3600)


def test_the_service_sends_what_is_due_and_a_restart_does_not_repeat_it(service):
    lazaret, hop = service
    fay = "fay@home.example"
    with lazaret.service():
        lazaret.send_found(CLEAN, fay, subject="hello")
        lazaret.send_found(QUARANTINE, fay, subject="kept")
    an_hour_earlier(lazaret)
    for _ in range(2):
        with lazaret.service():
            lazaret.wait(lambda: [1] == [n for (n,) in lazaret.query(SENT)])
    [digest] = [octets for octets in hop.of(fay) if octets.startswith(b"Message-ID: <digest.")]
    assert b"Subject: 1 message is in your quarantine\r\n" in digest


SENT = "SELECT count(*) FROM lz_digests WHERE state = 'sent'"


def test_a_digest_that_is_not_sent_shows_in_figures_self_test_and_log(service):
    lazaret, hop = service
    gus = "gus@home.example"
    with lazaret.service():
        lazaret.send_found(CLEAN, gus, subject="hello")
        lazaret.send_found(QUARANTINE, gus, subject="kept")
    an_hour_earlier(lazaret, 3)
    hop.rcpt[gus] = "450 4.2.0 busy"
    with lazaret.service():
        lazaret.wait(lambda: "lazaret_digests_late 1.0" in lazaret.page("/metrics"))
        assert "lazaret_digests_failed_total 1.0" in lazaret.page("/metrics")
        tested = lazaret.run("selftest")
        assert (1, 1) == (
            tested.returncode,
            tested.stdout.count(b"WARNING: digest not sent for over an hour"),
        )
        assert "digest not sent for over an hour to 1 recipients" in lazaret.output("stats")
        (figures,) = lazaret.rows("stats", "--json")
        assert 1 == figures["digests_late"]
        assert 1 == lazaret.run("digest", "status").returncode
    assert f"(!)digest not sent for over an hour to 1 recipients: <{gus}>" in lazaret.log()
