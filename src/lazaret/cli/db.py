"""`lazaret db init | check | backup | restore | upgrade | reindex | purge`."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from lazaret import app
from lazaret.cli.context import Command, Given, Group, as_owner, json_option, pass_given, run_async
from lazaret.cli.output import print_json, table
from lazaret.config.options import Config
from lazaret.daemon.privileges import prepare_data_dir
from lazaret.model.keeping import Due
from lazaret.store import backup as archive
from lazaret.store import weeks
from lazaret.store.check import check_database
from lazaret.store.database import Database
from lazaret.store.locating import locate
from lazaret.store.manifest import Contents
from lazaret.store.sqlite import SqliteDatabase
from lazaret.store.survey import survey

EX_PROBLEMS = 1
PROGRESS_S = 2.0


@click.group(cls=Group)
def db() -> None:
    """Make, check, back up, restore and tidy up the database."""


@db.command(cls=Command)
@pass_given
def init(given: Given) -> None:
    """Make the database and its tables, if they are not there."""
    config = given.load()
    prepare_data_dir(config)
    app.open_store(as_owner(config), create=True).close()
    click.echo(f"{_database(config).name}: ready")


@db.command(cls=Command)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--url", metavar="URL", help="Look at another database, which may be amavisd's, and say what it is."
)
@pass_given
def check(given: Given, file: Path | None, url: str | None) -> None:
    """Check the database, or a backup FILE against its manifest, row by row. Nothing is changed.

    Every fault is a line; the exit status is 1 when there is one.

    \b
    Example:
      lazaret db check --url mysql://amavis@localhost/amavis
    """
    config = as_owner(given.load())
    if url is not None:
        _say_what_it_is(config, url)
        return
    database = SqliteDatabase(file) if file else _database(config)
    database.require()
    faults = check_database(database)
    for fault in faults:
        click.echo(fault)
    if faults:
        sys.exit(EX_PROBLEMS)
    click.echo(f"{database.name}: good")


@db.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@pass_given
def backup(given: Given, file: Path) -> None:
    """Write the state of this moment to FILE, while the service runs; then check the copy."""
    config = as_owner(given.load())
    contents = archive.backup(_database(config), file)
    faults = check_database(SqliteDatabase(file))
    if faults:
        click.echo("\n".join(faults))
        sys.exit(EX_PROBLEMS)
    click.echo(_summary(contents))
    click.echo(f"{file}: good")


@db.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@pass_given
def restore(given: Given, file: Path) -> None:
    """Make the database anew from FILE. The place must be empty, and FILE must prove whole."""
    config = given.load()
    prepare_data_dir(config)
    database = _database(as_owner(config))
    contents = archive.restore(file, database)
    click.echo(_summary(contents))
    click.echo(f"{database.name}: restored")


@db.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@pass_given
def upgrade(given: Given, file: Path) -> None:
    """Bring tables of an older version up to date, after a backup to FILE. Stop the service first."""
    database = _database(as_owner(given.load()))
    applied = archive.upgrade(database, file)
    if applied:
        click.echo(f"{database.name}: {len(applied)} changes made; what was there before lies in {file}")
    else:
        click.echo(f"{database.name}: nothing to do")


@db.command(cls=Command)
@click.option("--all", "everything", is_flag=True, help="Also what is indexed already.")
@pass_given
def reindex(given: Given, everything: bool) -> None:
    """Index the stored messages that are not indexed yet, such as those of amavisd, newest first.

    It may be ended at any time and begun again; `serve` does the same in the background.
    """
    from lazaret.flow.indexing import extract
    from lazaret.store.reindex import reindex as index

    store = app.open_store(as_owner(given.load()))
    told = time.monotonic()

    def progress(done: int) -> None:
        nonlocal told
        if time.monotonic() > told + PROGRESS_S:
            told = time.monotonic()
            click.echo(f"{done} messages so far", err=True)

    try:
        done = run_async(index(store, extract, progress, everything=everything))
    finally:
        store.close()
    click.echo(f"{done} messages indexed")


@db.command(cls=Command)
@click.option("--dry-run", is_flag=True, help="Say what would go, by category and domain; change nothing.")
@click.option(
    "--divide", is_flag=True, help="Divide a large table of texts by week first. Stop the service for that."
)
@json_option
@pass_given
def purge(given: Given, dry_run: bool, divide: bool, as_json: bool) -> None:
    """Remove what has been kept long enough, and give the space back; `serve` does it every hour.

    With store.partition_tag = "iso-week" the table of texts is divided by week on a server, and a week that
    has been kept long enough goes in one step; a table that is not divided is emptied in small batches.
    """
    config = as_owner(given.load())
    store = app.open_store(config)
    expiry = app.expiry(config)
    try:
        if dry_run:
            due = run_async(expiry.due(store.retention))
            print_json(asdict(due)) if as_json else click.echo("\n\n".join(_what_is_due(due)))
            return
        if divide or config.store.partition_tag.weekly:
            why_not = weeks.divide(store.database, whatever_size=divide)
            if why_not:
                click.echo(f"not divided by week: {why_not}", err=True)
        removed = run_async(expiry.run(store.retention, store.sender_lists))
        lessons = run_async(expiry.forget_old(store.lessons))
    finally:
        store.close()
    if as_json:
        print_json({"removed": removed, "lessons": lessons})
    else:
        click.echo(f"{removed} messages removed" + (f", {lessons} lessons" if lessons else ""))


def _what_is_due(due: Due) -> Iterator[str]:
    if due.by_domain:
        rows = [(category, domain, str(copies)) for category, domain, copies in due.by_domain]
        yield table(("CATEGORY", "DOMAIN", "COPIES"), rows, right=(2,))
    late = f"; the first has been due for {due.overdue_s / 3600:.1f} h" if due.texts else ""
    yield (
        f"{due.texts} texts of {due.octets / 1e6:.1f} MB would go{late}.\n"
        f"{due.history} messages would leave the history; {due.orphans} rows and {due.addresses} addresses "
        "belong to no message."
    )


def _say_what_it_is(config: Config, url: str) -> None:
    """The password is as for our own: in $LAZARET_STORE_PASSWORD, in store.password_file, or in the URL."""
    database = locate(url, config.store.data_dir, config.store.password)
    found = survey(database)
    click.echo("\n".join([f"{database.name}: {found.owner}", *found.notes]))
    rows = [(name, str(count)) for name, count in found.rows.items()]
    click.echo(table(("TABLE", "ROWS"), rows, right=(1,)))


def _database(config: Config) -> Database:
    return locate(config.store.url, config.store.data_dir, config.store.password)


def _summary(contents: dict[str, Contents]) -> str:
    rows = [(name, str(found.rows)) for name, found in contents.items() if found.rows]
    return table(("TABLE", "ROWS"), rows, right=(1,))
