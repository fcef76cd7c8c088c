"""As whom the service runs when root starts it."""

import os
import pwd
from dataclasses import dataclass

from lazaret.config.options import Config


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its primary group."""

    uid: int
    gid: int


def service_account(config: Config) -> Account:
    """`service.user`, else the owner of `store.data_dir`, else (it does not exist yet) ourselves.

    KeyError when there is no such user.
    """
    if config.service.user:
        entry = pwd.getpwnam(config.service.user)
        return Account(entry.pw_uid, entry.pw_gid)
    try:
        owner = config.store.data_dir.stat()
    except OSError:
        return Account(os.geteuid(), os.getegid())
    return Account(owner.st_uid, owner.st_gid)
