"""Real Postfix, Dovecot and Lazaret, started once per test process and set-up, below one directory in /tmp.

Every set-up has a Postfix and a Lazaret of its own; the Dovecot and the directory of users serve all.
They stand on free ports and touch nothing of the system's own, so any number of sets can run at once.
Nothing leaves the machine: mail for any domain ends in a Maildir of that Dovecot.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.ports import free_ports

from . import dovecot, postfix
from .directory import Directory
from .documented import Ports
from .dovecot import Dovecot
from .mailbox import Mailboxes
from .place import Place
from .postfix import Postfix
from .service import Lazaret


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A directory that every user can reach, with a path short enough for sockets below it."""
    with tempfile.TemporaryDirectory(prefix="lazaret-e2e-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def mail_servers() -> None:
    """Skips when Postfix and Dovecot cannot run here."""
    if os.geteuid() != 0:
        pytest.skip("a private Postfix needs root")
    for why_not in (postfix.missing(), dovecot.missing()):
        if why_not:
            pytest.skip(why_not)


@pytest.fixture(scope="session")
def private_dovecot(home: Path, mail_servers: None) -> Iterator[Dovecot]:
    (home / "dovecot").mkdir()
    server = Dovecot(home / "dovecot")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mailboxes(private_dovecot: Dovecot) -> Mailboxes:
    return private_dovecot.mailboxes


@pytest.fixture(scope="session")
def directory(home: Path) -> Iterator[Directory]:
    users = Directory(home / "users", "example.com")
    users.start()
    yield users
    users.stop()


@pytest.fixture
def users(directory: Directory) -> Iterator[Directory]:
    """The directory of users; what a test changes in it is gone after the test."""
    unknown = set(directory.unknown)
    yield directory
    directory.unknown = unknown
    directory.failing.clear()
    directory.aliases.clear()
    directory.copies.clear()


def _start_postfix(home: Path, setup: tuple[str, ...], directory: Directory, lmtp: Path) -> Iterator[Postfix]:
    place = home / setup[0]
    (place / "postfix").mkdir(parents=True)
    server = Postfix(place / "postfix", setup, Ports(*free_ports(9)))
    server.configure(directory, lmtp)
    server.start()
    yield server
    server.stop()


def _start_lazaret(postfix: Postfix) -> Iterator[Lazaret]:
    place = postfix.home.parent / "lazaret"
    place.mkdir()
    running = Lazaret(place, postfix.ports)
    running.configure()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def lmtp_postfix(home: Path, directory: Directory, private_dovecot: Dovecot) -> Iterator[Postfix]:
    yield from _start_postfix(
        home, ("after-queue-lmtp", "submission-after-queue"), directory, private_dovecot.socket
    )


@pytest.fixture(scope="session")
def smtp_postfix(home: Path, directory: Directory, private_dovecot: Dovecot) -> Iterator[Postfix]:
    yield from _start_postfix(
        home, ("after-queue-smtp", "submission-before-queue"), directory, private_dovecot.socket
    )


@pytest.fixture(scope="session")
def proxy_postfix(home: Path, directory: Directory, private_dovecot: Dovecot) -> Iterator[Postfix]:
    yield from _start_postfix(
        home, ("before-queue", "submission-before-queue"), directory, private_dovecot.socket
    )


@pytest.fixture(scope="session")
def lmtp_lazaret(lmtp_postfix: Postfix) -> Iterator[Lazaret]:
    yield from _start_lazaret(lmtp_postfix)


@pytest.fixture(scope="session")
def smtp_lazaret(smtp_postfix: Postfix) -> Iterator[Lazaret]:
    yield from _start_lazaret(smtp_postfix)


@pytest.fixture(scope="session")
def proxy_lazaret(proxy_postfix: Postfix) -> Iterator[Lazaret]:
    yield from _start_lazaret(proxy_postfix)


def _place(postfix: Postfix, lazaret: Lazaret, mailboxes: Mailboxes, users: Directory) -> Iterator[Place]:
    logged_before = len(lazaret.log()), len(postfix.log())
    yield Place(postfix, lazaret, mailboxes, users)
    # pytest shows this when the test failed: what the two servers said meanwhile.
    print(lazaret.log()[logged_before[0] :], postfix.log()[logged_before[1] :], sep="\n")
    postfix.clear()


@pytest.fixture
def by_lmtp(
    lmtp_postfix: Postfix, lmtp_lazaret: Lazaret, mailboxes: Mailboxes, users: Directory
) -> Iterator[Place]:
    """After the queue, fed by LMTP; submission after the queue."""
    yield from _place(lmtp_postfix, lmtp_lazaret, mailboxes, users)


@pytest.fixture
def by_smtp(
    smtp_postfix: Postfix, smtp_lazaret: Lazaret, mailboxes: Mailboxes, users: Directory
) -> Iterator[Place]:
    """After the queue, fed by SMTP; submission before the queue."""
    yield from _place(smtp_postfix, smtp_lazaret, mailboxes, users)


@pytest.fixture(params=["by_lmtp", "by_smtp"])
def after_queue(request: pytest.FixtureRequest) -> Place:
    """Both set-ups after the queue, one after the other."""
    place: Place = request.getfixturevalue(request.param)
    return place


@pytest.fixture
def before_queue(
    proxy_postfix: Postfix, proxy_lazaret: Lazaret, mailboxes: Mailboxes, users: Directory
) -> Iterator[Place]:
    """Before the queue; submission before the queue."""
    yield from _place(proxy_postfix, proxy_lazaret, mailboxes, users)
