"""Root gives itself up: a process started as root becomes the service's user before it touches mail."""

import logging
import os
import pwd

from lazaret.config.options import Config
from lazaret.model.errors import UserError

log = logging.getLogger("lazaret.privileges")


def prepare_data_dir(config: Config) -> None:
    """Makes `store.data_dir` (0700), for `service.user` when root makes it. UserError (73) if it cannot."""
    directory = config.store.data_dir
    if directory.is_dir():
        return
    try:
        directory.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0 and config.service.user:
            user = _user(config.service.user)
            os.chown(directory, user.pw_uid, user.pw_gid)
    except OSError as e:
        raise UserError(f"cannot make the data directory {directory}: {e.strerror}", 73) from e


def become_service_user(config: Config) -> None:
    """Becomes `service.user`, else the owner of the data directory. UserError when that is impossible."""
    if os.geteuid() != 0:
        return
    user = _user(config.service.user) if config.service.user else _owner(config)
    if user is None or user.pw_uid == 0:
        log.warning("running as root: set service.user, or give %s another owner", config.store.data_dir)
        _refuse_beyond_loopback(config)
        return
    _become(user)


def become_owner(config: Config) -> None:
    """For a command that root types: becomes the owner of the data directory, so that no file is root's."""
    user = _owner(config) if os.geteuid() == 0 else None
    if user is not None and user.pw_uid != 0:
        _become(user)


def _become(user: pwd.struct_passwd) -> None:
    try:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    except OSError as e:
        raise UserError(f"cannot become {user.pw_name}: {e.strerror}", 77) from e


def _user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise UserError(f'service.user = "{name}": there is no such user', 78) from None


def _owner(config: Config) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(config.store.data_dir.stat().st_uid)
    except (OSError, KeyError):
        return None


def _refuse_beyond_loopback(config: Config) -> None:
    listen = config.listen
    everywhere = [*listen.smtp, *listen.before_queue, *listen.originating, *listen.ampdp]
    everywhere += [listen.http] if listen.http else []
    for endpoint in everywhere:
        if not endpoint.loopback:
            raise UserError(f"{endpoint} is reachable from beyond this machine, and we are root", 78)
