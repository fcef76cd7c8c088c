"""What a policy in the database can set: for whoever types it, and how the column is read."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SMALLEST_LIMIT = 65_536
"""A size limit below this counts as this: every mailbox must take so much (amavis does the same)."""

_SIZE = re.compile(r"([0-9]{1,12})\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_YES, _NO = ("yes", "y", "true", "on", "1"), ("no", "n", "false", "off", "0")
_FALSE = re.compile(r"(?:[NnFf ]|0+|\x00+) *|")
"""How amavis writes "no" into its columns of one character."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a policy may say about a recipient."""

    name: str
    column: str
    """Of the table `policy`."""
    text: str
    parse: Callable[[str], object]
    """What a person types -> what the column holds. ValueError says what to write instead."""
    read: Callable[[object], object]
    """What the column holds -> its meaning; None when it means nothing."""

    def show(self, value: object) -> str:
        """The meaning, as a person types it."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value)


def _parse_points(text: str) -> object:
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not math.isfinite(points) or abs(points) > 1e6:
        raise ValueError(f'"{text}" is no number of points; write for example 5.0')
    return points


def _read_points(value: object) -> object:
    """Rounded: a single-precision 6.31 comes back as 6.309999942779541."""
    try:
        points = round(float(value), 3)  # type: ignore[arg-type]  # whatever the column holds
    except (TypeError, ValueError, OverflowError):
        return None
    return points if math.isfinite(points) else None


def _parse_flag(text: str) -> object:
    if text.lower() not in _YES + _NO:
        raise ValueError(f'"{text}" is neither yes nor no')
    return "Y" if text.lower() in _YES else "N"


def _read_flag(value: object) -> object:
    return not _FALSE.fullmatch(str(value))


def _parse_text(text: str) -> object:
    if len(text) > 64 or not text.isprintable():
        raise ValueError("takes at most 64 characters, none of them a control character")
    return text


def _parse_kept(text: str) -> object:
    return "spam-quarantine" if _parse_flag(text) == "Y" else ""


def _parse_size(text: str) -> object:
    found = _SIZE.fullmatch(text.strip())
    octets = int(found[1]) * _UNITS[found[2].lower()] if found else -1
    if found is None or octets >= 1 << 31:
        raise ValueError(f'"{text}" is no size below 2 GiB; write for example 20M, or 0 for no limit')
    if 0 < octets < SMALLEST_LIMIT:
        raise ValueError(f'"{text}" is too small: every mailbox must take 64k')
    return octets


def _read_size(value: object) -> object:
    octets = _read_points(value)
    if not isinstance(octets, float) or octets < 0:
        return None
    return max(int(octets), SMALLEST_LIMIT) if octets else 0


def _points(name: str, column: str, text: str) -> Setting:
    return Setting(name, column, text, _parse_points, _read_points)


def _flag(name: str, text: str) -> Setting:
    return Setting(name, name, text, _parse_flag, _read_flag)


def _tag(name: str, column: str, text: str) -> Setting:
    return Setting(name, column, text, _parse_text, str)


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        _points("tag", "spam_tag_level", "from here on delivered mail gets X-Spam fields"),
        _points("mark", "spam_tag2_level", "from here on mail is marked"),
        _points("quarantine", "spam_kill_level", "from here on mail is quarantined"),
        _points("kill", "spam_quarantine_cutoff_level", "from here on mail is refused or discarded"),
        _points("tag3", "spam_tag3_level", "from here on subject_tag3 takes the place of subject_tag"),
        _tag("subject_tag", "spam_subject_tag2", "before the subject of marked mail"),
        _tag("subject_tag3", "spam_subject_tag3", "the same from tag3 on"),
        _tag("clean_subject_tag", "spam_subject_tag", "before the subject of mail from tag on, not marked"),
        Setting(
            "keep_spam",
            "spam_quarantine_to",
            "no: what would be quarantined is discarded, nothing is kept",
            _parse_kept,
            bool,
        ),
        Setting(
            "size_limit",
            "message_size_limit",
            "larger messages are not for this recipient; 0: no limit",
            _parse_size,
            _read_size,
        ),
        _flag("spam_lover", "spam is delivered, marked"),
        _flag("unchecked_lover", "what could not be examined to its end is delivered"),
        _flag("virus_lover", "viruses are delivered"),
        _flag("banned_files_lover", "banned attachments are delivered"),
        _flag("bad_header_lover", "bad headers are delivered"),
        _flag("bypass_spam_checks", "mail is not judged by its score, nor marked"),
        _flag("bypass_virus_checks", "viruses are not looked for"),
        _flag("bypass_banned_checks", "banned attachments are not looked for"),
        _flag("bypass_header_checks", "bad headers are not looked for"),
    )
}
"""Name that people type -> the setting. Names are those of the configuration, else amavis' own."""

BESIDE: Mapping[str, str] = {
    "local": "whether the address is ours: mail to others is never marked",
    "policy": "the policy of this name, which others may have too",
}
"""What can be set for an address or a domain, and is no column of `policy`."""

WITHOUT_CHECK: Mapping[str, str] = {
    "virus_lover": "viruses",
    "bypass_virus_checks": "viruses",
    "banned_files_lover": "banned attachments",
    "bypass_banned_checks": "banned attachments",
    "bad_header_lover": "bad headers",
    "bypass_header_checks": "bad headers",
}
"""Setting -> what no check of Lazaret looks for: nothing acts on it. It is read and shown all the same."""

IGNORED = (
    *("virus_quarantine_to", "banned_quarantine_to", "unchecked_quarantine_to", "bad_header_quarantine_to"),
    *("clean_quarantine_to", "archive_quarantine_to", "spam_dsn_cutoff_level"),
    *("addr_extension_virus", "addr_extension_spam", "addr_extension_banned", "addr_extension_bad_header"),
    *("warnvirusrecip", "warnbannedrecip", "warnbadhrecip", "newvirus_admin", "virus_admin", "banned_admin"),
    *("bad_header_admin", "spam_admin", "banned_rulenames", "disclaimer_options", "forward_method"),
    *("sa_userconf", "sa_username"),
)
"""Columns of `policy` that mean something to amavis, and nothing to Lazaret."""


def meanings(values: Mapping[str, object]) -> dict[str, object]:
    """Setting -> meaning of the columns that say something."""
    read = {n: s.read(values[s.column]) for n, s in SETTINGS.items() if values.get(s.column) is not None}
    return {name: meaning for name, meaning in read.items() if meaning is not None}


def wanted(name: str) -> Setting:
    """The setting of this name, or of the column of this name. ValueError names those that there are."""
    for setting in SETTINGS.values():
        if name in (setting.name, setting.column):
            return setting
    raise ValueError(f'there is no setting "{name}"; there are {", ".join(SETTINGS)}, local and policy')
