"""A private Dovecot: LMTP with Sieve into Maildirs, for any address, and IMAP on them."""

import shutil
import subprocess
from pathlib import Path

from tests.support.ports import free_port

from . import documented
from .mailbox import Mailboxes
from .service import COMMAND
from .waiting import accepts, until

_CONFIG = """\
protocols = lmtp imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
ssl = no
first_valid_uid = 1
auth_username_format = %Lu
mail_location = maildir:~/Maildir
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={home}/mail/%d/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener {home}/lmtp {{
    mode = 0666
  }}
}}
{documented}
"""


def missing() -> str:
    """Why there can be no private Dovecot here; "" when there can."""
    imap = Path("/usr/lib/dovecot/imap-login")
    if shutil.which("dovecot") is None or shutil.which("sievec") is None or not imap.exists():
        return "needs the packages dovecot-core, dovecot-imapd, dovecot-lmtpd, dovecot-sieve"
    version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True).stdout
    return "" if version.startswith("2.3") else f"writes the settings of Dovecot 2.3, found {version.strip()}"


class Dovecot:
    """One running instance. `home` must be reachable by every user and have a short path (sockets)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = home / "lmtp"
        self.mailboxes = Mailboxes(home / "mail")
        self.imap = free_port()
        """The port of IMAP: any address may log in, with any password."""

    def start(self) -> None:
        scripts = [shutil.copy(script, self.home) for script in sorted(documented.SIEVE.glob("*.sieve"))]
        for directory in ("run", "state", "mail"):
            (self.home / directory).mkdir()
        shutil.chown(self.home / "mail", "mail", "mail")
        self.teach(Path("/nowhere"))
        snippet = documented.substitute(
            documented.blocks("dovecot.conf", "junk", "learn"),
            {
                "/etc/dovecot/": f"{self.home}/",
                "/usr/local/bin/lazaret": str(self._command),
                "user = lazaret": "user = root",
                "user = vmail": "user = mail",
            },
        )
        config = self.home / "dovecot.conf"
        config.write_text(_CONFIG.format(home=self.home, imap=self.imap, documented=snippet))
        for script in scripts:
            subprocess.run(["sievec", "-c", config, script], check=True)
        self._process = subprocess.Popen(["dovecot", "-F", "-c", config])
        until("Dovecot's LMTP socket", self.socket.exists)
        until("Dovecot's IMAP", lambda: accepts(self.imap))

    @property
    def _command(self) -> Path:
        return self.home / "lazaret"

    def teach(self, config: Path) -> None:
        """From now on the Lazaret of this configuration is taught."""
        self._command.write_text(f'#!/bin/sh\nexec {COMMAND} "$@" --config {config}\n')
        self._command.chmod(0o755)

    def log(self) -> str:
        return (self.home / "dovecot.log").read_text(errors="replace")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
