"""Which MTA writes Received how? One row per format, tried in this order; SpamAssassin's reading counts.

RFC 5321 (section 4.4) leaves the comments of a Received field to the MTA, and they hold what matters:
the address that connected. Order matters, because the later rows match much that the earlier ones mean
otherwise. The language of the templates is that of `received_template`.
"""

import re

from lazaret.mime.received_template import Format, Outcome

_QMAIL_REST = (
    r"(`(?>(?>(?P<ident>\S*)@)?)\[?`<ip>`\]?\)(?: \(envelope-sender <\S+>\))?` by <by>"
    r"`(?:(?> \(.+?\) with )| with )(?:.* )?(?:SMTP|QMQP)(?! id )`"
)

FORMATS = (
    # Products that put their own name into the field.
    Format(
        "SquirrelMail, NaSMail",
        r"`.*?(?<![\w.:])`<ip>`\b(?![.-]).{10,80}by `<by> with HTTP",
        hint="Mail authenticated user ",
    ),
    Format("AOL webmail", "<ip> by <by> (<address>) with HTTP (WebMailUI)"),
    Format("IIS", r"<helo?> ([<ip>]`[^)]{0,40}`) by <by> with Microsoft SMTPSVC", hint=" SMTPSVC"),
    Format(
        "IIS, its pickup directory",
        "mail pickup service by <word> with Microsoft SMTPSVC`$`",
        outcome=Outcome.IGNORED,
    ),
    Format(
        "Exchange, mailbox to transport",
        r"<helo> (`\[?`<ip>`(?:%[\w.~-]*)?\]?`) by <by> `(?P<id>)(?=.*with mapi id \d+\.[\d.]+(?: |$))`",
        hint=" with mapi id ",
    ),
    Format(
        "Exchange",
        r"<helo> (`\[?`<ip>`(?:%[\w.~-]*)?\]?`) by <by> "
        r"`(?P<id>)(?=.*with Microsoft SMTP Server (?:\([^)]+\) )?\d+\.[\d.]+(?: |$))`",
        hint=" with Microsoft SMTP Server ",
    ),
    Format(
        "XMail",
        r"<helo> (`\[?`<ip>`\]?:\d+`) by <by>`(?: \(\S+\))?` with [XMail"
        r"`(?=(?:.*? id <(?P<id>\S+)>)?)(?=(?:.*? from <(?P<envfrom>\S+)>)?)`",
        hint="[XMail ",
    ),
    Format("Ecelerity", r"([<ip>`:\d+\]` helo=<helo>`\)` by <by> ", hint="(ecelerity"),
    Format("Ecelerity", r"<word> ([<ip>`:\d+\]`) by <by> ", hint="(ecelerity"),
    Format(
        "Exim, local", r"`(?=.*Exim).*?\bwith local(?:-\S+)? `", hint="with local", outcome=Outcome.IGNORED
    ),
    Format("Exim, no name", "[<ip>] (<details>) by <by> ", hint="Exim"),
    Format("Exim", "<name> ([<ip>]<details>) by <by> ", hint="Exim"),
    Format("Exim 3", r"<name> [<ip>]`(?::\d+)?` by <by> ", hint="Exim"),
    Format(
        "Exim, as its administrator likes it",
        r"`(?P<rdns>\S+)(?= )(?=(?:.*? \((?P<helo>\S+)\) )?)(?=.*? \[`<ip>`(?:\.\d+)?\] ).*?by `<by> ",
        hint="Exim",
    ),
    Format("Exim, an address alone", r"[<ip>] by <by> `(?:.*? \((?P<helo>\S+)\) )?`", hint="Exim"),
    Format("Postfix", r"<helo> (<rdns>` ?`[<ip>]) by <by> ", hint=" (Postfix) with", looked_up=True),
    Format("Scalix", r"<helo> (` ?`<ip>) by <by>", hint="(Scalix SMTP Relay"),
    Format("Lotus Domino", "<helo> ([<ip>]) by <by> (Lotus", hint=" (Lotus Domino "),
    Format("IMP webmail", r"<ip> ([<address>]) by <by>`(?=.*\bwith HTTP\b)`", hint="with HTTP"),
    Format(
        "sendmail",
        r"<helo> (`(?:(?:IDENT:)?(?P<ident>[^\s@]*)@)?`<rdns> [<ip>]`.*`) by <by> (",
        absent=" (qmail-",
        looked_up=True,
    ),
    # Formats that several products share, or do not sign.
    Format("Exchange 5.5", r"<helo> (<rdns> [<ip>]) by <by> with <word> (", looked_up=True),
    Format("Exim, unsigned", "<rdns> ([<ip>] helo=<helo>`\\)` by <by> with ", hint="helo="),
    Format("AT&T, no name", r"<helo> (<unknown`\S*`>[<ip>]) by <by> ", hint="(<unknown"),
    Format("AT&T", r"<helo> (`(?=[^\s.\[]+\.)(?P<rdns>[^\s\[]+)`[<ip>]) by <by> ", looked_up=True),
    Format(
        "sendmail, ident but no name", "<helo> (<ident?>@[<ip>]`.*`) by <by> (", looked_up=True, hint="@["
    ),
    Format("Hotmail", r"`(?:(?P<ip>[\d.]+) )?.*?by (?P<by>\S+\.hotmail\.msn\.com) `", hint=".msn.com "),
    Format(
        "qpsmtpd",
        r"<rdns> (`[EH]{2}LO` <helo?>) (<ip>) by <by> (qpsmtpd/<word>) with `E?SMTP`",
        hint=" (qpsmtpd/",
    ),
    Format("Zimbra", "<rdns> (LHLO <helo?>) (<ip>) by <by> with LMTP", hint=" (LHLO "),
    Format("GMX", r"<rdns> (`[EH]{2}LO` <helo?>) [<ip>] by <by> (`[^)]+`) with `E?SMTP`"),
    Format("TIS firewall", r"<helo> ([<ip>]) by <by> via smtpd (for <word>) with SMTP(", hint=" via smtpd "),
    Format("qmail, name unknown", r"unknown (`[EH]{2}LO (?P<helo>[^ ()]*)`) " + _QMAIL_REST, hint="LO "),
    Format("qmail, name unknown", "`(?P<helo>unknown)` " + _QMAIL_REST, hint="unknown ("),
    Format("qmail", r"<rdns> (`[EH]{2}LO (?P<helo>[^ ()]*)`) " + _QMAIL_REST, looked_up=True, hint="LO "),
    Format("qmail, greeted with its name", "<name> " + _QMAIL_REST, looked_up=True),
    Format("Yahoo webmail", "[<ip>] by <by> via HTTP`$`"),
    Format("webmail, as a user", "<word> ( [<ip>])`.*?` by <by> ", hint="( ["),
    Format("no word before the comment", "(<helo> [<ip>]) by <by> "),
    Format("an address alone", "[<ip>] by <by> "),
    Format("an address alone", r"(`\[?`<ip>`\]?`) by <by> "),
    Format("MDaemon 5", "<helo> [<ip>] by <by> [<address>] with ", looked_up=True),
    Format("MDaemon 19", "<helo> [(<ip>)] by <by> (<address>) "),
    Format("sendmail, no name", "<helo> ([<ip>]) by <by> (", looked_up=True),
    Format("Courier, DNS failed", r"<helo> (softdnserr [<ip>])`.*?` by <by>`\b`", hint="(softdnserr "),
    Format(
        "sendmail, anything after the comment", r"<helo> (<rdns> [<ip>])`.*?` by <by>`\b`", looked_up=True
    ),
    Format("Exim, with a port", r"<helo> ([<ip>`(?:[.:]\d+)?`])`.*?` by <by> ", looked_up=True),
    Format("fetchmail, getmail", "`.*?with POP3`", hint="with POP3", outcome=Outcome.FETCHED),
    Format("fetchmail, getmail", "`.*?with IMAP`", hint="with IMAP", outcome=Outcome.FETCHED),
    Format(
        "qmail, anything after the address",
        r"<rdns> (`[EH]{2}LO (?P<helo>[^)]*)`) (`(?>(?>(?P<ident>\S*)@)?)\[?`<ip>`\]?`)`.*` by <by> ",
        looked_up=True,
    ),
    Format(
        "qmail, anything after the address",
        r"<name> (`(?>(?>(?P<ident>\S*)@)?)\[?`<ip>`\]?`)`.*` by <by> ",
        looked_up=True,
    ),
    Format("smap", "<rdns>(<ip>) by <by> via smap ", looked_up=True),
    Format("smap", r"<rdns>(<ip>, `[EH]{2}LO` <helo?>) by <by> via smap ", looked_up=True),
    Format("InterScan, SMTPL", r"<ip> by <by> (`(?:SMTPL|InterScan)\b`"),
    Format("batched SMTP", "<word> by <word> with BSMTP", outcome=Outcome.IGNORED, hint=" with BSMTP"),
    Format(
        "Yahoo, authenticated",
        r"<rdns> (`[EH]{2}LO` <helo?>) (`(?>(?>(?P<ident>\S+)@)?)`<ip>`.*?`) by <by> with ",
        looked_up=True,
    ),
    Format("CommuniGate", r"[<ip>] (`[EH]{2}LO` <helo?>) by <by> ("),
    Format("CommuniGate, with an account", r"[<ip>] (account <word> `[EH]{2}LO` <helo?>) by <by> ("),
    Format("CommuniGate", "<name> ([<ip>] verified) by <by> (", hint=" (CommuniGate Pro", looked_up=True),
    Format(
        "Content Technologies",
        "<word> (<word>) by <word> (Content Technologies ",
        outcome=Outcome.IGNORED,
        hint=" (Content Tech",
    ),
    Format("an address twice", r"<helo> ([<ip>] [<word>]) by <by> with ", hint="] ["),
    Format("Tumbleweed", "<ip> by <by> with "),
    Format("AT&T, one-word name", "<helo> (<rdns>[<ip>]) by <by> ", looked_up=True),
    Format("F-Secure", r"[<ip>]<word> (`[EH]{2}LO` <helo?>) by <by> "),
    Format("Altavista", r"<ip> (`[EH]{2}LO` <helo?>) by <by> "),
    Format("IMail", "<helo> [<ip>] by <by> "),
    Format("csmap", "<rdns>(<ip>) by <by> "),
    Format("webmail behind a proxy", r"<ip> (`[A-Za-z][^)]+`) by <by> with "),
    Format("Nemesis", r"[<ip>] (`(?P<details>[^)]+)`) by <by> "),
    Format("Obtuse smtpd", r"<rdns>(<ip>)`(?:, claiming to be \"(?P<helo>\S+)\")?` via <word> by <by>,"),
    Format(
        "Yahoo, logged in",
        r"<helo> (`\S+@`<ip> with login) by `(?P<by>\S+\.yahoo\.com)` with SMTP",
        hint=" with login)",
    ),
    Format("a field like X-Originating-IP", "X-Originating-IP: <ip>`(?P<by>)$`"),
)

