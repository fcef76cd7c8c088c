"""What tests of several rooms share: the material beside the repository, and free ports."""

import fcntl
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from tests.support import ports

from lazaret.rules import load

# A machine that is busy with something else must not fail a test that proves behaviour, not speed; and a
# run must judge the change before it, not what chance brings: examples are the same ones each time. New
# ones are looked for by `make test ARGS="--hypothesis-profile=search …"`.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("house")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test material beside the repository; it is no part of it."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no test material: there is no {folder}")
    return folder


@pytest.fixture(scope="session")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development corpora, unpacked once for all workers of a run. Hostile mail: open no link."""
    archive = shared / "corpora" / "dev.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no corpora: there is no {archive}")
    own = tmp_path_factory.getbasetemp()
    # Each worker of xdist has a directory of its own below the one of the run.
    run = own.parent if own.name.startswith("popen-") else own
    with open(run / "corpus.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run / "corpus"
        if not done.exists():
            unpacking = run / "corpus.unpacking"
            with tarfile.open(archive) as tar:
                # Python has the filter since 3.11.4.
                tar.extractall(unpacking, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            unpacking.rename(done)
    return done / "dev"


@pytest.fixture(scope="session")
def rules_cache(pytestconfig: pytest.Config) -> Path:
    """A directory with the compiled shipped rules: give it to `load`, or a copy to a data directory.

    It is kept from run to run, because compiling takes ten seconds; whether it still fits is for `load`
    to tell. One worker of a run compiles, and the others wait.
    """
    kept = pytestconfig.rootpath / ".pytest_cache" / "rules"
    kept.mkdir(parents=True, exist_ok=True)
    with open(kept / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        load([], shipped=True, cache_dir=kept / "compiled")
    return kept / "compiled"


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives a TCP port of 127.0.0.1 on which nobody listens, another one at each call."""
    return ports.free_port
