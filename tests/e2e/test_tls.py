"""Under TLS both ways with a real Postfix: as our client it verifies us, as our next hop we verify it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.ports import free_ports

from .conftest import _start_lazaret
from .directory import Directory
from .documented import Ports
from .dovecot import Dovecot
from .mail import compose, fresh, send
from .mailbox import Mailboxes
from .place import Place
from .postfix import Postfix
from .service import Lazaret
from .waiting import until

FRIEND = "friend@friends.example"
NAME = "localhost"
"""What both certificates are for: `relay.next_hop` names Postfix by it, and Postfix knows us by it."""


@pytest.fixture(scope="module")
def certificate(home: Path) -> Path:
    """Key and certificate in one file, which is its own authority; readable for every user."""
    if not shutil.which("openssl"):
        pytest.skip("needs the package openssl")
    file = home / "pair.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", f"{file}.key", "-out", f"{file}.crt"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    file.write_text(Path(f"{file}.key").read_text() + Path(f"{file}.crt").read_text())
    file.chmod(0o644)
    return file


@pytest.fixture(scope="module")
def postfix(
    home: Path, directory: Directory, private_dovecot: Dovecot, certificate: Path
) -> Iterator[Postfix]:
    """The documented set-up, with TLS demanded where the page has none, since all is on one machine."""
    place = home / "tls"
    (place / "postfix").mkdir(parents=True)
    server = Postfix(place / "postfix", ("after-queue-smtp",), Ports(*free_ports(8)))
    server.configure(directory, private_dovecot.socket)
    master = place / "postfix" / "etc" / "master.cf"
    verify = (
        f"smtp_tls_security_level=verify\n  -o smtp_tls_CAfile={certificate}.crt\n"
        f"  -o smtp_tls_verify_cert_match={NAME}\n  -o smtp_tls_loglevel=1"
    )
    demand = f"smtpd_tls_security_level=encrypt\n  -o smtpd_tls_chain_files={certificate}"
    text = master.read_text()
    text = text.replace("smtp_tls_security_level=none", verify)
    text = text.replace("smtpd_tls_security_level=none", demand)
    master.write_text(text + "tlsmgr unix - - n 1000? 1 tlsmgr\n")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def lazaret(postfix: Postfix, certificate: Path) -> Iterator[Lazaret]:
    starting = _start_lazaret(postfix)
    running = next(starting)
    running.stop()
    text = running.config.read_text()
    text = text.replace(
        "[listen]\n", f'[listen]\ntls_certificate = "{certificate}"\ntls_required = true\n', 1
    )
    text = re.sub(
        r"\[relay\]\nnext_hop = \"smtp:\[127\.0\.0\.1\]:(\d+)\"",
        rf'[relay]\nnext_hop = "smtp:[{NAME}]:\1"\ntls = "verify"\ntls_ca = "{certificate}.crt"',
        text,
    )
    running.config.write_text(text)
    running.start()
    yield running
    next(starting, None)


@pytest.fixture
def place(postfix: Postfix, lazaret: Lazaret, mailboxes: Mailboxes, users: Directory) -> Iterator[Place]:
    yield Place(postfix, lazaret, mailboxes, users)
    print(lazaret.log(), postfix.log(), sep="\n")
    postfix.clear()


def test_mail_goes_under_tls_both_ways(place: Place) -> None:
    anna = fresh("anna")
    send(place.port, FRIEND, anna, message := compose(FRIEND, anna))

    [stored] = place.mailboxes.wait(anna)
    assert message.digest() == message.digest_within(stored)
    fields = re.findall(r"^Received:.*(?:\n[ \t].*)*", stored.decode("latin-1"), re.MULTILINE)
    [ours] = [field for field in fields if "(lazaret" in field]
    assert " with ESMTPS" in " ".join(ours.split())
    assert "Verified TLS connection established to 127.0.0.1[127.0.0.1]" in place.postfix.log()


def test_mail_waits_while_the_certificate_of_the_next_hop_is_not_valid(place: Place) -> None:
    good = place.lazaret.config.read_text()
    anna = fresh("anna")
    place.lazaret.stop()
    place.lazaret.config.write_text(re.sub(r"(?m)^tls_ca = .*\n", "", good))
    place.lazaret.start()
    try:
        send(place.port, FRIEND, anna, compose(FRIEND, anna))
        [waiting] = until("a deferral", place.postfix.deferred)
        assert "certificate verify failed" in str(waiting["recipients"])
        assert [] == place.mailboxes.all_messages(anna)
    finally:
        place.lazaret.stop()
        place.lazaret.config.write_text(good)
        place.lazaret.start()
    place.postfix.flush()
    place.postfix.drain()
    assert 1 == len(place.mailboxes.wait(anna))
