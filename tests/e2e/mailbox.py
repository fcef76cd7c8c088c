"""Reads the Maildirs of the private Dovecot straight from disk."""

from pathlib import Path

from .waiting import until


class Mailboxes:
    """All mailboxes, of people here and out there: whoever gets mail has one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The messages in one folder, oldest first, with LF line ends."""
        maildir = self._maildir(address) / ("" if folder == "INBOX" else f".{folder}")
        files = [path for sub in ("new", "cur") for path in maildir.glob(f"{sub}/*")]
        return [path.read_bytes() for path in sorted(files, key=lambda path: path.stat().st_mtime_ns)]

    def wait(self, address: str, folder: str = "INBOX", *, count: int = 1) -> list[bytes]:
        """The same, once there are at least `count` of them."""

        def enough() -> list[bytes]:
            found = self.messages(address, folder)
            return found if len(found) >= count else []

        return until(f"{count} in {folder} of {address}", enough)

    def all_messages(self, address: str) -> list[bytes]:
        """INBOX and Junk together."""
        return self.messages(address) + self.messages(address, "Junk")

    def domains(self) -> set[str]:
        """The domains of everybody who ever got a message."""
        return {path.name for path in self.root.iterdir()}

    def _maildir(self, address: str) -> Path:
        local, _, domain = address.partition("@")
        return self.root / domain / local / "Maildir"
