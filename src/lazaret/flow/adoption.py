"""Taking over what another filter has quarantined: exact octets, each message once, nobody told of it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from lazaret.flow import amavis_file, needs
from lazaret.flow.amavis_file import NotStoredByAmavis, StoredFile
from lazaret.model.entry import Entry
from lazaret.model.errors import NoSuchMessage, UserError

BATCH = 50
BATCH_OCTETS = 8 << 20
"""Files to a transaction, at most: they are all in memory at once."""


class Fate(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    KNOWN = "known"
    """Its message lies in the quarantine already."""
    COMPLETED = "completed"
    """The message was in the history, logged by amavisd; now it has its text."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Adopted:
    """One file and what became of it."""

    file: str
    fate: Fate
    reason: str = ""
    """Why it was skipped."""
    time: float = 0.0
    """When its message came in."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """Puts the files of amavisd's quarantine into ours."""

    texts: needs.Texts
    journal: needs.Journal
    is_local: Callable[[str], bool]

    async def run(self, files: Iterable[StoredFile], tell: Callable[[Adopted], None]) -> None:
        """Takes the files in and tells what became of each. StoreUnavailable when the database fails."""
        for batch in _batches(files):
            await self._take(batch, tell)

    async def _take(self, batch: list[StoredFile], tell: Callable[[Adopted], None]) -> None:
        entries: dict[str, tuple[StoredFile, Entry]] = {}
        for file in batch:
            if file.fault:
                tell(Adopted(file.name, Fate.SKIPPED, file.fault))
                continue
            try:
                entry = amavis_file.read(file, self.is_local)
            except NotStoredByAmavis as e:
                tell(Adopted(file.name, Fate.SKIPPED, str(e)))
                continue
            if entry.mail_id in entries:  # amavisd keeps a copy for each kind of quarantine
                tell(Adopted(file.name, Fate.KNOWN, time=entry.time))
                continue
            entries[entry.mail_id] = file, entry
        known = await self.texts.texts_known(list(entries))
        results = await asyncio.gather(
            *(self._store(file, entry, known.get(entry.mail_id)) for file, entry in entries.values())
        )
        for result in results:
            tell(result)

    async def _store(self, file: StoredFile, entry: Entry, text_known: bool | None) -> Adopted:
        """`text_known`: None when the history does not know the message."""
        if text_known:
            return Adopted(file.name, Fate.KNOWN, time=entry.time)
        if text_known is None:
            await self.journal.keep(entry)
            return Adopted(file.name, Fate.IMPORTED, time=entry.time)
        try:
            await self.texts.add_text(entry.mail_id, entry.text or b"")
        except (NoSuchMessage, UserError) as e:
            return Adopted(file.name, Fate.SKIPPED, str(e))
        return Adopted(file.name, Fate.COMPLETED, time=entry.time)


def _batches(files: Iterable[StoredFile]) -> Iterator[list[StoredFile]]:
    batch: list[StoredFile] = []
    octets = 0
    for file in files:
        batch.append(file)
        octets += len(file.octets)
        if len(batch) == BATCH or octets >= BATCH_OCTETS:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch
