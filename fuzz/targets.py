"""What is fuzzed: each target takes octets, and anything it raises is a finding; so is a broken promise."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.support.office import archive, container, packed

from lazaret.config import amavisd
from lazaret.flow.fields import SPAM_FIELDS
from lazaret.learn import kernel as learn_kernel
from lazaret.learn import zones
from lazaret.learn.features import Hasher
from lazaret.learn.model import Model, Private
from lazaret.mime import headers, html, kernel, message, received, text, transfer, uri_finder
from lazaret.mime.edit import edited
from lazaret.mime.header_section import HeaderSection, regular, regular_plain
from lazaret.mime.html_reader import Reader
from lazaret.model.delivery import Extensions, Outgoing
from lazaret.model.envelope import Recipient, Session
from lazaret.model.errors import Reply
from lazaret.rules import RuleSet, load, syntax
from lazaret.rules import kernel as rules_kernel
from lazaret.rules.evals import mime as sentences
from lazaret.rules.evals import pdf_reader, vba
from lazaret.rules.evals.office_files import Inspection, Limits, Names
from lazaret.rules.perl_regex import RegexError
from lazaret.rules.perl_regex import parse as parse_regex
from lazaret.rules.sources import SourceFile, Sources
from lazaret.store import query
from lazaret.web import safe_html
from lazaret.wire import dot
from lazaret.wire.ampdp import MAX_LINE, AmpdpReplies, AmpdpServer, Request, encode, release_request
from lazaret.wire.dot import BareLf
from lazaret.wire.smtp_client import Ready, SmtpClient
from lazaret.wire.smtp_server import MessageReceived, ServerSettings, SmtpServer
from lazaret.wire.spamd import Event as SpamdEvent
from lazaret.wire.spamd import Judged, SpamdRequest, SpamdServer, message_answer, text_answer

_PLAIN_NAME = re.compile(r"\w+", re.ASCII)
_LAX_END = re.compile(rb"\r?\n\.\r?\n")
_ACTIVE = re.compile(
    r"<(?:script|style|iframe|object|embed|form|svg|math|base|meta|link)\b|<[^>]*\s(?:on\w+|style|href)\s*=",
    re.IGNORECASE,
)


def smtp_server(octets: bytes) -> None:
    """The same conversation whole and in two pieces; what it takes leaves as one message."""
    mode = BareLf.NORMALIZE if octets[:1] > b"\x7f" else BareLf.REJECT
    cut = octets[1] * len(octets) // 256 if len(octets) > 1 else 0
    settings = ServerSettings(
        extensions=Extensions(size=1000), xforward=True, starttls=True, max_errors=3, bare_lf=mode
    )
    whole = _converse(settings, [octets])
    assert whole == _converse(settings, [octets[:cut], octets[cut:]])
    for taken in whole[0]:
        assert 1 == len(_LAX_END.findall(b"\r\n" + dot.stuff(taken)))
    for line in whole[1].split(b"\r\n")[:-1]:
        assert re.match(rb"[2-5][0-9][0-9][ -][^\r\n]*\Z", line), line


def _converse(settings: ServerSettings, pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    server = SmtpServer(Session(), settings)
    taken = []
    for piece in pieces:
        events = server.receive(piece)
        while events:
            event = events.pop(0)
            if isinstance(event, MessageReceived):
                taken.append(event.octets)
                events += server.answer([Reply(250, "2.0.0", "Ok")])
    assert server.held < 1_000_000
    return taken, server.take_output()


def smtp_client(octets: bytes) -> None:
    """Whatever the next hop says: no exception, and an answer for every recipient."""
    outgoing = Outgoing("a@out.example", (Recipient("b@home.example"), Recipient("c@home.example")), b"x\r\n")
    client = SmtpClient(name="filter.example", lmtp=octets[:1] > b"\x7f")
    for event in client.receive(octets[1 : len(octets) // 2]):
        if isinstance(event, Ready):
            client.send(outgoing)
    client.receive(octets[len(octets) // 2 :])
    assert len(client.take_output()) < 10_000
    finished = client.give_up(Reply(451, "4.5.0", "given up"))
    assert finished is None or 2 == len(finished.replies)


def ampdp(octets: bytes) -> None:
    """Both sides of the release protocol; what we write is read as what it was."""
    for event in AmpdpServer().receive(octets):
        if isinstance(event, Request) and all(map(_PLAIN_NAME.fullmatch, event.values)):
            written = encode((name, value) for name, values in event.values.items() for value in values)
            if len(written) < MAX_LINE:
                assert [event] == AmpdpServer().receive(written)
    try:
        AmpdpReplies().receive(octets)
    except ValueError:
        pass  # a reply without bounds, as documented
    try:
        asked = release_request(
            octets[:200].decode("utf-8", "surrogateescape"), "secret", ["a@b", "c d=e\r\n"]
        )
    except ValueError:
        return  # no id of a message
    (read,) = AmpdpServer().receive(asked)
    assert isinstance(read, Request)
    assert ("release", ("a@b", "c d=e\r\n")) == (read.get("request"), read.all("recipient"))


def spamd(octets: bytes) -> None:
    """The same request whole and in two pieces; its answer is read back as what it says."""
    cut = octets[0] * len(octets) // 256 if octets else 0
    asked = _ask([octets[1:]])
    assert asked == _ask([octets[1:cut], octets[max(cut, 1) :]])
    if isinstance(asked, SpamdRequest):
        judged = Judged(True, 12.5, 5.0)
        answers = [text_answer(asked, judged, asked.octets)]
        if asked.version >= (1, 2):  # An older client gets the message without fields before it.
            answers.append(message_answer(asked, judged, asked.octets))
        for answer in answers:
            head, _, text = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"SPAMD/1."), head
            length = re.search(rb"(?m)^Content-length: ([0-9]+)\r?$", head)
            assert length is None or len(text) == int(length[1]) == len(asked.octets)


def _ask(pieces: list[bytes]) -> SpamdEvent | None:
    server = SpamdServer(largest=1000)
    for piece in pieces:
        if event := server.receive(piece):
            assert 0 == server.held
            assert server.finish() is None
            return event
        assert server.held <= 20_000
    return server.finish()


def mime(octets: bytes) -> None:
    """Every view of a message."""
    mail = message.parse(octets)
    _ = mail.body, mail.rawbody, mail.html, mail.visible_text, mail.uris, mail.links, mail.attachments
    _ = mail.relays, mail.over_budget, mail.header_lines, mail.decoded_all("Subject")
    for part in mail.parts:
        _ = part.filename, part.disposition, part.name, part.octets


def edit(octets: bytes) -> None:
    """An edit of nothing changes nothing; no forged field stays where a lax reader would find it."""
    section = headers.parse(octets)
    assert octets == edited(octets, section, without=())
    found = edited(octets, section, without=SPAM_FIELDS, subject_tag="***SPAM*** ")
    head = re.split(rb"\n\r?\n", found, maxsplit=1)[0]
    assert not re.search(rb"(?im)^x-spam-(?:status|flag|score)[ \t]*:", head), head


def rule_syntax(octets: bytes) -> None:
    """A rule file, and an expression."""
    syntax.parse(Sources((SourceFile("fuzz.cf", octets),), {}))
    try:
        parse_regex(octets)
    except RegexError:
        pass


def search_query(octets: bytes) -> None:
    """The query language: terms, or an error that shows where."""
    try:
        query.parse(octets.decode("utf-8", "replace"))
    except query.QueryError as error:
        str(error)  # draws the caret


def header_section(octets: bytes) -> None:
    """Fields, and Received above all, read the same compiled and in Python."""
    compiled = regular(octets, 0, len(octets), crlf=True)
    plain = regular_plain(octets, 0, len(octets), crlf=True)
    assert (compiled is None) == (plain is None)
    if compiled is not None and plain is not None:
        assert _asked(plain) == _asked(compiled)
    for value in headers.parse(octets).values("Received"):
        assert received.parse_plain(value) == received.parse(value), value


def _asked(section: HeaderSection) -> list[object]:
    return [
        *(section.fields, section.all_text("x-spam-", 999), set(section.present)),
        *(section.decoded(place) for place in range(len(section.names))),
        *((section.values(name), section.text(name)) for name in section.names),
    ]


def html_page(octets: bytes) -> None:
    """A page means the same to the compiled reader as to the one in Python, where there is one."""
    source = octets[1:].decode("utf-8" if octets[:1] < b"\x80" else "latin-1", "replace")
    found = []
    for reader in (Reader, html.READER):
        page = reader(octets[:1] > b"\x40", tokens=500)
        page.read(source)
        found.append((page.finish(), page.texts(), page.links(), page.tokens))
    assert found[0] == found[1]


def text_lines(octets: bytes) -> None:
    """Lines, pieces, quoted-printable and capitals are the same compiled as in Python, where they are."""
    if kernel.text:
        lines = tuple(octets.splitlines(keepends=True))
        assert sentences._letters_in(b"".join(sentences._sentences(lines))) == sentences._letters(lines)
        assert list(text._short_lines(text._paragraphs(octets))) == kernel.text.lines(b"", octets, 2048)
        pieces = kernel.text.pieces(octets, uri_finder._BLANKS, uri_finder.PIECE_LIMIT)
        assert list(uri_finder._pieces(octets.lower())) == pieces
        assert transfer._quoted_printable(octets) == kernel.text.quoted_printable(octets)


@contextmanager
def _in_python(module: object) -> Iterator[None]:
    """As if there were no compiled kernel of that room."""
    compiled = module.compiled  # type: ignore[attr-defined]
    module.compiled = None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.compiled = compiled  # type: ignore[attr-defined]


def rules(octets: bytes) -> None:
    """Rules of every kind find the same in a message compiled as in Python."""
    compiled, plain = (ruleset.evaluate(message.parse(octets), 0, seconds=60) for ruleset in _rule_sets())
    assert plain.values == compiled.values


@cache
def _rule_sets() -> tuple[RuleSet, RuleSet]:
    files = [Path(__file__).with_name("rules.cf")]
    compiled = load(files, shipped=False, cache_dir=None)
    assert not compiled.problems, compiled.problems
    with _in_python(rules_kernel):
        return compiled, load(files, shipped=False, cache_dir=None)


def features(octets: bytes) -> None:
    """What is learned of a message is the same compiled as in Python, and so is what is made of it."""
    view = zones.view(message.parse(octets))
    found = Hasher(b"secret").features(view)
    with _in_python(learn_kernel):
        assert Hasher(b"secret").features(view).tolist() == found.tolist()
    bits = 16
    if len({feature % (1 << bits) for feature in found.tolist()}) < len(found):
        return  # Features that share a row are learned one after the other in C, and all at once by numpy.
    models = [Model(Private(bits)), Model(Private(bits))]
    for spam in (True, False, True):
        models[0].learn(found, spam=spam)
        with _in_python(learn_kernel):
            models[1].learn(found, spam=spam)
    with _in_python(learn_kernel):
        plain = models[1].judge(found).score
    assert abs(models[0].judge(found).score - plain) < 0.01


def attached_file(octets: bytes) -> None:
    """Office files of both kinds, archives, PDF, packed macros: bounded, and no exception."""
    endings = Names(
        skipped=lambda name: name.endswith(".txt"),
        zips=lambda name: name.endswith(".zip"),
        macros=lambda name: name.endswith("m"),
        office=lambda name: name.endswith(("doc", "xls", "docx")),
    )
    for name in ("a.zip", "a.doc", "a.docm", "a.csv", "a.bin"):
        look = Inspection(endings, Limits(), every_file=True, downloads=lambda octets: False)
        look.look(name, lambda: octets)
    pdf_reader.read(octets)
    vba.decompress(octets, 100_000)
    vba.sources(octets, 100_000)


def amavisd_conf(octets: bytes) -> None:
    """The Perl of somebody's amavisd.conf is read, never run; what comes out of it can be written down."""
    amavisd.translate([("amavisd.conf", octets.decode("utf-8", "replace"))]).toml()


def html_preview(octets: bytes) -> None:
    """What is shown of a page acts on nothing."""
    shown = safe_html.clean(octets.decode("utf-8", "replace"), {}, remote=False)
    assert not _ACTIVE.search(re.sub(r'"[^"]*"', '""', shown)), shown
    safe_html.frame(message.parse(octets), remote=False)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "smtp_server": smtp_server,
    "smtp_client": smtp_client,
    "ampdp": ampdp,
    "spamd": spamd,
    "mime": mime,
    "edit": edit,
    "rule_syntax": rule_syntax,
    "search_query": search_query,
    "header_section": header_section,
    "html_page": html_page,
    "text_lines": text_lines,
    "html_preview": html_preview,
    "rules": rules,
    "features": features,
    "attached_file": attached_file,
    "amavisd_conf": amavisd_conf,
}

_MAIL = (
    b"Received: from a (b [192.0.2.1]) by c with SMTP id x; Mon, 2 Jun 2025 10:00:00 +0200\r\n"
    b"X-Spam-Flag: NO\r\n"
    b"Subject: =?utf-8?B?w6Q=?=\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b'<a href=3D"http://x.example/" onclick=3Dx>y</a><img src=3D"cid:1">=\r\n\r\n--b\r\n'
    b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n"
    b"\r\nUEsDBA==\r\n--b--\r\n"
)
_PROGRAM = packed(b'Attribute VB_Name = "a"\nSub AutoOpen()\nShell "x"\nEnd Sub\n' * 4)
_FILES = (
    archive({"a/b.rels": b'<Relationship Target="http://x.example/" TargetMode="External"/>'}),
    archive({"word/vbaProject.bin": container({"m": _PROGRAM}), "[Content_Types].xml": b"<x>"}),
    archive({"a.doc": container({"Workbook": b"x"})}, encrypted=True),
    container({"m": _PROGRAM}),
    b"%PDF-1.4\n/Author (a\\051b)\n/URI (http://x.example/)>>\n/Width 10/Height 20\n1 0 0 2 0 0 cm\n",
    _PROGRAM,
)
SEEDS: dict[str, tuple[bytes, ...]] = {
    "smtp_server": (
        b"\x00\x80EHLO a\r\nXFORWARD ADDR=192.0.2.1 NAME=x\r\nMAIL FROM:<a@b> SIZE=5 BODY=8BITMIME\r\n"
        b"RCPT TO:<c@d> NOTIFY=NEVER\r\nDATA\r\nSubject: x\r\n\r\n..x\r\n.\r\nRSET\r\nSTARTTLS\r\nQUIT\r\n",
        b"\xff\x40LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\n.\r\ny\r\n.\r\nNOOP\r\n",
    ),
    "smtp_client": (
        b"\x00220 x\r\n250-x\r\n250-PIPELINING\r\n250 SIZE 100\r\n250 ok\r\n250 ok\r\n"
        b"452 4.5.3 no\r\n354 go\r\n250 ok\r\n",
        b"\xff220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n250 ok\r\n421 bye\r\n",
    ),
    "ampdp": (
        b"request=release\r\nmail_id=abc%20d\r\nsecret_id=x\r\nrecipient=<a@b>\r\n\r\n",
        b"d/spam-0123456789Ab.gz[12]",
    ),
    "spamd": (
        b"\x40CHECK SPAMC/1.5\r\nContent-length: 5\r\nUser: ann\r\n\r\nhello",
        b"\x80REPORT_IFSPAM SPAMC/1.2\r\nCompress: zlib\r\n\r\n" + zlib.compress(b"hello" * 9),
        b"\x10PROCESS SPAMC/1.1\n\nhello\n",
        b"PING SPAMC/1.5\r\n",
    ),
    "mime": (_MAIL,),
    "edit": (_MAIL, b"no field\r\n" * 5 + b"X-Spam-Flag: NO\r\n x\r\n\r\nbody"),
    "rule_syntax": (
        b"if plugin(A)\nbody X /a(?i:b)+?[^c]{2,3}/i\nscore X 1 2 3 4\nmeta Y (X && !Z) > 1\nendif\n"
        b"header H Subject =~ m{x}\nreplace_tag A [a]\nlang de describe X y\ninclude z.cf\n",
    ),
    "search_query": (b'from:a@b -to:c "a b" score:>6 size:<=1M since:7d state:quarantined',),
    "header_section": (
        _MAIL,
        b"Received: from [192.0.2.1] (helo=pc ident=me) by mx with esmtp (Exim) (envelope-from <a@b>) id 1\n"
        b"Received: from pc (IDENT:me@pc. [192.0.2.1]) by mx (8.12/8.12) with ESMTP; 1 Jan 2024 1:2 +00\n"
        b"Received: from pc (HELO x) (me@192.0.2.1) by mx with SMTP\n"
        b"Received: from pc ([IPv6:::1]) by mx (x)\n"
        b"Received: from pc (::1%7) by mx (::1) with Microsoft SMTP Server (TLS) id 15.1.2\n\n",
    ),
    "html_page": (
        b"\x00<p style='color:red' x><a href=x>a&amp;b</a><td bgcolor=#fff><!-- c --></p/>",
        b"\xff<![CDATA[x]]><font size=+1 face=a>a<b>b</b>&#x41;<script><b></script><title>&eacute;",
    ),
    "text_lines": (b"a =\r\n=3D\n \n=\r \nwww.x.example. a@b\0\thttp://[x]/==\n41 \x1b\xa0",),
    "html_preview": (b"<p onclick=x>a<script>b</script><a href='javascript:x'>c</a><svg/onload=x>", _MAIL),
    "rules": (
        _MAIL,
        b"Subject: 0f.f3r\nX-Mailer: x\nFrom: A <a@example.org>\nTo: b@example.net\n\n"
        b"h3llo world\n\nl l-l from Paris\nin Paris http://www.example.org/ooob\n",
    ),
    "features": (_MAIL, b"From: a@b\nSubject: abc\n\nbuy 12 <b>words</b> \xff http://a.example/b?c\n"),
    "attached_file": _FILES,
    "amavisd_conf": (
        b"use strict;\n$mydomain = 'a.example';\n@local_domains_maps = ( [\".$mydomain\"] );\n"
        b"$sa_tag_level_deflt = -999; $sa_kill_level_deflt = 6.31;\n$inet_socket_port = [10024,10026];\n"
        b"$policy_bank{'MYNETS'} = { originating => 1, os_fingerprint_method => undef };\n"
        b"@storage_sql_dsn = ( ['DBI:mysql:database=m;host=127.0.0.1', 'u', q{p}] );\n"
        b"@x = map { lc } qw(a b);\n=pod\nx\n=cut\n$y = <<\"E\" . 'z';\n${mydomain}\nE\n1;\n__END__\n",
    ),
}
