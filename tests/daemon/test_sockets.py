"""Listening sockets: bound once, for all."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lazaret.config.load import load
from lazaret.config.options import Config
from lazaret.daemon import sockets
from lazaret.daemon.sockets import Listener
from lazaret.model.envelope import Role
from lazaret.model.errors import UserError


def config(folder: Path, **listen: object) -> Config:
    """A configuration that listens nowhere else."""
    wanted = {"smtp": [], "ampdp": [], "http": ""} | listen
    settings = [f"listen.{name}={value!r}".replace("'", '"') for name, value in wanted.items()]
    return load(
        None, [*settings, f'store.data_dir="{folder}"', 'local.domains=["x.example"]'], environment={}
    )


@contextmanager
def bound(folder: Path, **listen: object) -> Iterator[list[Listener]]:
    listeners = sockets.bind_all(config(folder, **listen))
    try:
        yield listeners
    finally:
        sockets.close(listeners)


def test_each_listener_knows_what_is_spoken_and_where_it_really_listens(tmp_path: Path):
    with bound(
        tmp_path,
        smtp=["127.0.0.1:0"],
        before_queue=["[::1]:0"],
        originating=["127.0.0.1:0"],
        ampdp=["unix:a.sock"],
        spamd=["127.0.0.1:0"],
        http="127.0.0.1:0",
    ) as listeners:
        assert [
            ("smtp", Role.AFTER_QUEUE),
            ("smtp", Role.BEFORE_QUEUE),
            ("smtp", Role.ORIGINATING),
            ("ampdp", Role.AFTER_QUEUE),
            ("spamd", Role.AFTER_QUEUE),
            ("http", Role.AFTER_QUEUE),
        ] == [(item.speaks, item.role) for item in listeners]
        smtp, before, _, ampdp, *_ = listeners
        assert (f"127.0.0.1:{smtp.port}", f"[::1]:{before.port}") == (smtp.address, before.address)
        assert (f"unix:{tmp_path}/a.sock", 0) == (ampdp.address, ampdp.port)
        assert smtp.port


def test_nobody_can_connect_before_we_listen(tmp_path: Path):
    """The rules may take a while to compile; until then a client must not wait for a reply."""
    with bound(tmp_path, smtp=["127.0.0.1:0"]) as [item]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", item.port))
        sockets.listen([item])
        socket.create_connection(("127.0.0.1", item.port)).close()


def test_a_unix_socket_is_for_its_user_and_group(tmp_path: Path):
    before = os.umask(0)
    try:
        with bound(tmp_path, ampdp=["unix:a.sock"]):
            assert 0o660 == stat.S_IMODE((tmp_path / "a.sock").stat().st_mode)
    finally:
        os.umask(before)


def test_a_socket_file_left_by_a_crash_is_replaced(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(tmp_path / "a.sock"))
    with bound(tmp_path, ampdp=["unix:a.sock"]) as listeners:
        sockets.listen(listeners)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "a.sock"))
    assert not (tmp_path / "a.sock").exists()


def test_a_socket_that_somebody_serves_is_left_to_him(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "a.sock"))
        other.listen()
        with pytest.raises(UserError, match="Address already in use") as failed:
            sockets.bind_all(config(tmp_path, ampdp=["unix:a.sock"]))
        assert (71, True) == (failed.value.exit_code, (tmp_path / "a.sock").exists())


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path):
    (tmp_path / "a.sock").write_text("precious")
    with pytest.raises(UserError):
        sockets.bind_all(config(tmp_path, ampdp=["unix:a.sock"]))
    assert "precious" == (tmp_path / "a.sock").read_text()


def test_when_one_address_is_taken_it_is_named_and_nothing_stays_bound(
    tmp_path: Path, free_port: Callable[[], int]
):
    free = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=f"cannot listen on 127.0.0.1:{port}: Address already .*ss -lptn"
        ) as failed:
            sockets.bind_all(
                config(tmp_path, smtp=[f"127.0.0.1:{free}"], ampdp=["unix:a.sock", f"127.0.0.1:{port}"])
            )
    assert 71 == failed.value.exit_code
    assert not (tmp_path / "a.sock").exists()
    with socket.socket() as again:
        again.bind(("127.0.0.1", free))


def test_a_program_that_was_quicker_is_named_too(tmp_path: Path, free_port: Callable[[], int]):
    port = free_port()
    with bound(tmp_path, smtp=[f"127.0.0.1:{port}"]) as listeners, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}"):
            sockets.listen(listeners)


def test_what_is_still_wanted_is_taken_over_as_it_is(tmp_path: Path):
    with bound(tmp_path, smtp=["127.0.0.1:0"], ampdp=["unix:a.sock"]) as old:
        new = sockets.bind_all(config(tmp_path, smtp=["127.0.0.1:0"], ampdp=["unix:a.sock"]), old)
        assert [item.socket for item in old] == [item.socket for item in new]


def test_an_address_may_change_its_role(tmp_path: Path, free_port: Callable[[], int]):
    address = f"127.0.0.1:{free_port()}"
    with bound(tmp_path, smtp=[address]) as old:
        new = sockets.bind_all(config(tmp_path, before_queue=[address]), old)
        assert [(Role.BEFORE_QUEUE, old[0].socket)] == [(item.role, item.socket) for item in new]
        sockets.close(old, but=new)
        assert new[0].port


def test_two_that_let_the_system_choose_have_a_port_each(tmp_path: Path):
    with bound(tmp_path, smtp=["127.0.0.1:0"]) as old:
        new = sockets.bind_all(config(tmp_path, smtp=["127.0.0.1:0"], originating=["127.0.0.1:0"]), old)
        assert 2 == len({item.port for item in new})
        sockets.close(new, but=old)
