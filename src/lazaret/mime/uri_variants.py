"""What does a URI mean to the mail programs that meet it? All its readings, the written one first.

Spammers write URIs that a filter reads otherwise than a browser. So nothing is decided here: every
reading is kept, as SpamAssassin does, and rules look at all of them.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from lazaret.mime import hostnames, ip
from lazaret.mime.hostnames import Registry

URI_LIMIT = 8192
"""Octets of a URI that are kept."""
_REDIRECT_LIMIT = 10
"""Redirections inside redirections that are followed; `http:http:http:…` would make thousands."""

_WHITE = b" \t\n\r\x0b\x0c"
_NO_HOST = re.compile(rb"[#?&]|/(?!/)")
_MAIL = re.compile(rb"(?i:mailto:)|[^:@]*+@")

_SIMPLE = re.compile(
    rb"https?://(?P<host>(?!www\.[^.]*+(?:/|\Z))(?:[A-Za-z0-9-]++\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?P<rest>/[\x21-\x7e]*+)?"
    rb"|mailto:[^@?&<%\s]++@(?P<mail_host>[A-Za-z0-9.-]++)"
)
_TRICK = re.compile(rb"%[0-9a-fA-F]{2}|\\|&#|(?i:https?:)")
"""What makes a simple URI one of several readings."""
_COLON, _PER_CENT, _BACKSLASH, _AMPERSAND, _DOT = b":%\\&."

_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})")
_KEPT_ESCAPE = re.compile(rb"20|7[fF]|[0189a-fA-F][0-9a-fA-F]")
_UNSAFE = re.compile(rb"[\x00-\x20\x7f-\xff\"%<>]")
_SLASHES = re.compile(rb"\A(https?:)/{0,2}", re.I)
_SCHEME = re.compile(rb"[-_a-z0-9]+:", re.I)
_NO_PATH = re.compile(rb"\A(https?://[^/?#]+)([?#])", re.I)
_DECIMAL = re.compile(rb"&#0*(3[3-9]|[4-9]\d|1[01]\d|12[0-6]);")
_HEXADECIMAL = re.compile(rb"&#x0*(2[1-9]|[3-6][a-fA-F0-9]|7[0-9a-eA-E]);")
_DOT_REFERENCE = re.compile(rb"&#(?:x2e|12290|x3002|65294|xff0e|65377|xff61);", re.I)

_HTTP = re.compile(rb"(https?://)([^@/?#]*+@)?([^/?#:]+)((?::(\d*))?.*)", re.I | re.S)
_EMBEDDED = re.compile(rb"https?:/{0,2}[^&#]+", re.I)
_USER = re.compile(rb"\A[^@]+@")
_TRAILING_JUNK = re.compile(rb"(?<![^0-9A-Za-z])[^0-9A-Za-z]++\Z")
_NUMBER = rb"0x[0-9a-f]+|\d+"
_FOUR_NUMBERS = re.compile(rb"(%b)\.(%b)\.(%b)\.(%b)" % ((_NUMBER,) * 4), re.I)
_ONE_HEXADECIMAL = re.compile(rb"0x[0-9a-f]*?([0-9a-f]{1,8})", re.I)
_ONE_WORD = re.compile(rb"(?:www\.)?([^.]+)")
_CONTROLS = bytes(range(0x21))

_NOT_MAIL_HOST = re.compile(rb"(?:javascript|cid|file):")
_UNDECODED = re.compile(rb"%(?:2[1-9a-f]|[3-6][0-9a-f]|7[0-9a-e])")
_ANY_SCHEME = re.compile(rb"\A[a-z]+:/{0,2}")
_PATH = re.compile(rb"[/?#].*", re.S)
_PORT = re.compile(rb":\d*\Z")


@dataclass(frozen=True, eq=False)
class Sites:
    """What is known of the sites that URIs lead to."""

    registry: Registry = field(default_factory=hostnames.public)
    redirectors: tuple[re.Pattern[bytes], ...] = ()
    """Their first group is where a redirecting URI leads to (`redirector_pattern`)."""
    marks: re.Pattern[bytes] | None = None
    """What a URI that one of them matches holds in small letters; None: nobody knows."""

    def target(self, uri: bytes) -> bytes:
        """Where a known redirector leads to; b"" when it is none."""
        if self.marks and not self.marks.search(uri.lower()):
            return b""
        for redirector in self.redirectors:
            match = redirector.search(uri)
            if match and match[1] and _DOT in match[1]:
                return match[1]
        return b""


def read(uri: bytes, sites: Sites) -> tuple[tuple[bytes, ...], tuple[tuple[str, str], ...]]:
    """The URI as written, without blanks round it, then every other reading of it and of its targets; and the
    hosts that they name with their domains.
    """
    uri = uri[:URI_LIMIT]
    host = _plain_host(uri, sites)
    if host:
        site = _site_of(host.lower(), sites.registry)
        return (uri,), () if site is None else (site,)
    readings = _readings(uri, sites)
    pairs = [pair for reading in readings if (pair := host_and_domain(reading, sites.registry))]
    return readings, tuple(pairs)


def _plain_host(uri: bytes, sites: Sites) -> bytes:
    """The host of a URI that everybody reads alike, as nearly all are; b"" of any other."""
    simple = _SIMPLE.fullmatch(uri)
    if simple is None:
        return b""
    host, rest, mail_host = simple.groups()
    return b"" if rest and _leads_on(uri, rest, sites) else host or mail_host


def _readings(uri: bytes, sites: Sites) -> tuple[bytes, ...]:
    written = [uri]
    made: list[bytes] = []
    for number, one in enumerate(written):
        tidy = one.replace(b"\n", b"").strip(_WHITE).replace(b"\r", b"")
        written[number] = tidy
        if len(tidy) <= 1 or _NO_HOST.match(tidy):
            continue
        if _MAIL.match(tidy):
            made += _mail_readings(tidy)
            continue
        decoded = _decoded(tidy)
        if decoded != tidy:
            made.append(decoded)
        http = _HTTP.fullmatch(decoded)
        if http:
            reading = _Reading(http, sites)
            made += reading.made
            if reading.target and number < _REDIRECT_LIMIT:
                written.append(reading.target)
    return tuple(dict.fromkeys(u[:URI_LIMIT] for u in (*written, *made)))


def _leads_on(uri: bytes, rest: bytes, sites: Sites) -> bool:
    """Whether a URI with a plain host is more than it seems. A target needs a dot after the host."""
    suspect = _COLON in rest or _PER_CENT in rest or _BACKSLASH in rest or _AMPERSAND in rest
    if suspect and _TRICK.search(rest):
        return True
    return _DOT in rest and bool(sites.target(uri))


_MAIL_PARAMETERS = re.compile(rb"([^@]+@[^?]+)\?")
_MAIL_AMPERSAND = re.compile(rb"([^@]+@[^?&]+)&")
_MAIL_BLANKS = re.compile(rb"(?:mailto:)?(?:%20)*([^@]+@[^?&%]+)")
_MAIL_ANGLES = re.compile(rb"[^?&]*<([^@<>]+@[^>]+)>")


def _mail_readings(uri: bytes) -> list[bytes]:
    """An address without parameters; Outlook takes `&` for one, and some take the text between < and >."""
    readings = [m[1] for m in (_MAIL_PARAMETERS.match(uri), _MAIL_AMPERSAND.match(uri)) if m]
    blanks = _MAIL_BLANKS.match(uri) if uri.find(b"%20") >= 0 else None
    angles = _MAIL_ANGLES.match(uri, 0, uri.rfind(b">") + 1)
    return readings + [b"mailto:" + m[1] for m in (blanks, angles) if m]


def _decoded(uri: bytes) -> bytes:
    """What browsers make of it before they look for the host."""
    uri = _SLASHES.sub(rb"\1//", uri.replace(b"\\", b"/"))
    if _ESCAPE.search(uri):
        uri = unescape(uri)
    if not _SCHEME.match(uri):
        uri = (b"ftp://" if uri.startswith(b"ftp.") else b"http://") + uri
    uri = _NO_PATH.sub(rb"\1/\2", uri)
    if uri.find(b"&#") < 0:
        return uri
    uri = _DECIMAL.sub(lambda m: bytes((int(m[1]),)), uri)
    uri = _HEXADECIMAL.sub(lambda m: bytes((int(m[1], 16),)), uri)
    return _DOT_REFERENCE.sub(b".", uri)


def unescape(uri: bytes) -> bytes:
    """Escapes of printable characters decoded; characters that must be escaped escaped."""
    pieces = _ESCAPE.split(uri)
    pieces[::2] = [_UNSAFE.sub(lambda m: b"%%%02x" % ord(m[0]), piece) for piece in pieces[::2]]
    pieces[1::2] = [b"%" + e if _KEPT_ESCAPE.fullmatch(e) else bytes((int(e, 16),)) for e in pieces[1::2]]
    return b"".join(pieces)


class _Reading:
    """The readings of one http URI, and where it redirects to."""

    def __init__(self, http: re.Match[bytes], sites: Sites) -> None:
        self.made: list[bytes] = []
        self.scheme, self.host, self.rest = http[1], http[3], http[4]
        self.port = http[5] or b""
        self.user = http[2]
        self._read_port_and_name()
        name = self.name
        self.target = sites.target(self.scheme + self.host + self.rest) or self._embedded()
        self._read_junk()
        if not self._read_numbers() and self._may_be_completed(name, sites.registry):
            word = _ONE_WORD.fullmatch(name)
            if word:
                self._add(b"www." + word[1] + b".com")

    def _add(self, host: bytes, rest: bytes | None = None) -> None:
        self.made.append(self.scheme + host + (self.rest if rest is None else rest))

    def _read_port_and_name(self) -> None:
        without_port = b""
        if self.port:
            default = b":80" if self.scheme == b"http://" else b":443"
            without_port = self.rest
            if self.rest.startswith(default) and not self.rest[len(default) : len(default) + 1].isalnum():
                without_port = self.rest[len(default) :]
                self._add(self.host, without_port)
        self.name = hostnames.to_ascii(self.host)
        if self.name != self.host.lower():
            self._add(self.name)
            if without_port:
                self._add(self.name, without_port)
            self.host = self.name
        printable = self.host.translate(None, _CONTROLS)
        if printable != self.host:
            self.host = printable
            self._add(printable)

    def _embedded(self) -> bytes:
        found = _EMBEDDED.search(self.rest)
        return found[0] if found and _DOT in found[0] else b""

    def _read_junk(self) -> None:
        for junk in (_USER, _TRAILING_JUNK):
            clean = junk.sub(b"", self.host, count=1)
            if clean != self.host:
                self.host = clean
                self._add(clean)

    def _read_numbers(self) -> bool:
        """Browsers take numbers, in decimal, octal and hexadecimal, for an address."""
        four = _FOUR_NUMBERS.fullmatch(self.host)
        if four:
            self._add(b".".join(map(_octet, four.groups())))
            return True
        hexadecimal = _ONE_HEXADECIMAL.fullmatch(self.host)
        if hexadecimal:
            self._add(_dotted(int(hexadecimal[1], 16)))
            return True
        if self.host.isdigit():
            self._add(_dotted(int(self.host[:20])))
            return True
        return False

    def _may_be_completed(self, name: bytes, registry: Registry) -> bool:
        """Firefox reads http://example as http://www.example.com."""
        return (
            self.scheme == b"http://"
            and not self.user
            and self.port in (b"", b"80")
            and name != b"localhost"
            and not registry.knows_tld(name.decode("latin-1"))
        )


