"""A real amavisd-new of Debian's, which writes what it bans into a database."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tests.support import databases
from tests.support.databases import PASSWORD, USER, Server
from tests.support.ports import free_port

START_S = 60.0
PARTITION = 47


def require(kind: str) -> None:
    """Skips when it cannot be run."""
    driver = "DBD::mysql" if kind == "mariadb" else "DBD::Pg"
    if shutil.which("amavisd", path="/usr/sbin") is None:
        pytest.skip("there is no amavisd: Debian package amavisd-new, installed")
    tried = subprocess.run(["perl", f"-M{driver}", "-MNet::Server", "-e1"], capture_output=True)
    if tried.returncode:
        pytest.skip(f"there is no {driver}: Debian packages libdbd-mysql-perl, libdbd-pg-perl")


class Amavisd:
    """One that listens on a port of its own until it is ended."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        home, owner = self._folder / "home", self._owner()
        for path in (home, home / "tmp", home / "db"):
            path.mkdir()
            if owner:
                os.chown(path, owner.pw_uid, owner.pw_gid)
        # It refuses a configuration that it could change itself.
        file = self._folder / "amavisd.conf"
        file.write_text(self._configuration())
        if owner:
            os.chown(file, 0, owner.pw_gid)
        file.chmod(0o640)
        databases.open_way(home)
        self._folder.chmod(0o755)
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                ["/usr/sbin/amavisd", "-c", str(file), "foreground"], stdout=log, stderr=log, cwd="/"
            )
        end = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"amavisd does not start: {self.log()}")
                time.sleep(0.05)

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def log(self) -> str:
        return (self._folder / "log").read_text("utf-8", "replace")[-3000:]

    def _owner(self) -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        for name in ("amavis", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        return None

    def _configuration(self) -> str:
        owner = self._owner() or pwd.getpwuid(os.geteuid())
        driver = "mysql" if self._server.kind == "mariadb" else "Pg"
        place = f"DBI:{driver}:database=mail;host=127.0.0.1;port={self._server.port}"
        group = owner.pw_gid
        return f"""
use strict;
$daemon_user = '{owner.pw_name}';
$daemon_group = '{group}';
$MYHOME = '{self._folder}/home';
$TEMPBASE = '{self._folder}/home/tmp';
$db_home = '{self._folder}/home/db';
$pid_file = '{self._folder}/home/amavisd.pid';
$lock_file = '{self._folder}/home/amavisd.lock';
$mydomain = 'home.example';
$myhostname = 'mx.home.example';
@local_domains_maps = ( [".home.example"] );
$inet_socket_bind = '127.0.0.1';
$inet_socket_port = {self.port};
$unix_socketname = undef;
@inet_acl = qw( 127.0.0.1 );
$max_servers = 2;
$enable_db = 0;
$enable_dkim_verification = 0;
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
@bypass_header_checks_maps = (1);
@decoders = ( ['mail', \\&do_mime_decode] );
$banned_filename_re = new_RE( qr'\\.exe$'i );
$final_banned_destiny = D_DISCARD;
$banned_files_quarantine_method = 'sql:';
@banned_quarantine_to_maps = ( 'sql-quarantine' );
$notify_method = undef;
$forward_method = undef;
$warnbannedsender = 0;
@banned_admin_maps = ();
@storage_sql_dsn = ( ['{place}', '{USER}', '{PASSWORD}'] );
$sql_allow_8bit_address = 1;
$partition_tag = {PARTITION};
$log_level = 1;
$do_syslog = 0;
1;
"""
