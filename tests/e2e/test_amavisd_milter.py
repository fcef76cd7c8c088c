"""Debian's amavisd-milter, between a real Postfix and us: content checks over AM.PDP."""

import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.ports import free_ports

from lazaret.flow.policies import LOOK_S

from .directory import Directory
from .documented import Ports
from .dovecot import Dovecot
from .mail import KILL, MARK, QUARANTINE, Message, compose, fresh, send
from .mailbox import Mailboxes
from .place import Place
from .postfix import Postfix
from .service import Lazaret
from .waiting import accepts, until

DEADLY = """
import os, signal
from lazaret.app import for_filter

class Deadly:
    name, symbols = "deadly", {}

    def run(self, scan):
        if b"kills-any-process" in scan.message.raw:
            os.kill(os.getpid(), signal.SIGKILL)
        return iter(())

ordinary = for_filter.checks
for_filter.checks = lambda ruleset, *more, **keys: [*ordinary(ruleset, *more, **keys), Deadly()]
"""


@pytest.fixture(scope="module")
def milter_place(
    home: Path, directory: Directory, private_dovecot: Dovecot, mailboxes: Mailboxes
) -> Iterator[Place]:
    """A Postfix that asks amavisd-milter, which asks us."""
    program = shutil.which("amavisd-milter", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("needs the package amavisd-milter")
    folder = home / "amavisd-milter"
    for name in ("postfix", "lazaret", "work"):
        (folder / name).mkdir(parents=True)
    (folder / "work").chmod(0o750)  # it wants no directory that everybody reaches
    ports = Ports(*free_ports(9))
    lazaret = Lazaret(folder / "lazaret", ports, prelude=DEADLY)
    lazaret.configure()
    lazaret.add(f'\n[ampdp]\nwork_dir = "{folder / "work"}"\n')
    lazaret.start()
    with (folder / "milter.log").open("wb") as log:
        milter = subprocess.Popen(
            [
                *(program, "-f", "-s", f"inet:{ports.milter}@127.0.0.1", "-p", folder / "milter.pid"),
                *("-S", lazaret.ampdp_socket, "-w", folder / "work", "-D", "client"),
            ],
            stdout=log,
            stderr=log,
        )
    postfix = Postfix(folder / "postfix", ("amavisd-milter",), ports)
    try:
        until("amavisd-milter", lambda: accepts(ports.milter))
        postfix.configure(directory, private_dovecot.socket)
        postfix.start()
        yield Place(postfix, lazaret, mailboxes, directory)
        postfix.stop()
    finally:
        milter.terminate()
        milter.wait(20)
        # pytest shows this when a test failed.
        print(lazaret.log(), postfix.log(), (folder / "milter.log").read_text(errors="replace"), sep="\n")
        lazaret.stop()


def test_a_clean_message_goes_on_with_our_fields_and_its_own_octets(milter_place: Place) -> None:
    anna = fresh("anna")
    message = compose("friend@friends.example", anna)
    send(milter_place.port, "friend@friends.example", anna, message)

    [delivered] = milter_place.mailboxes.wait(anna)
    assert b"\nX-Spam-Flag: NO\n" in delivered
    assert message.digest() == message.digest_within(delivered)


def test_a_marked_message_is_filed_into_junk(milter_place: Place) -> None:
    anna = fresh("anna")
    send(milter_place.port, "shop@spam.com", anna, compose("shop@spam.com", anna, MARK))

    [filed] = milter_place.mailboxes.wait(anna, "Junk")
    assert b"\nSubject: ***SPAM*** Greetings\n" in filed
    assert b"\nX-Spam-Flag: YES\n" in filed


def test_a_killed_message_is_refused_while_its_sender_is_still_there(milter_place: Place) -> None:
    anna = fresh("anna")
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(milter_place.port, "seller@spam.com", anna, compose("seller@spam.com", anna, KILL))

    assert 554 == refusal.value.smtp_code
    assert b"5.7.0 Reject" in refusal.value.smtp_error
    assert [] == milter_place.mailboxes.all_messages(anna)


def test_a_quarantined_message_is_accepted_found_and_released(milter_place: Place) -> None:
    anna = fresh("anna")
    seller = fresh("seller", "spam.com")
    message = compose(seller, anna, QUARANTINE)
    send(milter_place.port, seller, anna, message)
    milter_place.postfix.drain()
    assert [] == milter_place.mailboxes.all_messages(anna)

    mail_id = milter_place.lazaret.find_one(f"from:{seller}")["id"]
    assert 0 == milter_place.lazaret.run("release", mail_id).returncode
    [delivered] = milter_place.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)


def test_who_is_not_to_have_it_is_taken_out_and_the_others_have_it(milter_place: Place) -> None:
    anna, ben = fresh("anna"), fresh("ben")
    seller = fresh("seller", "spam.com")
    done = milter_place.lazaret.run("block", "add", seller, "--for", ben)
    assert 0 == done.returncode, done.stderr
    time.sleep(LOOK_S)  # until every worker looks again
    message = compose(seller, anna)
    with smtplib.SMTP("127.0.0.1", milter_place.port) as client:
        client.sendmail(seller, [anna, ben], message.octets)

    [delivered] = milter_place.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)
    assert [] == milter_place.mailboxes.all_messages(ben)


def test_a_message_over_which_workers_die_is_kept_unread_and_the_others_pass(milter_place: Place) -> None:
    """Its client hears 451 as often as it kills, and brings it again; then the milter is told to discard."""
    anna, ben = fresh("anna"), fresh("ben")
    poisoner = fresh("poisoner", "spam.com")
    poison = compose(poisoner, anna, "kills-any-process")
    heard = []
    for _ in range(20):
        try:
            send(milter_place.port, poisoner, anna, poison)
            break
        except smtplib.SMTPResponseException as refusal:
            heard.append(refusal.smtp_code)
        innocent = compose("friend@friends.example", ben)
        until("the innocent", lambda innocent=innocent: _is_taken(milter_place, ben, innocent))
    milter_place.postfix.drain()

    assert heard
    assert {451} == set(heard)
    assert "(!!)POISON" in milter_place.lazaret.log()
    assert [] == milter_place.mailboxes.all_messages(anna)
    assert len(heard) == len(milter_place.mailboxes.wait(ben, count=len(heard)))
    mail_id = milter_place.lazaret.find_one(f"from:{poisoner}")["id"]
    assert 0 == milter_place.lazaret.run("release", mail_id).returncode
    [delivered] = milter_place.mailboxes.wait(anna)
    assert poison.digest() == poison.digest_within(delivered)


def _is_taken(place: Place, recipient: str, message: Message) -> bool:
    try:
        send(place.port, "friend@friends.example", recipient, message)
    except smtplib.SMTPResponseException:
        return False
    return True
