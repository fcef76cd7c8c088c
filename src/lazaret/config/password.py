"""Secrets of the configuration: where they come from, and that nobody else can read them there."""

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from lazaret.config.constraints import Conflict
from lazaret.config.options import Config

VARIABLE = "LAZARET_STORE_PASSWORD"
CLIENT_SECRET = "LAZARET_OIDC_CLIENT_SECRET"


def take_password(config: Config, environment: Mapping[str, str]) -> tuple[Config, list[Conflict]]:
    """The configuration with `store.password` filled in and none in `store.url`, and what is unsafe.

    $LAZARET_STORE_PASSWORD goes before `store.password_file`, and that before the URL.
    """
    url, in_url = _without_password(config.store.url)
    exposed = _exposed_url(config) if in_url else []
    password, source = unquote(in_url), config.where.get("store.url", "")
    if config.store.password_file:
        password, unreadable = _from_file("store.password_file", config.store.password_file)
        exposed += unreadable
        source = str(config.store.password_file)
    if environment.get(VARIABLE):
        password, source = environment[VARIABLE], f"${VARIABLE}"
    where = {**config.where, "store.password": source} if password else config.where
    return replace(config, store=replace(config.store, url=url, password=password), where=where), exposed


def take_client_secret(config: Config, environment: Mapping[str, str]) -> tuple[Config, list[Conflict]]:
    """The same for `oidc.client_secret`: $LAZARET_OIDC_CLIENT_SECRET, then `oidc.client_secret_file`."""
    secret, exposed = environment.get(CLIENT_SECRET, ""), list[Conflict]()
    if not secret and config.oidc.client_secret_file:
        secret, exposed = _from_file("oidc.client_secret_file", config.oidc.client_secret_file)
    return replace(config, oidc=replace(config.oidc, client_secret=secret)), exposed


def _without_password(url: str) -> tuple[str, str]:
    """(url, password), the password still percent-encoded."""
    parts = urlsplit(url)
    user_info, at, host = parts.netloc.rpartition("@")
    user, _, password = user_info.partition(":")
    return (urlunsplit(parts._replace(netloc=user + at + host)), password) if password else (url, "")


def _exposed_url(config: Config) -> list[Conflict]:
    safe = f"write it to a file for store.password_file, or set ${VARIABLE}"
    if config.where.get("store.url", "").startswith("--set"):
        return [Conflict(("store.url",), f"store.url: a password here is seen by every user in `ps`; {safe}")]
    if config.file and _readable_by_all(config.file):
        text = f"store.url has a password, and everybody can read this file; chmod o-r it, or {safe}"
        return [Conflict(("store.url",), text)]
    return []


def _from_file(key: str, file: Path) -> tuple[str, list[Conflict]]:
    try:
        if _readable_by_all(file):
            return "", [Conflict((key,), f"{key}: everybody can read {file}; chmod 0600 it")]
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        return "", [Conflict((key,), f"{key}: cannot read {file}: {reason}")]
    return (lines[0] if lines else ""), []


def _readable_by_all(file: Path) -> bool:
    return bool(os.stat(file).st_mode & stat.S_IROTH)
