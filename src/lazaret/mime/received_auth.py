"""Did the client of a hand-over authenticate itself? The `with` clause and comments of Received say so."""

import re
from typing import NamedTuple

from lazaret.mime import ip


class AuthFormat(NamedTuple):
    """One way to say so."""

    hint: str
    """The line must contain it: cheaper to ask than the pattern."""
    pattern: re.Pattern[str]
    label: str
    """What `auth=` of the relay becomes; \\1 is the first group."""


def _format(hint: str, pattern: str, label: str = r"\1") -> AuthFormat:
    return AuthFormat(hint, re.compile(pattern, re.ASCII), label)


FORMATS = (
    # The protocol says it: RFC 3848, RFC 6531; ASMTP of Exim 4.3 and Earthlink; HTTP: a webmail session.
    _format(" by ", r" with ((?i:(?:ES|L|UTF8S|UTF8L)MTPS?A|ASMTP|HTTP[SU]?))(?: |;|$)"),
    # Gmail says ESMTPS where it means ESMTPSA; its ids of submissions have their own form.
    _format(
        " by mx.google.com with ESMTPS id ",
        r" by mx\.google\.com with ESMTPS id [a-z0-9]{1,4}sm\d{2,9}[a-z]{3}\.\d{1,3}\.\d{4}"
        r"\.(?:[0-6]\d\.){4}[0-6]\d(?=.*\(version=([^ ]+) cipher=([^)]+)\))",
        r"GMail - transport=\1 cipher=\2",
    ),
    # Courier
    _format(
        " (AUTH: ",
        r"\A(?>.*?(?:\]\)|\)\]) \(AUTH: (LOGIN|PLAIN|DIGEST-MD5|CRAM-MD5) \S+)"
        r"(?:(?<=\)) by |(?<=,) .*\) by )",
    ),
    # Sendmail, MDaemon, webmail
    _format(
        "authenticated",
        r"\Afrom (?>.*?(?:\](?: \([^)]*\))?\)|\)\]) )(?>.*?\()(?>.*?authenticated)(?>.*?\)).*? by",
        "Sendmail",
    ),
    _format(
        "mail.gmx.",
        rf"\Afrom \S* \([EH]{{2}}LO \S*\) \[{ip.LITERAL}\] by (mail\.gmx\.(?:net|com)) \([^)]+\)"
        r" with (E?SMTP)",
        r"GMX (\2 / \1)",
    ),
    # Critical Path
    _format(
        " (authenticated as ",
        r"\A(?>.*?\) by )(?>.+? \(\d{1,2}\.\d\.\d{3}(?:\.\d{1,3})?\) \(authenticated as ).+\) id ",
        "CriticalPath",
    ),
    # Postfix with smtpd_sasl_authenticated_header; mail_name may be another
    _format(
        ") (Authenticated sender: ", r"\) \(Authenticated sender: \S+\) by \S+ \(Postfix\) with ", "Postfix"
    ),
    _format(
        ") (Authenticated sender: ",
        r"\) \(Authenticated sender: \S+\) by \S+ \(([^)]+)\) with ",
        r"Postfix (\1)",
    ),
    _format(
        "CommuniGate Pro ", r"\A(?=.* \(account ).*?CommuniGate Pro (?:HTTP|SMTP|XIMSS|IMAP)", "Communigate"
    ),
    _format(
        " with Microsoft Exchange Server HTTP-DAV", r" with Microsoft Exchange Server HTTP-DAV\b", "HTTP-DAV"
    ),
    _format(" (via ", r"\A(?=.* by ).*? \(via ((?i:HTTP).?)\)(?: |;|$)"),
)

HINTS = tuple(form.hint.encode("ascii") for form in FORMATS[1:])
"""One of them is in a line that tells of a login, unless the protocol after ` with ` does (the first row)."""


def authentication(line: str) -> str:
    """The method, or the product that says so; "" when the client did not authenticate itself."""
    for hint, pattern, label in FORMATS:
        if hint in line:
            match = pattern.search(line)
            if match:
                return match.expand(label)
    return ""
