"""The release client that Debian ships with amavisd-new, unchanged but for its socket, releases from us."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from .mail import QUARANTINE, Message, compose, fresh, send
from .place import Place


def _original() -> Path:
    """The script, where the package is installed or where tests/install-packages unpacked it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for root in (Path("/"), Path(cache) / "lazaret-tests" / "amavisd-new"):
        script = root / "usr" / "sbin" / "amavisd-release"
        if script.exists():
            return script
    pytest.skip("needs amavisd-release of the package amavisd-new")


def _client(tmp_path: Path, socket: str) -> Path:
    """A copy of the script with `$socketname` edited, as its documentation says."""
    script, edits = re.subn(
        r"^(\s*)\$socketname = '[^']*';",
        rf"\g<1>$socketname = '{socket}';",
        _original().read_text(),
        count=1,
        flags=re.M,
    )
    assert 1 == edits
    copy = tmp_path / "amavisd-release"
    copy.write_text(script)
    return copy


def _quarantine(place: Place, anna: str) -> tuple[str, Message]:
    seller = fresh("seller", "spam.com")
    message = compose(seller, anna, QUARANTINE)
    send(place.port, seller, anna, message)
    place.postfix.drain()
    return str(place.lazaret.find_one(f"from:{seller}")["id"]), message


def _run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["perl", "-T", script, *arguments], capture_output=True, text=True, timeout=30)


def test_the_id_alone_releases_over_the_unix_socket(by_lmtp: Place, tmp_path: Path) -> None:
    anna = fresh("anna")
    mail_id, message = _quarantine(by_lmtp, anna)

    done = _run(_client(tmp_path, str(by_lmtp.lazaret.ampdp_socket)), mail_id)
    assert 0 == done.returncode, done.stderr
    assert done.stderr.startswith("250 2."), done.stderr
    [delivered] = by_lmtp.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)


def test_id_and_secret_release_over_tcp_and_the_id_alone_does_not(by_lmtp: Place, tmp_path: Path) -> None:
    anna = fresh("anna")
    mail_id, message = _quarantine(by_lmtp, anna)
    script = _client(tmp_path, f"127.0.0.1:{by_lmtp.lazaret.ports.ampdp}")

    refused = _run(script, mail_id)
    assert "Secret_id is required" in refused.stderr
    assert [] == by_lmtp.mailboxes.all_messages(anna)

    done = _run(script, mail_id, by_lmtp.lazaret.secret(mail_id))
    assert done.stderr.startswith("250 2."), done.stderr
    [delivered] = by_lmtp.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(delivered)
