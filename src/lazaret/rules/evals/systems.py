"""From which autonomous system the message came, by a local database (Mail::SpamAssassin::Plugin::ASN).

The lists that are asked over DNS (`asn_lookup`) are not asked: a tag that only they fill stays empty.
"""

import re

from lazaret.rules.evals import Settings, Subject, eval_function, metadata, tag
from lazaret.rules.evals.geodb import geo
from lazaret.rules.evals.matching import token_matches

_PLUGIN = "ASN"
_QUOTED = re.compile(r"(['\"])(.*)\1")


@eval_function("check_asn")
def check_asn(subject: Subject, expression: str, name: str = "ASN") -> str:
    """The system, as the tag shows it, is like that."""
    shown = system_tag(subject, "") if name == "ASN" else None
    if not shown or not token_matches(expression, shown.encode("latin-1", "replace")):
        return ""
    return f"ASN: {shown.encode('latin-1').decode('utf-8', 'replace')}"


@metadata("X-ASN")
def number(subject: Subject) -> bytes | None:
    return subject.once(_system)[0].encode() or None


@tag("ASN")
def system_tag(subject: Subject, _argument: str) -> str | None:
    """`AS64500 Example Ltd`."""
    number, organization = subject.once(_system)
    if not number:
        return "" if subject.settings.loads(_PLUGIN) else None
    prefix = subject.settings.once(_prefix)
    shown = number if number.startswith(prefix) else prefix + number
    return f"{shown} {organization}".strip().encode().decode("latin-1")


@tag("ASNCIDR")
def route_tag(subject: Subject, _argument: str) -> str | None:
    """Only DNS would tell it."""
    return "" if subject.settings.loads(_PLUGIN) else None


def _system(subject: Subject) -> tuple[str, str]:
    """Of the newest relay outside, with who runs it; nothing when it has a private address."""
    settings, external = subject.settings, subject.message.relays.external
    wanted = settings.loads(_PLUGIN) and settings.yes("asn_use_geodb", True)
    if not wanted or not external or external[0].private:
        return "", ""
    return settings.once(geo).system(external[0].ip)


def _prefix(settings: Settings) -> str:
    given = settings.last("asn_prefix", "AS")
    quoted = _QUOTED.fullmatch(given)
    return quoted[2] if quoted else given
