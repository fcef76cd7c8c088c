"""`lazaret import amavis-files`: takes over what amavisd has."""

import sys
import time
from collections import Counter
from pathlib import Path

import click

from lazaret import app
from lazaret.cli.context import Command, Given, Group, as_owner, json_option, pass_given, run_async
from lazaret.cli.output import plain, print_json
from lazaret.cli.quarantine_files import Reader
from lazaret.config.options import Config
from lazaret.flow.adoption import Adopted, Adoption, Fate

EX_DATAERR = 65
EVERY = 500
"""Files between two words on how far it is."""


@click.group(name="import", cls=Group)
def import_() -> None:
    """Take over what amavisd has: its quarantine, its configuration."""


@import_.command(name="amavis-files", cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@pass_given
def amavis_files(given: Given, directory: Path, as_json: bool) -> None:
    """Take the files of amavisd's quarantine into ours, plain and gzipped, with all directories below DIR.

    Each message keeps its id, and its exact octets. Envelope, scores and verdict come from the fields that
    amavisd put on top. What is in the quarantine already is passed over, so the command can be repeated.
    DIR stays as it is, nothing is sent to anybody, and no report tells of these messages.

    A file that is none of amavisd's, or cannot be read, is named on stderr, and the exit status is 65 then.

    \b
    Example:
      lazaret import amavis-files /var/lib/amavis/virusmails
    """
    config = given.load()
    reader = Reader(directory)
    store = app.open_store(as_owner(config))
    count = _Count(config)
    try:
        adoption = Adoption(store.quarantine, store.journal, app.lookup_of(config).is_local)
        run_async(adoption.run(reader.files(), count.add))
    finally:
        store.close()
    if as_json:
        print_json({str(fate): count.fates[fate] for fate in Fate} | {"expiring": count.expiring})
    else:
        click.echo(count.summary())
    if count.fates[Fate.SKIPPED]:
        sys.exit(EX_DATAERR)


class _Count:
    """What became of the files so far; says on stderr what is wrong, and how far it is."""

    def __init__(self, config: Config) -> None:
        self.fates: Counter[Fate] = Counter()
        self.expiring = 0
        """Imported messages that retention is to remove at its next round."""
        self._keep_days = config.quarantine.keep_days
        self._oldest = time.time() - self._keep_days * 86_400

    def add(self, adopted: Adopted) -> None:
        self.fates[adopted.fate] += 1
        if adopted.fate is Fate.SKIPPED:
            click.echo(f"{plain(adopted.file)}: {plain(adopted.reason)}; skipped", err=True)
        elif adopted.fate is not Fate.KNOWN and adopted.time < self._oldest:
            self.expiring += 1
        if not self.fates.total() % EVERY:
            click.echo(f"{self.fates.total()} files", err=True)

    def summary(self) -> str:
        parts = [f"{self.fates[Fate.IMPORTED]} messages imported"]
        if self.fates[Fate.COMPLETED]:
            parts.append(f"{self.fates[Fate.COMPLETED]} that amavisd had logged have their text now")
        parts.append(f"{self.fates[Fate.KNOWN]} were there already")
        parts.append(f"{self.fates[Fate.SKIPPED]} files skipped")
        lines = [", ".join(parts)]
        if self.expiring:
            lines.append(
                f"{self.expiring} of them are older than quarantine.keep_days = {self._keep_days}: "
                "the next purge removes them, unless you raise it"
            )
        return "\n".join(lines)
