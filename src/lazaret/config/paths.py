"""Relative paths made absolute: sockets and the database lie in `store.data_dir`, all else by the file."""

import os
from dataclasses import replace
from pathlib import Path

from lazaret.config.endpoint import Endpoint, NextHop
from lazaret.config.options import Config

SQLITE = "sqlite:///"


def absolute(config: Config, base: Path) -> Config:
    """The configuration with every path absolute; `base` is what relative ones are relative to."""
    data_dir = _below(base, config.store.data_dir)
    store = replace(
        config.store,
        data_dir=data_dir,
        url=_database(config.store.url, data_dir),
        password_file=_below_or_none(base, config.store.password_file),
    )
    listen = replace(
        config.listen,
        smtp=_sockets(config.listen.smtp, data_dir),
        before_queue=_sockets(config.listen.before_queue, data_dir),
        originating=_sockets(config.listen.originating, data_dir),
        ampdp=_sockets(config.listen.ampdp, data_dir),
        spamd=_sockets(config.listen.spamd, data_dir),
        http=config.listen.http and config.listen.http.below(data_dir),
        tls_certificate=_below_or_none(base, config.listen.tls_certificate),
        tls_key=_below_or_none(base, config.listen.tls_key),
    )
    ampdp = replace(config.ampdp, work_dir=_below_or_none(base, config.ampdp.work_dir))
    relay = replace(
        config.relay,
        next_hop=_next_hops(config.relay.next_hop, data_dir),
        release=_next_hops(config.relay.release, data_dir),
        requeue=_next_hops(config.relay.requeue, data_dir),
        tls_ca=_below_or_none(base, config.relay.tls_ca),
    )
    web = replace(
        config.web,
        tls_certificate=_below_or_none(base, config.web.tls_certificate),
        tls_key=_below_or_none(base, config.web.tls_key),
    )
    oidc = replace(
        config.oidc,
        client_secret_file=_below_or_none(base, config.oidc.client_secret_file),
        tls_ca=_below_or_none(base, config.oidc.tls_ca),
    )
    rules = replace(config.rules, paths=tuple(_below(base, path) for path in config.rules.paths))
    log = replace(config.log, to=_log_file(config.log.to, base))
    return replace(
        config,
        store=store,
        listen=listen,
        ampdp=ampdp,
        relay=relay,
        rules=rules,
        web=web,
        oidc=oidc,
        log=log,
    )


def _below(base: Path, path: Path) -> Path:
    """Without `.` and `..`, but symbolic links stay: they are how an admin moves a directory."""
    return Path(os.path.normpath(base / path))


def _below_or_none(base: Path, path: Path | None) -> Path | None:
    return _below(base, path) if path else None


def _sockets(endpoints: tuple[Endpoint, ...], directory: Path) -> tuple[Endpoint, ...]:
    return tuple(e.below(directory) for e in endpoints)


def _next_hops(hops: tuple[NextHop, ...], directory: Path) -> tuple[NextHop, ...]:
    return tuple(h.below(directory) for h in hops)


def _database(url: str, data_dir: Path) -> str:
    if not url.startswith(SQLITE):
        return url
    return SQLITE + str(_below(data_dir, Path(url.removeprefix(SQLITE))))


def _log_file(to: str, base: Path) -> str:
    return str(_below(base, Path(to))) if "/" in to else to
