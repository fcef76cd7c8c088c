"""Under which keys an address is looked up in `users` and `mailaddr`, as amavis looks it up.

`ann+x@mail.example.org` is found under `ann+x@mail.example.org`, `ann@mail.example.org`, `ann+x`, `ann`
(our own domains alone), `@mail.example.org`, `@.mail.example.org`, `@.example.org`, `@.org` and `@.`:
`@domain` is that domain, `@.domain` all below it as well, `@.` everybody.
"""

import re
from collections.abc import Sequence

from lazaret.model.address import DomainSet, is_valid, normalise, split, to_ascii

EVERYBODY = "@."
NULL_SENDER = "<>"
"""How people write the sender of bounces, whose key is empty."""
MOST_DOMAINS = 20
"""Keys for domains of one address: a domain of a thousand labels is no reason for a thousand keys."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def keys(address: str, *, delimiter: str = "", bare_user: bool = False) -> tuple[str, ...]:
    """The keys of an address, the most specific first. `delimiter`: what an address extension begins with.

    `bare_user`: also the local part alone, which amavis asks for recipients in our own domains.
    """
    written, domain = split(address)
    if not written and not domain:
        return ("", "@", EVERYBODY)
    domain = to_ascii(domain)
    local = _unquoted(written).lower()
    found = [f"{_unquoted(written)}@{domain}"]
    user, extension = _extension(local, delimiter)
    users = [user + extension, user] if extension else [user]
    found += [f"{one}@{domain}" for one in users]
    if bare_user:
        found += users
    found.append(f"@{domain}")
    found += _trees(domain)
    return tuple(dict.fromkeys(found))


def priority(key: str) -> int:
    """What amavis' sample tables write for such a key: the higher, the more specific."""
    local, domain = split(key) if "@" in key else (key, "")
    if local:
        extended = "+" in local[1:]
        return (9 if extended else 8) if "@" in key else (7 if extended else 6)
    if not domain.startswith("."):
        return 5
    labels = domain.count(".") if domain != "." else 0
    return min(labels, 3)


def from_words(text: str) -> str:
    """The key that a person means: an address, `example.org`, `.example.org` (all below it), `everybody`.

    ValueError says what can be written instead.
    """
    word = text.strip()
    if word == NULL_SENDER:
        return ""
    if word.lower() in ("everybody", EVERYBODY):
        return EVERYBODY
    local, domain = split(word) if "@" in word else ("", word)
    below = not local and domain.startswith(".")
    name = to_ascii(domain.removeprefix(".") if below else domain)
    if not is_valid(f"{local or 'a'}@{name}"):
        raise ValueError(
            f'"{text}" is no address; write "ann@example.org", "example.org", ".example.org" for all below '
            'it too, or "everybody"'
        )
    if local:
        return normalise(f"{_unquoted(local)}@{name}")
    return f"@.{name}" if below else f"@{name}"


def in_words(key: str) -> str:
    """A key as people read it; `from_words` gives it back."""
    if key in ("", EVERYBODY):
        return "everybody" if key else NULL_SENDER
    return key.removeprefix("@")


def lies_within(key: str, domains: Sequence[str]) -> bool:
    """Whether whoever has these domains (`.example.org`: and all below it) may speak for the key.

    `@.example.org` is of many domains: for that one must have `.example.org`, or a tree that it is part of.
    """
    domain = split(key)[1] if "@" in key else ""
    if domain.startswith("."):
        trees = DomainSet(one for one in map(to_ascii, domains) if one.startswith("."))
        return domain[1:] in trees
    return bool(domain) and domain in DomainSet(domains)


def _trees(domain: str) -> list[str]:
    """`@.a.b`, `@.b`, `@.`; an address literal lies below nothing."""
    if domain.startswith("["):
        return [EVERYBODY]
    labels = domain.split(".") if domain else []
    trees = ["@." + ".".join(labels[i:]) for i in range(len(labels))] + [EVERYBODY]
    return trees[-MOST_DOMAINS:]


def _extension(local: str, delimiter: str) -> tuple[str, str]:
    """(`ann`, `+x`): the extension begins with the first delimiter that is not the first character."""
    if not delimiter:
        return local, ""
    at = local.find(delimiter, 1)
    return (local, "") if at < 0 or local in ("mailer-daemon", "double-bounce") else (local[:at], local[at:])


def _unquoted(local: str) -> str:
    """The local part without the quotes that the envelope needs: so it stands in the tables."""
    quoted = _QUOTED.fullmatch(local)
    return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL) if quoted else local
