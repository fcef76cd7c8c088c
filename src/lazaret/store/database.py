"""A database: how it is opened, and what its errors mean in words."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from lazaret.model.errors import StoreUnavailable
from lazaret.store.connection import Connection, Fault
from lazaret.store.dialect import Dialect

EX_NOINPUT = 66
EX_CONFIG = 78

BUSY_S = 10.0
"""How long a statement waits for what another process has locked."""


class Database(ABC):
    """One database, of whichever kind. Nothing is opened before `connect`."""

    dialect: Dialect
    errors: tuple[type[Exception], ...]
    """What its connections raise."""
    is_local: bool
    """A row is read in microseconds, without waiting for a server."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in messages; no password is in it."""

    @property
    @abstractmethod
    def directory(self) -> Path:
        """Where free room is looked for."""

    @abstractmethod
    def create(self) -> None:
        """Makes the empty database where that can be done; leaves what is there as it is."""

    @abstractmethod
    def require(self) -> None:
        """UserError with EX_NOINPUT when there is no such database."""

    @abstractmethod
    def place(self) -> object:
        """Changes when another database comes to lie in its place. StoreUnavailable when none does."""

    @abstractmethod
    def connect(self, *, writing: bool = False, patient: bool = False) -> Connection:
        """A connection in autocommit mode. StoreUnavailable when there is none to be had.

        `patient`: for work that takes minutes by its nature; other statements end after BUSY_S and some.
        """

    @abstractmethod
    def make_durable(self, connection: Connection, durable: bool) -> None:
        """Whether commits from now on survive a power cut, or the last of them may be lost to be quick."""

    @abstractmethod
    def limited(self, connection: Connection, seconds: float) -> AbstractContextManager[None]:
        """Within it statements end with Fault.STOPPED when they run out of this time."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault:
        """What one of `errors` means for the work at hand."""

    @abstractmethod
    def cause(self, error: Exception) -> str:
        """The same in words."""

    def unavailable(self, error: Exception) -> StoreUnavailable:
        """One of `errors` for the operator."""
        return StoreUnavailable(f"database {self.name}: {self.cause(error)}")

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Turns `errors` into StoreUnavailable with the cause in words."""
        try:
            yield
        except self.errors as error:
            raise self.unavailable(error) from error
