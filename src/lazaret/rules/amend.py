"""Settings that change earlier ones: names of old, entries taken back, lists emptied.

What an eval function reads is therefore always the state after the last line, whatever the order was.
"""

import re
from collections.abc import Callable

Settings = dict[str, list[str]]
"""Word -> the values of its lines, in order."""

_LISTED = re.compile(r"\((.+?)\)\s+(.+)")
_EMPTIED = {
    "clear_trusted_networks": ("trusted_networks",),
    "clear_internal_networks": ("internal_networks",),
    "clear_msa_networks": ("msa_networks",),
    "clear_originating_ip_headers": ("originating_ip_headers",),
    "clear_url_shortener": ("url_shortener", "url_shortener_get"),
    "clear_util_rb": ("util_rb_tld", "util_rb_2tld", "util_rb_3tld"),
    "clear_report_template": ("report",),
    "clear_unsafe_report_template": ("unsafe_report",),
}
_TAKEN_BACK = {
    "unwelcomelist_from": ("welcomelist_from",),
    "unwelcomelist_auth": ("welcomelist_auth", "def_welcomelist_auth"),
    "unwelcomelist_from_rcvd": ("welcomelist_from_rcvd", "def_welcomelist_from_rcvd"),
    "unblocklist_from": ("blocklist_from",),
}
_WITH_RELAY = ("welcomelist_from_rcvd", "def_welcomelist_from_rcvd")
"""Their second word is a relay, no further address."""
_ADDRESS_LISTS = ("blocklist_from", "blocklist_to", "welcomelist_from", "welcomelist_to")
"""`enlist_addrlist` may name these."""
_HOST_LISTS = {"blocklist_uri_host": "BLOCK", "welcomelist_uri_host": "WELCOME"}


def today(name: str) -> str:
    """The present name of a setting or an eval function: SpamAssassin 4.0 renamed two kinds of list."""
    return name.replace("blacklist", "blocklist").replace("whitelist", "welcomelist")


def apply(settings: Settings, word: str, value: str) -> None:
    """Takes one line; `word` may be of old."""
    word = today(word)
    if word == "clear_url_shortener" and value:
        for name in _EMPTIED[word]:
            _take_back(settings, name, value)
    elif word in _EMPTIED:
        settings[word] = []
        for emptied in _EMPTIED[word]:
            settings[emptied] = []
    elif word in _TAKEN_BACK:
        for name in _TAKEN_BACK[word]:
            _take_back(settings, name, value)
    elif word in _HOST_LISTS:
        settings.setdefault("enlist_uri_host", []).append(f"({_HOST_LISTS[word]}) {value}")
    elif word in _HANDLED:
        _HANDLED[word](settings, value)
    else:
        settings.setdefault(word, []).append(value)


def _take_back(settings: Settings, name: str, value: str) -> None:
    gone = {address.lower() for address in value.split()}
    kept = []
    for line in settings.get(name, ()):
        words = line.split()
        if name in _WITH_RELAY:
            words = [] if words and words[0].lower() in gone else words
        else:
            words = [word for word in words if word.lower() not in gone]
        if words:
            kept.append(" ".join(words))
    if name in settings:
        settings[name] = kept


def _enlist_addresses(settings: Settings, value: str) -> None:
    """`(NAME) address …`."""
    listed = _LISTED.fullmatch(value)
    if listed and today(listed[1]) in _ADDRESS_LISTS:
        settings.setdefault(today(listed[1]), []).append(listed[2])
    elif listed:
        settings.setdefault("enlist_addrlist", []).append(value)


def _delist_hosts(settings: Settings, value: str) -> None:
    """`(NAME) host …`, or `host …` for all lists."""
    listed = _LISTED.fullmatch(value)
    only = listed[1] if listed else None
    gone = {host.lstrip("!") for host in (listed[2] if listed else value).lower().split()}
    kept = []
    for line in settings.get("enlist_uri_host", ()):
        entry = _LISTED.fullmatch(line)
        if entry and only in (None, entry[1]):
            hosts = [host for host in entry[2].split() if host.lower().lstrip("!") not in gone]
            line = f"({entry[1]}) {' '.join(hosts)}" if hosts else ""
        if line:
            kept.append(line)
    settings["enlist_uri_host"] = kept


def _clear_fields(settings: Settings, _value: str) -> None:
    settings["add_header"] = [line for line in settings.get("add_header", ()) if _field_name(line) == _KEPT]


def _remove_field(settings: Settings, value: str) -> None:
    """`spam|ham|all NAME`; of a field for all mail, the other half stays."""
    kind, _, name = value.lower().partition(" ")
    name = name.strip()
    kept = []
    for line in settings.get("add_header", ()):
        line_kind, _, rest = line.partition(" ")
        if _field_name(line) != name or name == _KEPT or kind not in ("all", line_kind, *_OTHER):
            kept.append(line)
        elif line_kind == "all" and kind != "all":
            kept.append(f"{_OTHER[kind]} {rest}")
        elif kind not in ("all", line_kind):
            kept.append(line)
    settings["add_header"] = kept


def _field_name(line: str) -> str:
    words = line.split(None, 2)
    return words[1].lower() if len(words) > 1 else ""


_KEPT = "checker-version"
"""The field that SpamAssassin never lets go."""
_OTHER = {"spam": "ham", "ham": "spam"}


_HANDLED: dict[str, Callable[[Settings, str], None]] = {
    "enlist_addrlist": _enlist_addresses,
    "delist_uri_host": _delist_hosts,
    "clear_headers": _clear_fields,
    "remove_header": _remove_field,
}
