"""A private Dovecot: LMTP with Sieve into Maildirs, for any address, below one directory."""

import shutil
import subprocess
from pathlib import Path

from . import documented
from .mailbox import Mailboxes
from .waiting import until

_CONFIG = """\
protocols = lmtp
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
service lmtp {{
  unix_listener {home}/lmtp {{
    mode = 0666
  }}
}}
{documented}
"""


def missing() -> str:
    """Why there can be no private Dovecot here; "" when there can."""
    if shutil.which("dovecot") is None or shutil.which("sievec") is None:
        return "needs the packages dovecot-core, dovecot-lmtpd, dovecot-sieve"
    version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True).stdout
    return "" if version.startswith("2.3") else f"writes the settings of Dovecot 2.3, found {version.strip()}"


class Dovecot:
    """One running instance. `home` must be reachable by every user and have a short path (sockets)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = home / "lmtp"
        self.mailboxes = Mailboxes(home / "mail")

    def start(self) -> None:
        sieve = self.home / "spam-to-junk.sieve"
        shutil.copy(documented.SIEVE, sieve)
        for directory in ("run", "state", "mail"):
            (self.home / directory).mkdir()
        shutil.chown(self.home / "mail", "mail", "mail")
        snippet = documented.substitute(
            documented.blocks("dovecot.conf", "junk"), {"/etc/dovecot/spam-to-junk.sieve": str(sieve)}
        )
        config = self.home / "dovecot.conf"
        config.write_text(_CONFIG.format(home=self.home, documented=snippet))
        subprocess.run(["sievec", "-c", config, sieve], check=True)
        self._process = subprocess.Popen(["dovecot", "-F", "-c", config])
        until("Dovecot's LMTP socket", self.socket.exists)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
