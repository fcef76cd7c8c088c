"""What people do with policies: list, set, unset, and ask whose word counts for an address."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from lazaret.flow.needs import PolicyTables
from lazaret.flow.policies import PolicyBook
from lazaret.model.errors import UserError
from lazaret.model.policies import NamedPolicy, PolicyChange, PolicyRow
from lazaret.model.verdict import Category, Levels, Policy
from lazaret.policy import keys as written
from lazaret.policy.senders import Evidence, Senders, Standing, standing
from lazaret.policy.settings import IGNORED, SETTINGS, WITHOUT_CHECK, Setting, wanted
from lazaret.policy.side_by_side import Side, side_by_side

CHANGES_SHOWN = 10
EX_USAGE = 64
EX_NOINPUT = 66

Audit = Callable[[str, str, str, str], Awaitable[None]]
"""(who, act, mail id, detail)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One setting as it holds for an address."""

    key: str
    """As in the configuration (`levels.mark`), else the name of the setting in the database."""
    value: str
    origin: str
    """Who set it: a policy of the database, file and line of the configuration, or "default"."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What holds for one address, and why."""

    lines: tuple[Line, ...]
    looked_up: tuple[tuple[str, PolicyRow | None], ...] = ()
    """Every key in the order of the look-up, with the row that it has."""
    ignored: tuple[Line, ...] = ()
    """What amavis would do and Lazaret does not."""
    standing: Standing | None = None
    """What the lists say of the sender that was asked for, when he proves nothing."""
    changes: tuple[PolicyChange, ...] = ()
    """Who set what for the keys that were looked up and for the policies that were found, newest first."""


class PolicyDesk:
    """Serves people: every change is written to the audit table under the name of who made it.

    `whom` is an address, a domain, `.domain` with all below it, or `everybody`. All changes raise
    UserError with what to write instead, and count in every process within a second.
    """

    def __init__(
        self, tables: PolicyTables, book: PolicyBook, audit: Audit, where: Mapping[str, str] | None = None
    ) -> None:
        """`where`: key of the configuration -> where it was set."""
        self._tables = tables
        self._book = book
        self._audit = audit
        self._where = where or {}

    async def page(
        self, *, limit: int, after: str = "", within: Sequence[str] | None = None
    ) -> list[PolicyRow]:
        """Who has a policy, in the order of the keys; `after`: the last key of the page before.

        `within`: only what `policy.keys.lies_within` these domains.
        """
        return await self._tables.page(limit=limit, after=after, within=within)

    async def named(self) -> list[NamedPolicy]:
        """The policies by themselves."""
        return await self._tables.named()

    async def set(self, whom: str, settings: Mapping[str, str], *, who: str) -> tuple[PolicyRow, list[str]]:
        """Sets what is named, for these alone; the row, and what one should know about the result.

        Names are those of `policy.settings`, `local` (yes, no) and `policy` (the name of one).
        """
        key = key_of(whom)
        values, local, policy = _read(settings)
        row = await self._tables.change(key, values, local=local, policy=policy)
        await self._audit(who, "policy set", "", f"{written.in_words(key)}: {_words(settings)}")
        return row, warnings(row.values, self._book.lookup.default.levels)

    async def set_named(self, name: str, settings: Mapping[str, str], *, who: str) -> list[str]:
        """Sets what is named for all who have the policy of this name; it is made when it is missing."""
        values, local, policy = _read(settings)
        if local is not None or policy:
            raise UserError("local and policy are set for an address or a domain, not for a policy", EX_USAGE)
        if not 0 < len(name) <= 32 or not name.isprintable():
            raise UserError("the name of a policy has 1 to 32 characters", EX_USAGE)
        await self._tables.change_named(name, values)
        await self._audit(who, "policy set", "", f"{_quoted(name)}: {_words(settings)}")
        return warnings(values, self._book.lookup.default.levels)

    async def unset(self, whom: str, names: Sequence[str], *, who: str) -> None:
        """Takes settings back, all of them without `names`. UserError (66) when there is no such policy."""
        key = key_of(whom)
        if names:
            columns = [_setting(name).column for name in names if name != "local"]
            done = await self._tables.reset(key, columns, local="local" in names)
        else:
            done = await self._tables.remove(key)
        if not done:
            raise UserError(f"{whom} has no policy of its own", EX_NOINPUT)
        await self._audit(who, "policy unset", "", f"{written.in_words(key)}: {' '.join(names) or 'all'}")

    async def levels(self) -> list[Side]:
        """What the policies of the database say to amavis, and what the same means here; for `db check`."""
        return list(side_by_side(await self._tables.named(), self._book.lookup.default))

    async def explain(
        self, address: str, *, sender: str = "", within: Sequence[str] | None = None
    ) -> Explanation:
        """What holds for an address, who set it, and what its lists say of a sender, if one is named.

        `within`: of other domains nobody is told who changed what.
        """
        key = key_of(address)
        if key.startswith("@") or not key:
            raise UserError(f'"{address}" is no address; write "ann@example.org"', EX_USAGE)
        senders = Senders(sender, (), self._book.delimiter) if sender else None
        held = await self._book.held(address, senders)
        looked_up = self._book.keys(address)
        rows = {row.key: row for row in await self._tables.find(looked_up)}
        about = [k for k in looked_up if within is None or written.lies_within(k, within)]
        names = [_quoted(row.name) for k, row in rows.items() if k in about and row.name]
        found = None
        if senders:
            found = standing(
                held.rows,
                held.entries,
                senders,
                Evidence(),
                now=time.time(),
                trust_others=self._book.trust_others,
            )
        return Explanation(
            lines=tuple(lines(held.policy, self._where)),
            looked_up=tuple((key, rows.get(key)) for key in looked_up),
            ignored=tuple(_ignored([rows[k] for k in looked_up if k in rows])),
            standing=found,
            changes=tuple(
                await self._tables.changes([*map(written.in_words, about), *names], limit=CHANGES_SHOWN)
            ),
        )


