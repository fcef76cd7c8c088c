"""What our own servers found out about the sender (RFC 8601; Mail::SpamAssassin::Plugin::AuthRes).

Only Authentication-Results fields that our servers wrote count: those above the boundary of
`authres_networks`, of the servers in `authres_trusted_authserv`, and none of those in
`authres_ignored_authserv`. A field that does not follow the rules is passed over as a whole.
"""

import re
from collections.abc import Iterator, Mapping

from lazaret.rules.evals import Settings, Subject, eval_function

_RESULTS: Mapping[str, frozenset[str]] = {
    method: frozenset(results.split())
    for method, results in {
        "arc": "fail none pass",
        "auth": "fail none pass permerror temperror",
        "dkim": "fail neutral none pass permerror policy temperror",
        "dkim-adsp": "discard fail none nxdomain pass permerror temperror unknown",
        "dkim-atps": "fail none pass permerror temperror neutral",
        "dmarc": "bestguesspass fail none pass permerror temperror",
        "dnswl": "none pass permerror temperror",
        "domainkeys": "fail neutral none permerror policy pass temperror",
        "iprev": "fail pass permerror temperror",
        "rrvs": "fail none pass permerror temperror unknown",
        "sender-id": "fail hardfail neutral none pass permerror policy softfail temperror",
        "smime": "fail neutral none pass permerror policy temperror",
        "spf": "fail hardfail neutral none pass permerror policy softfail temperror",
        "vbr": "fail none pass permerror temperror",
    }.items()
}
_PROPERTIES: Mapping[str, frozenset[str]] = {
    method: frozenset(properties.split())
    for method, properties in {
        "arc": "smtp.remote-ip header.oldest-pass arc.chain",
        "auth": "smtp.auth smtp.mailfrom",
        "dkim": "header.d header.i header.b header.a header.s",
        "dkim-adsp": "header.from",
        "dkim-atps": "header.from",
        "dmarc": "header.from policy.dmarc",
        "dnswl": "dns.zone dns.sec policy.ip policy.txt",
        "domainkeys": "header.d header.from header.sender",
        "iprev": "policy.iprev",
        "rrvs": "smtp.rcptto",
        "sender-id": "header.*",
        "smime": "body.smime-part body.smime-identifer body.smime-serial body.smime-issuer",
        "spf": "smtp.mailfrom smtp.mfrom smtp.helo smtp.rcpttodomain",
        "vbr": "header.md header.mv",
    }.items()
}
_FIELD = re.compile(rb"(arc-)?authentication-results:\s*(.+)", re.IGNORECASE)
_SECTIONS = {"internal": "ALL-INTERNAL", "trusted": "ALL-TRUSTED", "all": "ALL"}
_MOST_FIELDS = 100
_LONGEST = 8192
_MOST_INSTANCES = 50

