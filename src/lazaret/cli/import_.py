"""`lazaret import amavis-files | amavis-conf`: takes over what amavisd has."""

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from lazaret import app
from lazaret.cli.context import Command, Given, Group, as_owner, json_option, pass_given, run_async
from lazaret.cli.output import plain, print_json
from lazaret.cli.quarantine_files import Reader
from lazaret.config.options import Config
from lazaret.config.perl_tokens import MAX_CHARACTERS
from lazaret.flow.adoption import Adopted, Adoption, Fate
from lazaret.model.errors import UserError

EX_DATAERR = 65
EX_NOINPUT = 66
_RUN_PART = re.compile(r"[A-Za-z0-9_-]+")
"""Names of files that are read out of a directory: no copy of an editor, no .dpkg-old."""
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


@import_.command(name="amavis-conf", cls=Command)
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def amavis_conf(files: Sequence[Path], as_json: bool) -> None:
    """Write amavisd's configuration as ours: TOML on stdout, with the line that each setting comes from.

    FILE is amavisd.conf, or a directory of such files, as Debian has it. The Perl in them is read and never
    run: assignments of constants are understood. What was not taken over is named on stderr with its line.

    Exit status: 0 the files were read, 65 a part of one could not be, 66 one is missing.

    \b
    Example:
      lazaret import amavis-conf /etc/amavis/conf.d > lazaret.toml
      lazaret config check --config lazaret.toml
    """
    from lazaret.config import amavisd

    texts = [(plain(str(file)), _text_of(file)) for file in _in_order(files)]
    translation = amavisd.translate(texts)
    if as_json:
        settings = {".".join(path): s.value for path, s in translation.settings.items()}
        notes = [{"where": n.where, "name": n.name, "text": n.text} for n in translation.notes]
        print_json({"settings": settings, "not_taken": notes})
    else:
        click.echo(translation.toml(), nl=False)
        for note in translation.notes:
            click.echo(plain(str(note)), err=True)
    if translation.broken:
        sys.exit(EX_DATAERR)


def _in_order(files: Sequence[Path]) -> Iterator[Path]:
    """The files; of a directory those that Debian's amavisd reads, in its order."""
    for file in files:
        if file.is_dir():
            yield from sorted(path for path in file.iterdir() if _RUN_PART.fullmatch(path.name))
        else:
            yield file


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_CHARACTERS + 1).decode("utf-8", "replace")
    except OSError as e:
        raise UserError(f"cannot read {file}: {e.strerror}", EX_NOINPUT) from e
