"""Started as root, the service becomes somebody else before it touches mail."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.service import send, service

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others can reach, unlike those of pytest."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_workers_database_and_sockets_belong_to_the_service_user(folder: Path, free_port: Callable[[], int]):
    nobody = pwd.getpwnam("nobody")
    more = '[service]\nuser = "nobody"\n[log]\nto = "./log"\n'
    # Without the desk: it reads its pages after the fork, where the user may not reach the packages.
    with service(folder, smtp=free_port(), hop=1, http="", more=more) as running:
        assert send(running.smtp, "wonder pills").startswith("250 2.7.0")
        users = {Path(f"/proc/{pid}").stat().st_uid for pid in (running.process.pid, *running.children())}
        assert {nobody.pw_uid} == users
        data = folder / "data"
        made = [data, data / "lazaret.db", data / "ampdp.sock", folder / "log"]
        assert [(nobody.pw_uid, nobody.pw_gid)] * 4 == [(p.stat().st_uid, p.stat().st_gid) for p in made]
        assert [0o700, 0o600, 0o660] == [stat.S_IMODE(p.stat().st_mode) for p in made[:3]]