_BLANKS = re.compile(r"\s*")
_BRACKET = re.compile(r"[()]")
_TOKEN = re.compile(r"[^\s\x00-\x1f\x80-\xff()<>@,;:/\[\]?=\"]+")
_WORD = re.compile(r"[\w-]+", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
_INSTANCE = re.compile(r"i\b", re.IGNORECASE)
_NONE = re.compile(r"none\b", re.IGNORECASE)
_REMARKS = (re.compile(r"reason\b", re.IGNORECASE), re.compile(r"action\b", re.IGNORECASE))
_QUOTED = re.compile(r'"(?>(?:[^"\\]|\\.)*)"?', re.DOTALL)
_VALUE = re.compile(r'"(?>(?:[^"\\]|\\.)*)"?|[^\s;]+', re.DOTALL)
_END = re.compile(r";|\Z")


@eval_function("check_authres_result")
def authres_result(subject: Subject, method: str, result: str) -> int:
    """Our servers came to that result; `missing`: to none."""
    found = subject.once(_found).get(method, "missing")
    return result.lower() == found


def _found(subject: Subject) -> dict[str, str]:
    """Method -> its result: pass, where one of several is, else the newest."""
    settings = subject.settings
    section = _SECTIONS.get(settings.last("authres_networks", "internal").lower(), "ALL-INTERNAL")
    results: dict[str, str] = {}
    lines = (line for line in subject.header(section).split(b"\n") if _FIELD.match(line))
    for _, line in zip(range(_MOST_FIELDS), lines, strict=False):
        field = _FIELD.match(line[:_LONGEST])
        if not field:
            continue
        try:
            stated = list(_Reader(field[2].decode("latin-1"), settings).results(sealed=bool(field[1])))
        except _Malformed:
            continue
        for method, result in stated:
            if result == "pass" or method not in results:
                results[method] = result
    return results


class _Malformed(Exception):
    """The field does not follow the rules, or is of a server that is not believed."""


class _Reader:
    """Goes through a field from left to right."""

    def __init__(self, text: str, settings: Settings) -> None:
        self._text = text
        self._place = 0
        self._settings = settings

    def results(self, *, sealed: bool) -> Iterator[tuple[str, str]]:
        """Method and result, one after the other. `sealed`: of an ARC set, whose number comes first."""
        if sealed:
            self._instance()
        server = self._server()
        while self._place < len(self._text):
            if self._text.startswith(f"{server};", self._place):
                self._place += len(server) + 1
                self._skip()
            if self._take(_NONE):
                raise _Malformed
            yield self._result()

    def _instance(self) -> None:
        self._expect(_INSTANCE)
        self._sign("=")
        if not 1 <= int(self._expect(_NUMBER)[:9]) <= _MOST_INSTANCES:
            raise _Malformed
        self._sign(";")

    def _server(self) -> str:
        name = self._take(_TOKEN)
        if self._text.startswith("=", self._place):
            raise _Malformed
        self._skip()
        known = {word.lower() for word in self._settings.words("authres_trusted_authserv")}
        ignored = {word.lower() for word in self._settings.words("authres_ignored_authserv")}
        if not name or (known and name.lower() not in known) or name.lower() in ignored:
            raise _Malformed
        self._take(_NUMBER)
        self._skip()
        self._sign(";")
        return name.lower()

    def _result(self) -> tuple[str, str]:
        method = self._expect(_WORD).lower()
        if self._text.startswith("/", self._place):
            self._sign("/")
            self._expect(_NUMBER)
        self._sign("=")
        result = self._expect(_WORD)
        if result not in _RESULTS.get(method, ()):
            raise _Malformed
        for remark in _REMARKS:
            if not self._take(remark):
                continue
            self._skip()
            self._sign("=")
            if not (self._take(_QUOTED) or self._take(_TOKEN)):
                raise _Malformed
            self._skip()
        self._properties(method)
        return method, result

    def _properties(self, method: str) -> None:
        while self._place < len(self._text):
            if self._take(_END):
                self._skip()
                return
            kind = self._expect(_WORD).lower()
            self._sign(".")
            name = self._expect(_WORD).lower()
            if not _PROPERTIES[method] & {f"{kind}.{name}", f"{kind}.*"}:
                raise _Malformed
            self._sign("=")
            self._expect(_VALUE)

    def _take(self, pattern: re.Pattern[str]) -> str:
        """What matches here; "" when nothing does."""
        found = pattern.match(self._text, self._place)
        if found:
            self._place = found.end()
        return found[0] if found else ""

    def _expect(self, pattern: re.Pattern[str]) -> str:
        """What matches here, and the blanks and comments after it are passed over."""
        text = self._take(pattern)
        if not text:
            raise _Malformed
        self._skip()
        return text

    def _sign(self, sign: str) -> None:
        if not self._text.startswith(sign, self._place):
            raise _Malformed
        self._place += 1
        self._skip()

    def _skip(self) -> None:
        """Passes over blanks and a comment; comments may lie in comments."""
        self._take(_BLANKS)
        if not self._text.startswith("(", self._place):
            return
        depth = 0
        for bracket in _BRACKET.finditer(self._text, self._place):
            depth += 1 if bracket[0] == "(" else -1
            if not depth:
                self._place = bracket.end()
                self._take(_BLANKS)
                return
        raise _Malformed