def _octet(number: bytes) -> bytes:
    if number[:2].lower() == b"0x":
        number = b"%d" % int(number[2:], 16)
    octal = re.fullmatch(rb"0+([1-3][0-7]{0,2}|[4-7][0-7]?)", number)
    return b"%d" % int(octal[1], 8) if octal else number.lstrip(b"0")


def _dotted(number: int) -> bytes:
    digits = b"%08x" % min(number, 2**64 - 1)
    return b".".join(b"%d" % int(digits[i : i + 2], 16) for i in (0, 2, 4, 6))


_PLAIN_HOST = re.compile(rb"https?://([^/?#@:]+)(?:[/?#]|\Z)")


def host_and_domain(uri: bytes, registry: Registry) -> tuple[str, str] | None:
    """(host, registered domain) of a URI; both are the address where it names one; None: no valid host."""
    lowered = uri.lower()
    plain = _PLAIN_HOST.match(lowered)
    host = plain[1] if plain else _host(lowered)
    return _site_of(host, registry) if host else None


def _site_of(host: bytes, registry: Registry) -> tuple[str, str] | None:
    return _site(host, registry) if len(host) <= hostnames.NAME_LIMIT else None


@lru_cache(maxsize=8192)
def _site(host: bytes, registry: Registry) -> tuple[str, str] | None:
    if _PER_CENT in host and _UNDECODED.search(host):
        return None
    name = hostnames.to_ascii(host).decode("latin-1")
    if hostnames.is_name(name) and registry.knows_tld(name):
        return name, registry.registered(name)
    return (name, name) if ip.is_address(name) else None


def _host(uri: bytes) -> bytes | None:
    if _NOT_MAIL_HOST.match(uri):
        return None
    if uri.startswith(b"mailto:"):
        address = uri[7:].partition(b"?")[0]
        return address.partition(b"@")[2] if address.count(b"@") == 1 else None
    host = _PATH.sub(b"", _ANY_SCHEME.sub(b"", uri), count=1)
    return _PORT.sub(b"", host.rpartition(b"@")[2])
