"""TLS to the database server: a private authority, and what is said of a certificate that is not right."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import databases
from tests.support.databases import PASSWORD, Server
from tests.support.ports import free_port

from lazaret.model.errors import StoreUnavailable
from lazaret.store.opening import open_store

_NEW_KEY = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj"


@dataclass
class Guarded:
    """A server that takes connections under TLS alone."""

    server: Server
    folder: Path

    def url(self, options: str) -> str:
        scheme = "mysql" if self.server.kind == "mariadb" else "postgresql"
        return f"{scheme}://lazaret@127.0.0.1:{self.server.port}/mail?{options}"


def authority(folder: Path, name: str) -> Path:
    """A certificate authority."""
    certificate = folder / f"{name}.crt"
    run(
        *_NEW_KEY.split(),
        *(f"/CN={name}", "-x509", "-days", "2", "-keyout", folder / f"{name}.key", "-out", certificate),
    )
    return certificate


def pair(folder: Path, name: str, issuer: str) -> None:
    """Key and certificate for a name, from an authority."""
    request, names = folder / f"{name}.csr", folder / f"{name}.ext"
    run(*_NEW_KEY.split(), f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", request)
    names.write_text(f"subjectAltName={'IP' if name[0].isdigit() else 'DNS'}:{name}")
    run(
        *("openssl", "x509", "-req", "-days", "2", "-in", request, "-extfile", names, "-set_serial", "7"),
        *("-CA", folder / f"{issuer}.crt", "-CAkey", folder / f"{issuer}.key"),
        *("-out", folder / f"{name}.crt"),
    )


def run(*words: object) -> None:
    try:
        subprocess.run(list(map(str, words)), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")


@pytest.fixture(scope="module", params=("mariadb", "postgresql"))
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    databases.require(request.param)
    base = databases.server_folder(tmp_path_factory.mktemp("tls"))
    folder = base / "server"
    folder.mkdir(parents=True)
    databases.open_way(folder)
    for name in ("ours", "others"):
        authority(folder, name)
    pair(folder, "127.0.0.1", "ours")
    server = Server(request.param, folder, free_port())
    server.make()
    server.encrypt(folder / "127.0.0.1.crt", folder / "127.0.0.1.key")
    server.start()
    server.make_user()
    server.admin(f"CREATE DATABASE mail{' OWNER lazaret' if request.param == 'postgresql' else ''}")
    yield Guarded(server, folder)
    server.kill()
    databases.remove(base)


def opened(guarded: Guarded, tmp_path: Path, options: str) -> None:
    open_store(guarded.url(options), tmp_path, create=True, password=PASSWORD).close()


def test_the_right_authority_and_name_are_believed(guarded: Guarded, tmp_path: Path) -> None:
    for tls in ("verify", "verify-ca"):
        opened(guarded, tmp_path, f"tls={tls}&tls_ca={guarded.folder / 'ours.crt'}")
    opened(guarded, tmp_path, "tls=on")


@pytest.mark.parametrize("tls", ["verify", "verify-ca"])
def test_another_authority_is_refused_in_words(guarded: Guarded, tmp_path: Path, tls: str) -> None:
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        opened(guarded, tmp_path, f"tls={tls}&tls_ca={guarded.folder / 'others.crt'}")


def test_without_an_authority_that_the_machine_knows_nothing_is_believed(
    guarded: Guarded, tmp_path: Path
) -> None:
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        opened(guarded, tmp_path, "tls=verify")


def test_what_is_not_encrypted_is_not_taken(guarded: Guarded, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"(?i)insecure transport|without TLS|no pg_hba.conf entry"):
        opened(guarded, tmp_path, "tls=off")