QMAIL_SCANNER = re.compile(r"\S+ by \S+ \(.{0,100}\) with qmail-scanner")
"""It describes the hand-over of the next field once more, and knows its envelope sender."""

_LOCALHOST = (
    r"(?:localhost(?:\.localdomain)?|(?<![\w:])127\.0\.0\.1\b|(?:IPv6:|(?<![a-f0-9:]))"
    r"(?:(?:0{0,4}:){2,7}0{0,3}1|(?:0{0,4}:){2,6}ffff:127\.0\.0\.1)(?![a-f0-9:]))"
)

IGNORED = re.compile(
    r"\S+ (?:"
    rf"\([^\s@]+@(?i:{_LOCALHOST})\) by \S+ \("  # a user of this host
    r"|\S+ by \S+ with local-e?smtp "  # Exim, local submission
    rf"|\((?>(?>\S+@)?)(?i:{_LOCALHOST})\) "
    rf"|\((?=\S+?@)\S+ \[(?i:{_LOCALHOST})\]\) "
    r"|\(\[unix socket\]\) by \S+ \(Cyrus v[\d.]+\) with LMTPA"
    r"|by \S+ (?:with|via|for|\()"  # over the network, but without an address
    r"|(?:(?:with|via|for) \S+|\(unverified\)) by\b"
    r"|\(unknown\) by \S+ \(SG\) with \b"  # SendGrid
    r"|\(\S+ \[local\]\) by \S+ \(OpenSMTPD\) with \b"
    r"|named \S+ by gmailapi\.google\.com with HTTPREST$"
    r"|id \S+$"
    r")"
    r"|(?=\S+?@)\S+ by \S+ "  # AOL, qmail-scanner: who sent it, not from where
    r"|127\.0\.0\.1 \(AVG SMTP \S+ \[\S+\]\)"
    r"|Unknown/Local \("
    rf"|(?i:{_LOCALHOST}) \((?>(?>\S+@)?)(?i:{_LOCALHOST})[)\[]"
    r"|\(AUTH: \S+\) by \S+ with "  # Courier
    r"|localhost \(localhost \[\[UNIX: localhost\]\]\) by "  # sendmail
    rf"|\(\[(?i:{_LOCALHOST})\]\) with MailEnable "
    r"|facebook\.com \([^)]+\) by facebook\.com with Thrift id \S+$"
    r"|\[<.*? \(Jetsend"
    r"|.*?\(LSMTP for",
    re.ASCII,
)

SIMTA = Format(
    "simta, Rockliffe",
    r"<helo> (`(?:unverified|(?P<rdns>\S+))` [<ip>]) BY <by> `(?:\([^)]+\) WITH SMTP )?ID <?(?P<id>\S+?)>?"
    r"(?: FOR <[^>]+>)?$`",
    looked_up=True,
)
"""The text after FROM in capitals."""

NORTON = Format("Norton AntiVirus Gateway", "<helo?> [<ip>]) by <by> (NAVGW `.*?`) with ")
SUBMITTED = re.compile(r"\S+@localhost\) by \S+ |[^\s@]+@[^)]+\) by \S+\(jqueuemail\) id [^\s;]+", re.ASCII)
"""The text after `(from `: a gateway, and programs that a user of the host ran."""
