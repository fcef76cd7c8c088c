"""The command of amavisd, on the running service."""

import pytest
from tests.support.installation import AMAVISD_RELEASE, ANN, BOB, QUARANTINE

from lazaret.cli.amavisd_release import request_of


def run(house, *words, stdin=b""):
    """The command, on the service of the house."""
    return house.lazaret.run(*words, stdin=stdin, command=AMAVISD_RELEASE)


def test_the_reply_is_on_stdout_and_stderr(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="amavisd one")
    done = run(house, mail_id)

    assert 0 == done.returncode
    assert done.stdout.startswith(b"250 2.0.0 ")
    assert done.stdout == done.stderr


def test_secret_and_recipient_are_arguments(house):
    mail_id = house.lazaret.send_found(QUARANTINE, ANN, BOB, subject="amavisd secret")
    ((secret,),) = house.lazaret.query("SELECT secret_id FROM msgs WHERE mail_id = ?", mail_id)
    wrong = run(house, mail_id, "AAAAAAAAAAAA")
    done = run(house, mail_id, secret, BOB)

    assert (69, 0) == (wrong.returncode, done.returncode)
    assert (BOB,) == house.hop.received[-1].envelope.addresses


def test_requests_are_read_from_stdin(house):
    ids = [house.lazaret.send_found(QUARANTINE, subject=f"amavisd stdin {n}") for n in range(2)]
    done = run(house, "-", stdin=f"# a comment\n\n{ids[0]}\nnobodyknows1\n{ids[1]}\n".encode())

    assert 69 == done.returncode
    assert ["250", "550", "250"] == [line.split()[0] for line in done.stdout.decode().splitlines()]


def test_a_service_that_does_not_run_may_be_tried_again(bare):
    done = bare.run("abcdefghijkl", command=AMAVISD_RELEASE)

    assert (75, 1) == (done.returncode, done.stderr.count(b"\n"))
    assert b"is it running?" in done.stderr


def test_a_service_that_hangs_up_may_be_tried_again(bare):
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close()).start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        done = bare.run("abcdefghijkl", "--set", f"listen.ampdp={place}", command=AMAVISD_RELEASE)

    assert (75, 1) == (done.returncode, done.stderr.count(b"\n"))


@pytest.mark.parametrize(
    ("called", "request_"),
    [("amavisd-release", "release"), ("amavisd-requeue", "requeue"), ("amavisd-report", "report")],
)
def test_its_name_says_what_is_asked_for(called, request_):
    assert request_ == request_of(called)
