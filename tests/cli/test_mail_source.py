"""Messages are found wherever people keep them."""

from pathlib import Path

import pytest

from lazaret.cli import mail_source
from lazaret.cli.mail_source import find, split
from lazaret.model.errors import UserError

ONE, TWO = b"Subject: one\n\nFrom here on\n", b"Subject: two\n\n>From a friend\n"
MBOX = (
    b"From a@b.example Mon Jan  1 10:00:00 2024\n"
    + ONE
    + b"\nFrom c@d.example  Mon Jan  1 10:00:00 2024 +0000\n"
    + TWO
    + b"\n"
)


def taken(*paths: Path) -> list[bytes]:
    return list(find([str(path) for path in paths]).messages())


def written(folder: Path, name: str, octets: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return path


def test_a_file_is_one_message(tmp_path):
    assert [ONE] == taken(written(tmp_path, "a.eml", ONE))


def test_an_mbox_is_split_where_its_messages_begin(tmp_path):
    """`From` at the start of a line within a message is no beginning; what is quoted for that is unquoted."""
    assert [ONE, b"Subject: two\n\nFrom a friend\n\n"] == taken(written(tmp_path, "mbox", MBOX))


def test_a_large_mbox_is_read_without_being_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(mail_source, "_MAPPED", 10)

    assert 2 == len(taken(written(tmp_path, "mbox", MBOX)))
    assert [ONE] == taken(written(tmp_path, "one", ONE))


def test_crlf_mboxes_are_split_too():
    assert 2 == len(list(split(MBOX.replace(b"\n", b"\r\n"))))


def test_a_message_below_a_from_line_without_a_date_is_one_message():
    assert [ONE] == list(split(b"From somebody\n" + ONE))


def test_of_a_maildir_the_messages_are_taken_and_of_its_folders(tmp_path):
    box = tmp_path / "Maildir"
    for name in (
        "cur/1:2,S",
        "new/2",
        "tmp/half",
        ".Junk/cur/3",
        ".Junk/new/.nfs4",
        ".Junk/tmp/x",
        ".Junk/y",
    ):
        written(box, name, b"Subject: %b\n\n" % name.encode())
    written(box, "dovecot.index", b"\x00\x01")
    for folder in (".Junk/new", ".Junk/cur"):
        (box / folder).mkdir(exist_ok=True)
    names = sorted(octets.split()[1] for octets in taken(box))

    assert [b".Junk/cur/3", b".Junk/new/.nfs4", b"cur/1:2,S", b"new/2"] == names
    assert 1 == len(taken(box / ".Junk" / "cur"))


def test_of_a_directory_all_files_are_taken_but_hidden_ones(tmp_path):
    for name in ("b", "a", "deep/c", ".hidden/d", ".e"):
        written(tmp_path, name, b"Subject: %b\n\n" % name.encode())

    assert [b"a", b"b", b"deep/c"] == [octets.split()[1] for octets in taken(tmp_path)]


def test_files_that_are_no_mail_are_passed_over(tmp_path):
    written(tmp_path, "INDEX.tsv", b"spam\ta\n")
    written(tmp_path, "a", ONE)
    written(tmp_path, "empty", b"")
    source = find([str(tmp_path)])

    assert [ONE] == list(source.messages())
    assert (1, source.octets) == (source.passed_over, source.read)


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UserError, match="there is no ") as caught:
        find([str(tmp_path / "nothing")])
    assert 66 == caught.value.exit_code
