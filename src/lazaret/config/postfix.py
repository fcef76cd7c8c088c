"""A Postfix configuration as `postconf -x` and `postconf -M` print it (postconf(1), master(5))."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")
_WORD = re.compile(r"\{([^{}]*)\}|(\S+)")
_TIME = re.compile(r"([0-9]{1,9})([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}
MAX_DEPTH = 10
"""Of parameters that name parameters."""


@dataclass(frozen=True, slots=True)
class Service:
    """One line of master.cf."""

    name: str
    """`smtp`, `127.0.0.1:10025`, `lazaret`"""
    type: str
    """inet, unix, fifo, pass"""
    command: str
    options: Mapping[str, str] = field(default_factory=dict)
    """What `-o` sets."""

    @property
    def host(self) -> str:
        """Where an inet service listens; "" for wherever inet_interfaces says."""
        return self.name.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of an inet service; 0 for a name that only /etc/services knows."""
        word = self.name.rpartition(":")[2]
        return int(word) if word.isdigit() else _PORTS.get(word, 0)

    def __str__(self) -> str:
        return f"{self.name} ({self.command})"


@dataclass(frozen=True, slots=True)
class Postfix:
    """main.cf with every default filled in, and master.cf."""

    main: Mapping[str, str]
    services: tuple[Service, ...]

    def value(self, name: str, service: Service | None = None) -> str:
        """What holds in a service, or for all where none is named; parameters in it are expanded."""
        own = service.options.get(name) if service else None
        return self._expanded(own if own is not None else self.main.get(name, ""), service, MAX_DEPTH)

    def words(self, name: str, service: Service | None = None) -> list[str]:
        """The value as a list of words."""
        return (
            re.split(r"[,\s]+", self.value(name, service).strip(", \t")) if self.value(name, service) else []
        )

    def seconds(self, name: str, service: Service | None = None) -> int:
        """The value as a time; 0 when it is none."""
        found = _TIME.fullmatch(self.value(name, service))
        return int(found[1]) * _SECONDS[found[2]] if found else 0

    def number(self, name: str, service: Service | None = None) -> int:
        """The value as a number; 0 when it is none."""
        value = self.value(name, service)
        return int(value) if value.isdigit() else 0

    def of_type(self, *types: str, command: str = "") -> Iterator[Service]:
        """The services of these types, of one command or of any."""
        return (s for s in self.services if s.type in types and command in ("", s.command))

    def _expanded(self, value: str, service: Service | None, depth: int) -> str:
        if "$" not in value or not depth:
            return value

        def named(found: re.Match[str]) -> str:
            name = found[1] or found[2] or found[3]
            own = service.options.get(name) if service else None
            return self._expanded(own if own is not None else self.main.get(name, ""), service, depth - 1)

        return _VARIABLE.sub(named, value)[:65_536]


def parse(main: str, master: str) -> Postfix:
    """`main`: the output of `postconf -x`; `master`: that of `postconf -M`."""
    lines = (line.partition("=") for line in main.splitlines() if "=" in line)
    return Postfix({name.strip(): value.strip() for name, _, value in lines}, tuple(_services(master)))


def _services(master: str) -> Iterator[Service]:
    for line in re.sub(r"\n[ \t]+", " ", master).splitlines():
        fields = line.split(None, 7)
        if len(fields) < 8 or line.startswith("#"):
            continue
        command, _, arguments = fields[7].partition(" ")
        yield Service(fields[0], fields[1], command, dict(_options(arguments)))


def _options(arguments: str) -> Iterator[tuple[str, str]]:
    words = [found[1] if found[1] is not None else found[2] for found in _WORD.finditer(arguments)]
    for flag, setting in pairwise(words):
        if flag == "-o":
            name, _, value = setting.partition("=")
            yield name.strip(), value.strip()
