"""The directory of users that the private Postfix asks: who exists, and for whom the answer fails just now.

It is a socketmap server (Postfix socketmap_table(5)), because Postfix asks one anew for each recipient:
so a test can make a recipient vanish, or fail for a while, between the first hop and the second.
"""

import socketserver
import threading
from pathlib import Path


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while length := self._length():
            name, _, key = self.rfile.read(length + 1)[:-1].decode("utf-8", "surrogateescape").partition(" ")
            answer = self.server.directory.answer(name, key).encode()  # type: ignore[attr-defined]
            self.wfile.write(b"%d:%s," % (len(answer), answer))

    def _length(self) -> int:
        digits = b""
        while (octet := self.rfile.read(1)).isdigit():
            digits += octet
        return int(digits or b"0")


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Directory:
    """Any address in the domain exists, except `nobody@`, and except where the sets below say otherwise."""

    def __init__(self, socket_path: Path, domain: str) -> None:
        self.domain = domain
        self.unknown: set[str] = {f"nobody@{domain}"}
        """These do not exist: 550."""
        self.failing: set[str] = set()
        """For these the directory cannot answer: 451."""
        self.aliases: dict[str, str] = {}
        """virtual_alias_maps."""
        self.copies: dict[str, str] = {}
        """recipient_bcc_maps."""
        self._path = socket_path

    def start(self) -> None:
        self._server = _Server(str(self._path), _Handler)
        self._server.directory = self  # type: ignore[attr-defined]
        self._path.chmod(0o666)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def table(self, name: str) -> str:
        """How main.cf names one of the tables: "mailboxes", "aliases", "copies"."""
        return f"socketmap:unix:{self._path}:{name}"

    def answer(self, name: str, key: str) -> str:
        if name == "aliases":
            return f"OK {self.aliases[key]}" if key in self.aliases else "NOTFOUND "
        if name == "copies":
            return f"OK {self.copies[key]}" if key in self.copies else "NOTFOUND "
        if key in self.failing:
            return "TEMP the test says so"
        local, _, domain = key.rpartition("@")
        known = bool(local) and domain == self.domain and key not in self.unknown
        return "OK here" if known else "NOTFOUND "
