"""What is said when a database server cannot be used, and how one is named and logged in to."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.databases import PASSWORD, Servers
from tests.support.ports import free_port

from lazaret.model.errors import StoreUnavailable, UserError
from lazaret.store import postgresql
from lazaret.store.connection import DatabaseError, Fault
from lazaret.store.locating import locate
from lazaret.store.opening import open_store
from lazaret.store.server import parse

from .conftest import Place

SERVERS = ("mariadb", "postgresql")


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def url(kind: str, port: int, database: str = "mail") -> str:
    return f"{'mysql' if kind == 'mariadb' else 'postgresql'}://lazaret@127.0.0.1:{port}/{database}"


def test_a_server_that_is_not_there_is_named(kind: str, tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=rf"127\.0\.0\.1 port {port} does not answer .*does it run\?"):
        open_store(url(kind, port), tmp_path, create=True)


def test_a_server_that_never_answers_is_waited_for_some_seconds(
    kind: str, tmp_path: Path, deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("mariadb", "postgresql"):
        monkeypatch.setattr(f"lazaret.store.{module}.CONNECT_S", 1)
    with pytest.raises(StoreUnavailable):
        open_store(url(kind, deaf), tmp_path, create=True)


def test_a_wrong_password_is_called_that(empty: Place) -> None:
    with pytest.raises(StoreUnavailable, match="refuses 'lazaret': is the password right") as caught:
        open_store(empty.url, empty.data_dir, create=True, password="guess")
    assert "guess" not in str(caught.value)


def test_a_missing_database_is_named_with_what_to_do(empty: Place) -> None:
    with pytest.raises(UserError, match=r"no database .*/nowhere; make it there: CREATE DATABASE") as caught:
        open_store(empty.url.rpartition("/")[0] + "/nowhere", empty.data_dir, create=True, password=PASSWORD)
    assert 66 == caught.value.exit_code


def test_a_database_without_our_tables_asks_for_db_init(empty: Place) -> None:
    with pytest.raises(UserError, match="db init"):
        empty.open()


def test_a_user_without_rights_is_told_so(kind: str, servers: Servers, empty: Place) -> None:
    name = empty.url.rpartition("/")[2]
    if kind == "mariadb":
        grant = f"CREATE USER poor IDENTIFIED BY 'poor'; GRANT SELECT ON {name}.* TO poor"
        servers.as_administrator(kind, grant)
    else:
        servers.as_administrator(kind, "CREATE ROLE poor LOGIN PASSWORD 'poor'")
    poor = empty.url.replace("lazaret@", "poor@")
    with pytest.raises(StoreUnavailable, match="lacks the right"):
        open_store(poor, empty.data_dir, create=True, password="poor")


def test_an_old_server_is_refused_by_its_version(empty: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "OLDEST", (99,))
    monkeypatch.setattr("lazaret.store.mariadb.OLDEST", {"MariaDB": (99, 1)})
    with pytest.raises(UserError, match=r"(MariaDB 1\d\.\d+|PostgreSQL \d+) is too old, Lazaret needs 99"):
        empty.open(create=True)


def test_a_unix_socket_leads_to_the_same_server(kind: str, servers: Servers, empty: Place) -> None:
    running = servers.running(kind)
    path = Path(running.socket)
    place = path.parent if kind == "postgresql" else path
    by_socket = f"{empty.url}?socket={place}"
    open_store(by_socket, empty.data_dir, create=True, password=PASSWORD).close()
    empty.open()


def test_a_name_shows_no_password_and_no_options(tmp_path: Path) -> None:
    found = locate("postgresql://me:secret@db.example.org/mail?tls=verify&tls_ca=/ca.pem", tmp_path)
    assert "postgresql://me@db.example.org:5432/mail" == found.name
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("mysql://u@127.0.0.1/d", "off"),
        ("mysql://u@localhost/d", "off"),
        ("postgresql://u@[::1]/d", "off"),
        ("postgresql://u@db.example.org/d", "on"),
        ("mysql://u@db.example.org/d?tls=off", "off"),
        ("mysql://u@db.example.org/d?socket=/run/x.sock", "off"),
        ("postgresql://u@db.example.org/d?tls=verify", "verify"),
    ],
)
def test_what_leaves_this_machine_is_encrypted(url: str, tls: str) -> None:
    assert tls == parse(url, "").tls


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(kind: str, empty: Place) -> None:
    with pytest.raises(StoreUnavailable, match=r"(?i)ssl|tls"):
        open_store(f"{empty.url}?tls=on", empty.data_dir, create=True, password=PASSWORD)


def test_numbers_beyond_the_column_are_compared_all_the_same(store: object, place: Place) -> None:
    assert [] == place.execute("SELECT mail_id FROM msgs WHERE size > :octets", {"octets": 1 << 40})
    assert [] == place.execute("SELECT mail_id FROM msgs WHERE time_num % 7 = ? AND size > ?", (1, 2.5))


def test_an_error_of_one_statement_is_no_failure_of_the_server(place: Place) -> None:
    with pytest.raises(DatabaseError) as caught:
        place.execute("SELECT nothing FROM nowhere")
    assert Fault.WORK == caught.value.fault
