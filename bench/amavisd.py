"""amavisd-new with SpamAssassin from Debian's packages, no network, no virus scanner, no bans."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from processes import START_S, answers

PORT = 12224

_CONFIGURATION = r"""
use strict;
do '/etc/amavis/conf.d/01-debian' or die; do '/etc/amavis/conf.d/20-debian_defaults' or die;
$daemon_user = 'amavis'; $daemon_group = 'amavis';
$myhostname = 'bench.example.net'; $mydomain = 'example.net';
$MYHOME = '@HOME@'; $TEMPBASE = $db_home = $QUARANTINEDIR = $helpers_home = $MYHOME;
$lock_file = "$MYHOME/amavisd.lock"; $pid_file = "$MYHOME/amavisd.pid"; $unix_socketname = undef;
@local_domains_maps = ( [ '.example.net' ] ); $max_servers = @CHILDREN@;
$inet_socket_bind = '127.0.0.1'; $inet_socket_port = @PORT@; @inet_acl = ('127.0.0.1');
$forward_method = $notify_method = 'smtp:[127.0.0.1]:@NEXT@';
$DO_SYSLOG = 0; $LOGFILE = "$MYHOME/amavis.log"; $log_level = 0;
$sa_local_tests_only = 1; $enable_dkim_verification = 0; $enable_dkim_signing = 0;
$sa_userprefs_file = '@HOME@/prefs';
@bypass_virus_checks_maps = (1); @bypass_spam_checks_maps = (); @av_scanners = (); @av_scanners_backup = ();
$sa_tag_level_deflt = -999; $sa_tag2_level_deflt = $sa_kill_level_deflt = 5.0; $sa_dsn_cutoff_level = -999;
$final_spam_destiny = $final_virus_destiny = $final_banned_destiny = $final_bad_header_destiny = D_PASS;
$spam_quarantine_method = $virus_quarantine_method = undef;
$banned_files_quarantine_method = $bad_header_quarantine_method = undef;
$virus_admin = $spam_admin = $banned_admin = $bad_header_admin = undef;
1;
"""


def missing() -> str:
    """The program that is needed and not installed."""
    return "" if shutil.which("amavisd") else "amavisd-new"


@contextmanager
def running(folder: Path, workers: int, next_port: int, more: str = "") -> Iterator[Sequence[int]]:
    """As a daemon: in the foreground it would not fork, as it does in service. Gives its pid, alone.

    `more`: further lines of its configuration.
    """
    home = folder / "home"  # amavisd's own; that of its configuration it must not be able to write.
    home.mkdir()
    folder.chmod(0o755)
    text = _CONFIGURATION
    for name, value in {"HOME": home, "PORT": PORT, "NEXT": next_port, "CHILDREN": workers}.items():
        text = text.replace(f"@{name}@", str(value))
    configuration = folder / "amavisd.conf"
    configuration.write_text(text.removesuffix("1;\n") + more + "1;\n")
    (home / "prefs").write_text("use_bayes 0\n")
    subprocess.run(["chown", "-R", "amavis:", str(home)], check=True)
    with (folder / "out").open("wb") as output:
        subprocess.run(
            ["amavisd", "-c", str(configuration), "start"],
            check=True, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    pid_file = home / "amavisd.pid"
    try:
        deadline = time.monotonic() + START_S
        while not (answers(PORT) and pid_file.exists()):
            if time.monotonic() > deadline:
                sys.exit(f"amavisd did not start:\n{(home / 'amavis.log').read_text()}")
            time.sleep(0.1)
        yield [int(pid_file.read_text())]
    finally:
        subprocess.run(["amavisd", "-c", str(configuration), "stop"], cwd=home, capture_output=True)
