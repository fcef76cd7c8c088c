"""Root gives itself up: a process started as root becomes the service's user before it touches mail."""

import logging
import os
import pwd
from collections.abc import Iterable

from lazaret.config.account import Account, service_account
from lazaret.config.options import Config
from lazaret.daemon.reach import load_what_is_closed
from lazaret.model.errors import UserError

log = logging.getLogger("lazaret.privileges")


def prepare_data_dir(config: Config) -> None:
    """Makes `store.data_dir` (0700), for `service.user` when root makes it. UserError (73) if it cannot."""
    directory = config.store.data_dir
    if directory.is_dir():
        return
    account = service_account(config)
    try:
        directory.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            os.chown(directory, account.uid, account.gid)
    except OSError as e:
        raise UserError(f"cannot make the data directory {directory}: {e.strerror}", 73) from e


def hand_over(config: Config, paths: Iterable[str]) -> None:
    """Gives the service's user what root has made, so that it can be opened again and used by its group."""
    if os.geteuid() != 0:
        return
    account = service_account(config)
    for path in paths:
        try:
            os.chown(path, account.uid, account.gid)
        except OSError as e:
            raise UserError(f"cannot give {path} to user {account.uid}: {e.strerror}", 73) from e


def become_service_user(config: Config) -> None:
    """For `serve`: becomes `service.user`, else the owner of the data directory; warns when that is root."""
    if os.geteuid() != 0:
        return
    account = service_account(config)
    if account.uid == 0:
        log.warning("running as root: set service.user, or give %s another owner", config.store.data_dir)
        return
    _become(account)


def become_owner(config: Config) -> None:
    """For a command that root types: becomes the owner of the data directory, so that no file is root's."""
    if os.geteuid() == 0:
        account = service_account(config)
        if account.uid != 0:
            _become(account)


def _become(account: Account) -> None:
    load_what_is_closed(account)
    try:
        try:
            os.initgroups(pwd.getpwuid(account.uid).pw_name, account.gid)
        except KeyError:
            os.setgroups([account.gid])
        os.setgid(account.gid)
        os.setuid(account.uid)
    except OSError as e:
        raise UserError(f"cannot become user {account.uid}: {e.strerror}", 77) from e