def key_of(whom: str) -> str:
    """The key of an address, a domain, or everybody, as people write them. UserError."""
    try:
        return written.from_words(whom)
    except ValueError as e:
        raise UserError(str(e), EX_USAGE) from e


def lines(policy: Policy, where: Mapping[str, str]) -> list[Line]:
    """A policy setting by setting, the order of the configuration first."""
    sources, levels = policy.sources, policy.levels

    def of(key: str, name: str, value: str) -> Line:
        return Line(key, value, sources.get(name) or where.get(key, "default"))

    found = [
        of("local.domains", "local", "local" if policy.local else "not local: never marked"),
        of("policy.always_deliver", "", "marked at most" if policy.always_deliver else "not in it"),
        of("levels.tag", "tag", str(levels.tag)),
        of("levels.mark", "mark", str(levels.mark)),
        of("levels.quarantine", "quarantine", str(levels.quarantine)),
        of("levels.kill", "kill", "never" if levels.kill is None else str(levels.kill)),
        of("levels.kill_action", "", policy.kill_action),
        of("levels.quarantine_reply", "", policy.quarantine_reply),
        of("levels.subject_tag", "subject_tag", repr(policy.subject_tag)),
    ]
    for name, value in _only_in_database(policy).items():
        if name in sources:
            found.append(Line(name, value, sources[name]))
    return found


def _only_in_database(policy: Policy) -> dict[str, str]:
    lovers = {
        "spam_lover": Category.SPAM,
        "unchecked_lover": Category.UNCHECKED,
        "virus_lover": Category.VIRUS,
        "banned_files_lover": Category.BANNED,
        "bad_header_lover": Category.BAD_HEADER,
    }
    bypasses = {
        "bypass_spam_checks": Category.SPAM,
        "bypass_virus_checks": Category.VIRUS,
        "bypass_banned_checks": Category.BANNED,
        "bypass_header_checks": Category.BAD_HEADER,
    }
    return {
        "tag3": str(policy.strong_level),
        "subject_tag3": repr(policy.strong_subject_tag),
        "clean_subject_tag": repr(policy.clean_subject_tag),
        "keep_spam": "yes" if policy.keep else "no: what would be quarantined is discarded",
        "size_limit": f"{policy.size_limit} octets" if policy.size_limit else "none",
        **{name: _flag(name, category in policy.lovers) for name, category in lovers.items()},
        **{name: _flag(name, category in policy.bypasses) for name, category in bypasses.items()},
    }


def _flag(name: str, is_set: bool) -> str:
    if not is_set:
        return "no"
    return f"yes: {_no_check(name)}" if name in WITHOUT_CHECK else "yes"


def _no_check(name: str) -> str:
    return f"nothing acts on it, as no check of Lazaret looks for {WITHOUT_CHECK[name]}"


def warnings(values: Mapping[str, object], site: Levels) -> list[str]:
    """What whoever set this should know; `values` are columns, `site` the levels of the configuration."""
    mark, quarantine = _level("mark", values, site.mark), _level("quarantine", values, site.quarantine)
    kill = _level("kill", values, site.kill)
    assert mark is not None  # the site has both
    assert quarantine is not None
    found = []
    if kill is not None and quarantine >= kill:
        found.append(f"from quarantine {quarantine} on everything is killed at once: kill is {kill}")
    if mark > quarantine:
        found.append(f"nothing is marked below quarantine {quarantine}: mark is {mark}")
    if values.get("spam_quarantine_to") == "":
        found.append("with keep_spam=no what reaches the quarantine level is discarded, and nothing is kept")
    found += [
        f"{name}: {_no_check(name)}"
        for name in WITHOUT_CHECK
        if name in values and SETTINGS[name].read(values[name])
    ]
    return found


def _level(name: str, values: Mapping[str, object], site: float | None) -> float | None:
    setting = SETTINGS[name]
    meaning = setting.read(values[setting.column]) if setting.column in values else None
    return meaning if isinstance(meaning, float) else site


def _read(settings: Mapping[str, str]) -> tuple[dict[str, object], bool | None, str]:
    """(column -> value, local, name of a policy) out of what a person typed."""
    values: dict[str, object] = {}
    local: bool | None = None
    policy = ""
    for name, text in settings.items():
        if name == "policy":
            policy = text
        elif name == "local":
            local = _value(SETTINGS["spam_lover"], name, text) == "Y"
        else:
            setting = _setting(name)
            values[setting.column] = _value(setting, name, text)
    return values, local, policy


def _setting(name: str) -> Setting:
    try:
        return wanted(name)
    except ValueError as e:
        raise UserError(str(e), EX_USAGE) from e


def _value(setting: Setting, name: str, text: str) -> object:
    try:
        return setting.parse(text)
    except ValueError as e:
        raise UserError(f"{name}: {e}", EX_USAGE) from e


def _quoted(name: str) -> str:
    return f'policy "{name}"'


def _words(settings: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())


def _ignored(rows: Sequence[PolicyRow]) -> list[Line]:
    return [
        Line(column, str(row.values[column]), row.origin)
        for row in rows
        for column in IGNORED
        if row.values.get(column) not in (None, "", "N", " ")
    ]
