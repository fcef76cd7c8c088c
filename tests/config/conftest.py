"""A configuration read from a text, away from the settings of the machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lazaret.config.load import load
from lazaret.config.options import Config
from lazaret.config.problems import ConfigError

SOMEBODY = 1000
"""An effective user id other than root's."""

Read = Callable[..., Config]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Loads a text as lazaret.toml in `tmp_path`; `euid` is not root unless given."""

    def read_text(
        text: str = "", settings: Sequence[str] = (), euid: int = SOMEBODY, **environment: str
    ) -> Config:
        file = tmp_path / "lazaret.toml"
        file.write_text(text)
        file.chmod(0o600)
        return load(str(file), settings, environment=environment, euid=euid)

    return read_text


@pytest.fixture
def errors(read: Read, tmp_path: Path) -> Callable[..., list[str]]:
    """The error lines of a text, without the directory of the file."""

    def error_lines(
        text: str = "", settings: Sequence[str] = (), euid: int = SOMEBODY, **environment: str
    ) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(text, settings, euid, **environment)
        assert 78 == caught.value.exit_code
        return str(caught.value).replace(f"{tmp_path}/", "").split("\n")

    return error_lines
