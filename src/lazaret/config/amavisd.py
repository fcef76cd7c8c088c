"""amavisd.conf in our settings: as TOML what is understood, as notes with their lines everything else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lazaret.config import amavisd_needless, perl_values
from lazaret.config.amavisd_values import Given, NotOurs, addresses, database, domains, hops, networks, number
from lazaret.config.options import OPTIONS, Levels
from lazaret.config.perl_tokens import NotPerl
from lazaret.config.perl_values import Assignment, Value
from lazaret.config.problems import Unfit

D_PASS, D_DISCARD, D_BOUNCE, D_REJECT = 1, 0, -2, -3
CONSTANTS: Mapping[str, Value] = {
    "D_PASS": D_PASS,
    "D_DISCARD": D_DISCARD,
    "D_BOUNCE": D_BOUNCE,
    "D_REJECT": D_REJECT,
    "D_TEMPFAIL": -4,
}
NEVER = 9999.0
"""A level that no message reaches."""

_MACHINE: Mapping[str, Value] = {"$MYHOME": "/var/lib/amavis"}
"""What Debian's amavisd knows without being told."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not taken over."""

    where: str
    """file:line"""
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.name}: {self.text}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One of our settings, as TOML gives it."""

    value: object
    where: str
    remark: str = ""


@dataclass(slots=True)
class Translation:
    """What became of a configuration of amavisd."""

    settings: dict[tuple[str, str], Setting] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    broken: bool = False
    """A part of a file could not be read at all."""

    def toml(self) -> str:
        """The configuration file; every line says where it comes from."""
        lines, section = [], ""
        for path in OPTIONS:
            if len(path) != 2 or path not in self.settings:
                continue
            setting = self.settings[path]
            if path[0] != section:
                section = path[0]
                lines += ["", f"[{section}]"]
            kind = OPTIONS[path].kind
            if setting.remark:
                lines.append(f"# {setting.remark}")
            lines.append(f"{path[1]} = {kind.show(kind.read(setting.value))}  # {setting.where}")
        return "\n".join(lines[1:]) + "\n" if lines else ""


def translate(files: Sequence[tuple[str, str]]) -> Translation:
    """Reads files (name, text) in their order, as amavisd does; a later assignment counts."""
    return _Translator(files).run()


class _Translator:
    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        self._result = Translation()
        self._given: dict[str, Given] = {}
        self._bank_where: dict[str, str] = {}
        self._taken: set[str] = set()
        self._read(files)

    def _read(self, files: Sequence[tuple[str, str]]) -> None:
        variables = dict(_MACHINE)
        unread: dict[str, Note] = {}
        for file, text in files:
            try:
                for statement in perl_values.read(text, CONSTANTS, variables):
                    where = f"{file}:{statement.line}"
                    if isinstance(statement, Assignment):
                        unread.pop(statement.name, None)
                        if statement.name == "%policy_bank" and statement.keys:
                            self._bank_where[statement.keys[0]] = where
                        self._given[statement.name] = Given(variables[statement.name], where)
                    else:
                        # Whatever it was before, nobody knows what it is now.
                        self._given.pop(statement.name, None)
                        variables.pop(statement.name, None)
                        unread[statement.name] = Note(where, statement.name, statement.reason)
            except NotPerl as e:
                self._result.broken = True
                self._result.notes.append(Note(f"{file}:{e.line}", "the rest of the file", f"not read: {e}"))
        for name, note in unread.items():
            meaning = amavisd_needless.meaning_of(name)
            self._result.notes.append(
                Note(note.where, name, f"{note.text}; {meaning}" if meaning else note.text)
            )

    def run(self) -> Translation:
        for name, (path, read) in _PLAIN.items():
            self._take(name, path, read)
        for step in (self._local_domains, self._listeners, self._levels, self._quarantine, self._log):
            step()
        for name in ("@storage_sql_dsn", "@lookup_sql_dsn"):
            self._take(name, ("store", "url"), database)
        self._note_the_rest()
        return self._result

    # Taking

    def _get(self, name: str) -> Given | None:
        given = self._given.get(name)
        if given is not None:
            self._taken.add(name)
        return given

    def _take(self, name: str, path: tuple[str, str], read: Callable[[Value], object]) -> None:
        given = self._get(name)
        if given is None or given.value is None:
            return
        try:
            self._set(path, read(given.value), given.where)
        except NotOurs as e:
            self._note(given.where, name, str(e))
            if e.value is not None:
                self._set(path, e.value, given.where)

    def _set(self, path: tuple[str, str], value: object, where: str, remark: str = "") -> None:
        try:
            OPTIONS[path].kind.read(value)
        except Unfit as e:
            self._note(where, ".".join(path), str(e))
            return
        self._result.settings[path] = Setting(value, where, remark)

    def _note(self, where: str, name: str, text: str) -> None:
        self._result.notes.append(Note(where, name, text))

    # What takes more than one variable

    def _local_domains(self) -> None:
        for name in ("%local_domains", "@local_domains_acl", "@local_domains_maps"):
            self._take(name, ("local", "domains"), domains)

    def _listeners(self) -> None:
        """Ports, and through %interface_policy the policy bank of each."""
        ports, bind = self._get("$inet_socket_port"), self._get("$inet_socket_bind")
        banks, policies = self._get("%policy_bank"), self._get("%interface_policy")
        found: dict[str, list[str]] = {}
        for port in _as_list(ports.value) if ports else []:
            bank = _bank(policies, banks, str(port))
            hosts = _as_list(bind.value) if bind else ["127.0.0.1"]
            for host in hosts:
                address = "0.0.0.0" if host in (None, "*") else str(host)
                found.setdefault(_role(bank), []).append(_endpoint(address, port))
        for role, endpoints in found.items():
            self._set(("listen", role), endpoints, ports.where if ports else "")
        self._release_protocol(banks)
        if banks is not None:
            self._note_banks(banks)

    def _release_protocol(self, banks: Given | None) -> None:
        """Whether a release needs the secret."""
        socket, required = self._get("$unix_socketname"), self._get("$auth_required_release")
        if socket is not None and socket.value:
            text = "the socket is ours now: clients of AM.PDP find it in store.data_dir as ampdp.sock"
            self._note(socket.where, "$unix_socketname", text)
        wishes = [bank.get("auth_required_release") for bank in _banks(banks) if _speaks_ampdp(bank)]
        where = banks.where if banks else ""
        if required is not None and all(wish is None for wish in wishes):
            wishes, where = [required.value], required.where
        known = {bool(wish) for wish in wishes if wish is not None}
        if known:
            self._set(("ampdp", "require_secret"), "always" if known == {True} else "never", where)

    def _note_banks(self, banks: Given) -> None:
        for name, bank in (banks.value if isinstance(banks.value, dict) else {}).items():
            left = sorted(set(bank) - _OF_BANKS) if isinstance(bank, dict) else ["?"]
            if left:
                where = self._bank_where.get(name, banks.where)
                self._note(where, f"$policy_bank{{{name}}}", f"not taken over: {', '.join(left)}")

    def _levels(self) -> None:
        kill = self._level("$sa_kill_level_deflt", "@spam_kill_level_maps")
        mark = self._level("$sa_tag2_level_deflt", "@spam_tag2_level_maps")
        tag = self._level("$sa_tag_level_deflt", "@spam_tag_level_maps")
        cutoff = self._level("$sa_quarantine_cutoff_level", "@spam_quarantine_cutoff_level_maps")
        if tag is not None:
            self._set(("levels", "tag"), number(tag.value), tag.where)
        if mark is not None:
            self._set(("levels", "mark"), number(mark.value), mark.where)
        destiny = self._get("$final_spam_destiny")
        fate = destiny.value if destiny else D_PASS
        passed = destiny or kill
        if passed is not None and fate == D_PASS:
            remark = "amavisd delivered all spam, marked: nothing is quarantined or killed for its score"
            self._set(("levels", "quarantine"), NEVER, passed.where, remark)
            self._set(("levels", "kill"), NEVER, passed.where)
            return
        if destiny is not None and fate == D_BOUNCE:
            text = "Lazaret sends no bounces to senders who may be forged; the mail is quarantined in silence"
            self._note(destiny.where, "$final_spam_destiny", text)
        if kill is not None:
            self._above_kill(kill, mark, cutoff, destiny, refuses=fate == D_REJECT)

    def _above_kill(
        self, kill: Given, mark: Given | None, cutoff: Given | None, destiny: Given | None, *, refuses: bool
    ) -> None:
        level = number(kill.value)
        if mark is not None and number(mark.value) > level:
            self._note(mark.where, "$sa_tag2_level_deflt", "above the kill level: nothing was ever marked")
            self._set(("levels", "mark"), level, mark.where)
        elif mark is None and level < Levels().mark:
            self._set(("levels", "mark"), level, kill.where)
        self._set(("levels", "quarantine"), level, kill.where)
        if refuses and destiny is not None:
            self._set(("levels", "quarantine_reply"), "reject", destiny.where)
        method, to = self._get("$spam_quarantine_method"), self._get("$spam_quarantine_to")
        unkept = next((one for one in (method, to) if one is not None and not one.value), None)
        if unkept is not None:
            remark = "amavisd kept no copy of spam: what reaches the kill level is gone"
            self._set(("levels", "kill"), level, kill.where, remark)
            self._set(("levels", "kill_action"), "reject" if refuses else "discard", unkept.where)
            self._set(("quarantine", "keep_killed_days"), 0, unkept.where)
        elif cutoff is not None and cutoff.value is not None:
            self._set(("levels", "kill"), max(number(cutoff.value), level), cutoff.where)
            self._set(("levels", "kill_action"), "reject" if refuses else "discard", cutoff.where)
        else:
            remark = "amavisd had no cutoff: everything from the quarantine level on was kept"
            self._set(("levels", "kill"), max(NEVER, level), kill.where, remark)

    def _level(self, scalar: str, maps: str) -> Given | None:
        """The level for everybody: of the maps, which amavisd asks, the first that is a number."""
        given, table = self._get(scalar), self._get(maps)
        if table is not None:
            for value in _as_list(table.value):
                if isinstance(value, int | float | str):
                    return self._numeric(Given(value, table.where), maps)
                self._note(
                    table.where, maps, "levels by recipient: `lazaret policy set` takes them one by one"
                )
        return self._numeric(given, scalar) if given is not None and given.value is not None else None

    def _numeric(self, given: Given, name: str) -> Given | None:
        try:
            return Given(number(given.value), given.where)
        except NotOurs as e:
            self._note(given.where, name, str(e))
            return None

    def _quarantine(self) -> None:
        for name in ("%spam_lovers", "@spam_lovers_acl", "@spam_lovers_maps"):
            self._take(name, ("policy", "always_deliver"), addresses)
        modifies, tag = self._get("$sa_spam_modifies_subj"), self._get("$sa_spam_subject_tag")
        if modifies is not None and not modifies.value:
            self._set(("levels", "subject_tag"), "", modifies.where)
        elif tag is not None and tag.value is not None:
            self._set(("levels", "subject_tag"), str(tag.value), tag.where)

    def _log(self) -> None:
        names = ("$do_syslog", "$DO_SYSLOG", "$syslog_facility", "$logfile", "$LOGFILE")
        lower, upper, facility, *files = (self._get(name) for name in names)
        syslog = upper or lower
        if syslog is not None and syslog.value:
            word = str(facility.value) if facility else "mail"
            self._set(("log", "to"), f"syslog:{word}", (facility or syslog).where)
            return
        for file in files:
            if file is not None and file.value:
                self._note(
                    file.where, "log", f"amavisd's file is not ours; write log.to = {file.value!r} for it"
                )

    def _note_the_rest(self) -> None:
        needless: dict[str, list[str]] = {}
        for name, given in self._given.items():
            if name in self._taken:
                continue
            if amavisd_needless.is_machinery(name):
                needless.setdefault(given.where.rpartition(":")[0], []).append(name)
                continue
            meaning = amavisd_needless.meaning_of(name) or "no setting of ours says this"
            self._note(given.where, name, meaning)
        self._result.notes.sort(key=_place)
        for file, names in needless.items():
            text = f"amavisd's own machinery, not needed here: {' '.join(names)}"
            self._note(file, f"{len(names)} settings", text)


_PLAIN: Mapping[str, tuple[tuple[str, str], Callable[[Value], object]]] = {
    "@mynetworks": (("local", "networks"), networks),
    "@inet_acl": (("listen", "clients"), networks),
    "$forward_method": (("relay", "next_hop"), hops),
    "$release_method": (("relay", "release"), hops),
    "$smtpd_message_size_limit": (("limits", "message_size"), number),
    "$smtpd_recipient_limit": (("limits", "recipients"), number),
    "$myhostname": (("site", "hostname"), str),
}
_OF_BANKS = frozenset({"protocol", "originating", "auth_required_release", "inet_acl"})


def _as_list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _endpoint(host: str, port: Value) -> str:
    bare = host.removeprefix("[").removesuffix("]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def _banks(banks: Given | None) -> Iterator[dict[str, Value]]:
    for bank in banks.value.values() if banks and isinstance(banks.value, dict) else ():
        if isinstance(bank, dict):
            yield bank


def _bank(policies: Given | None, banks: Given | None, port: str) -> dict[str, Value]:
    name = policies.value.get(port) if policies and isinstance(policies.value, dict) else None
    bank = banks.value.get(str(name)) if banks and isinstance(banks.value, dict) else None
    return bank if isinstance(bank, dict) else {}


def _speaks_ampdp(bank: dict[str, Value]) -> bool:
    return str(bank.get("protocol", "")).upper() == "AM.PDP"


def _role(bank: dict[str, Value]) -> str:
    """Which of our kinds of listeners a port with this policy bank is."""
    if _speaks_ampdp(bank):
        return "ampdp"
    return "originating" if bank.get("originating") else "smtp"


def _place(note: Note) -> tuple[str, int]:
    file, _, line = note.where.rpartition(":")
    return file, int(line)
