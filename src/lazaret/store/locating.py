"""From `store.url` to the database that it means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lazaret.model.errors import UserError
from lazaret.store.database import EX_CONFIG, Database
from lazaret.store.sqlite import SqliteDatabase


def locate(url: str, data_dir: Path, password: str = "") -> Database:
    """The database of `sqlite:///FILE` (a relative one lies in `data_dir`) or of a server.

    `data_dir` is also where free room is looked for when the database lies on a server.
    UserError with EX_CONFIG for a URL that cannot be.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        if parts.netloc or len(parts.path) < 2:
            raise UserError(
                f"store.url: {url!r} must be sqlite:///FILE, or sqlite:////ABSOLUTE/FILE", EX_CONFIG
            )
        return SqliteDatabase(data_dir / unquote(parts.path[1:]))
    # A driver is loaded when it is asked for: a command on SQLite answers the sooner.
    if parts.scheme == "mysql":
        from lazaret.store.mariadb import MariaDatabase
        from lazaret.store.server import parse

        return MariaDatabase(parse(url, password), data_dir)
    if parts.scheme == "postgresql":
        from lazaret.store.postgresql import PostgresDatabase
        from lazaret.store.server import parse

        return PostgresDatabase(parse(url, password), data_dir)
    raise UserError(
        f"store.url: {parts.scheme or url!r} is not supported; write sqlite:///FILE, mysql://USER@HOST/DATABASE"
        " or postgresql://USER@HOST/DATABASE",
        EX_CONFIG,
    )
