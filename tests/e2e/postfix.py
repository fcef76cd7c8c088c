"""A private Postfix instance below one directory, set up with the blocks of docs/postfix.md."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import documented
from .directory import Directory
from .documented import Ports
from .mail import TRAVELLER
from .waiting import accepts, until

MESSAGE_SIZE_LIMIT = 1_000_000

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
myhostname = mx.example.com
mydestination =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8, {traveller}
local_header_rewrite_clients =
alias_maps =
message_size_limit = {size_limit}
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, permit_auth_destination, reject
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = {mailboxes}
virtual_alias_maps = {aliases}
recipient_bcc_maps = {copies}
virtual_transport = lmtp:unix:{lmtp}
default_transport = lmtp:unix:{lmtp}
relay_transport = lmtp:unix:{lmtp}
local_transport = lmtp:unix:{lmtp}
virtual_destination_recipient_limit = 1
"""

MASTER = """\
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

_PUBLIC_SMTP = """\
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_reject_unlisted_recipient=no
"""
"""Takes any recipient in, so that a test can have the second hop refuse or defer one."""


def missing() -> str:
    """Why there can be no private Postfix here; "" when there can."""
    return "" if shutil.which("postfix") else "needs the package postfix"


class Postfix:
    """One running instance. `home` must be reachable by every user: Postfix drops its rights."""

    def __init__(self, home: Path, setup: tuple[str, ...], ports: Ports) -> None:
        self.home = home
        self.setup = setup
        self.ports = ports
        self._config = home / "etc"

    def configure(self, directory: Directory, lmtp: Path) -> None:
        """Writes main.cf and master.cf: ours, then the documented blocks of the set-up."""
        for name in ("etc", "queue", "data"):
            (self.home / name).mkdir()
        shutil.chown(self.home / "data", "postfix")
        main = _MAIN.format(
            home=self.home,
            traveller=TRAVELLER,
            size_limit=MESSAGE_SIZE_LIMIT,
            domain=directory.domain,
            mailboxes=directory.table("mailboxes"),
            aliases=directory.table("aliases"),
            copies=directory.table("copies"),
            lmtp=lmtp,
        )
        master = documented.blocks("master.cf", *self.setup)
        if not re.search(r"^smtp +inet", master, re.MULTILINE):
            master = _PUBLIC_SMTP + master
        values = self.ports.substitutions()
        main += documented.substitute(documented.blocks("main.cf", *self.setup), values)
        (self._config / "main.cf").write_text(main)
        (self._config / "master.cf").write_text(MASTER + documented.substitute(master, values))

    def start(self) -> None:
        self._run("postfix", "start")
        until(f"Postfix on port {self.ports.smtp}", lambda: accepts(self.ports.smtp))

    def stop(self) -> None:
        self._run("postfix", "stop")

    def complaints(self) -> str:
        """What Postfix says against its configuration; "" when it likes it."""
        return self._run("postconf", "-n").stderr + self._run("postfix", "check").stderr

    def queue(self) -> list[dict[str, object]]:
        """One object per message in the queue, in the form of postqueue(1) -j."""
        return [json.loads(line) for line in self._run("postqueue", "-j").stdout.splitlines()]

    def drain(self) -> None:
        """Waits until the queue is empty: then every message has met its fate."""
        until("an empty queue", lambda: not self.queue())

    def deferred(self) -> list[dict[str, object]]:
        """Waits until nothing is under way; what lies in the queue to be tried later."""
        until("a quiet queue", lambda: all(m["queue_name"] == "deferred" for m in self.queue()))
        return self.queue()

    def flush(self) -> None:
        """Tries everything in the queue again, now."""
        self._run("postqueue", "-f")

    def requeue(self) -> None:
        """Takes everything in the queue in anew, under today's configuration."""
        self._run("postsuper", "-r", "ALL")
        self.flush()

    def clear(self) -> None:
        """Throws away what lies in the queue, so that no test leaves mail to the next."""
        self._run("postsuper", "-d", "ALL")

    def log(self) -> str:
        return (self.home / "maillog").read_text(errors="replace")

    @contextmanager
    def without_documented_main_cf(self) -> Iterator[None]:
        """Takes the documented lines out of main.cf for a while, as "The way back" says."""
        main = self._config / "main.cf"
        before = main.read_text()
        lines = documented.substitute(documented.blocks("main.cf", *self.setup), self.ports.substitutions())
        try:
            main.write_text(before.removesuffix(lines))
            self._run("postfix", "reload")
            yield
        finally:
            main.write_text(before)
            self._run("postfix", "reload")

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [command, "-c", str(self._config), *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
