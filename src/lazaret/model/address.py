"""Mail addresses as the envelope carries them (RFC 5321, section 4.1.2; RFC 6531).

An address is a `str` without angle brackets, the empty string being the null sender. Octets that
are not UTF-8 survive as surrogate escapes, so that an address can always be sent on as it came.
"""

import re
from collections.abc import Iterable


def split(address: str) -> tuple[str, str]:
    """Local part (as written, quotes included) and domain; the domain is "" when there is none."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (domain, "")


def to_ascii(domain: str) -> str:
    """The domain in lower case with IDNA A-labels; what cannot be encoded stays as it is."""
    domain = domain.lower().rstrip(".")
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def normalise(address: str) -> str:
    """The form in which addresses are compared and stored: lower case, the domain in ASCII."""
    local, domain = split(address)
    return f"{local.lower()}@{to_ascii(domain)}" if domain else local.lower()


def reversed_domain(address: str) -> str:
    """`com.example.mail` for `a@mail.example.com`: the form in which a prefix search finds subdomains."""
    domain = to_ascii(split(address)[1])
    if not domain or domain.startswith("["):
        return domain
    return ".".join(reversed(domain.split(".")))


class DomainSet:
    """Domains as a site writes them: `a.example` is itself, `.a.example` has all below it as well.

    A look-up costs a step per label of the domain, however many domains there are.
    """

    __slots__ = ("_exact", "_trees")

    def __init__(self, domains: Iterable[str] = ()) -> None:
        names = [to_ascii(d) for d in domains]
        self._exact = frozenset(n for n in names if not n.startswith("."))
        self._trees = frozenset(n[1:] for n in names if n.startswith("."))

    def __bool__(self) -> bool:
        return bool(self._exact or self._trees)

    def __contains__(self, domain: object) -> bool:
        name = to_ascii(domain) if isinstance(domain, str) else ""
        if name in self._exact:
            return True
        while name:
            if name in self._trees:
                return True
            name = name.partition(".")[2]
        return False


# The classes say what is not allowed, because listing all of Unicode takes 20 ms to compile.
_ATEXT = r"""[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+"""
_LOCAL = rf'(?:{_ATEXT}(?:\.{_ATEXT})*|"(?:[^"\\\r\n\x00]|\\[^\r\n\x00])*")'
_ALNUM, _ALNUM_OR_HYPHEN = r"[^\x00-/:-@\[-^`{-\x7f]", r"[^\x00-,./:-@\[-^`{-\x7f]"
_LABEL = rf"{_ALNUM}(?:{_ALNUM_OR_HYPHEN}*{_ALNUM})?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Za-z0-9:.\-]+\])"
_MAILBOX = re.compile(rf"{_LOCAL}@{_DOMAIN}")


def is_valid(address: str) -> bool:
    """Whether it has the form of an RFC 5321 Mailbox; for what people type, not for what the MTA sends."""
    return len(address) <= 320 and _MAILBOX.fullmatch(address) is not None
