"""The MIME tree is cut where SpamAssassin cuts it."""

from lazaret.mime import structure
from lazaret.mime.structure import Flag, Tree

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"


def shape(tree: Tree) -> list[tuple[int, str]]:
    return [(part.depth, part.content_type) for part in tree.root.walk()]


def bodies(tree: Tree) -> list[bytes]:
    return [part.body for part in tree.root.walk() if part.leaf]


def test_parts_come_depth_first_with_their_bodies() -> None:
    tree = structure.parse(
        MIXED + b"preamble\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c\n"
        b"Content-Type: text/html\n\n<p>two\n--c--\n\n--b\nContent-Type: image/png\n\n\n--b--\n"
    )
    expected = [
        (0, "multipart/mixed"),
        (1, "multipart/alternative"),
        (2, "text/plain"),
        (2, "text/html"),
        (1, "image/png"),
    ]
    assert expected == shape(tree)
    assert [b"one", b"<p>two", b""] == bodies(tree)
    assert {Flag.PART_HEADERS} == tree.flags


def test_line_ends_are_lf_in_a_part_of_a_crlf_message() -> None:
    tree = structure.parse((MIXED + b"--b\n\none\ntwo\n--b--\n").replace(b"\n", b"\r\n"))
    assert [b"one\ntwo"] == bodies(tree)


def test_an_attached_message_is_opened() -> None:
    tree = structure.parse(MIXED + b"--b\nContent-Type: message/rfc822\n\nSubject: in\n\ninner\n--b--\n")
    assert [(0, "multipart/mixed"), (1, "message/rfc822"), (2, "text/plain")] == shape(tree)
    assert [b"inner"] == bodies(tree)
    assert [b" in\n"] == list(tree.root.walk())[2].header.values("Subject")


def test_an_encoded_attached_message_is_opened_too() -> None:
    tree = structure.parse(
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4KCmlubmVy\n"
    )
    assert [b"inner"] == bodies(tree)


def test_parts_of_a_digest_are_messages() -> None:
    tree = structure.parse(
        b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\ninner\n--b--\n"
    )
    assert [(0, "multipart/digest"), (1, "message/rfc822"), (2, "text/plain")] == shape(tree)


def test_a_multipart_without_a_boundary_is_plain_text() -> None:
    tree = structure.parse(b"Content-Type: multipart/mixed\n\nfirst\nsecond\n")
    assert [(0, "text/plain")] == shape(tree)
    assert [b"\nfirst\nsecond\n"] == bodies(tree)


def test_an_unclosed_multipart_keeps_its_last_part() -> None:
    assert [b"one\ntwo\n"] == bodies(structure.parse(MIXED + b"--b\n\none\ntwo\n"))


def test_a_nested_multipart_of_the_same_boundary_ends_at_its_own_end() -> None:
    tree = structure.parse(
        MIXED
        + b"--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n"
    )
    expected = [(0, "multipart/mixed"), (1, "multipart/alternative"), (2, "text/plain"), (1, "text/plain")]
    assert expected == shape(tree)
    assert [b"one", b"two"] == bodies(tree)


def test_a_longer_boundary_does_not_delimit() -> None:
    assert [b"one\n--bb\n--b x\nstill"] == bodies(
        structure.parse(MIXED + b"--b\n\none\n--bb\n--b x\nstill\n--b--\n")
    )


def test_faults_of_the_form_are_told_in_spamassassins_words() -> None:
    tree = structure.parse(MIXED + b"--b\nno field\n--b--\nepilogue\n")
    assert {Flag.PART_HEADERS, Flag.PART_HEAD_BODY_SEPARATOR, Flag.EPILOGUE} == tree.flags
    assert {Flag.HEAD_BODY_SEPARATOR} == structure.parse(b"A: 1\n").flags
    assert {Flag.TRUNCATED_HEADER} == structure.parse(b"A: " + b"1" * 9000 + b"\n\n").flags
    assert {b"b": 1} == structure.parse(MIXED + b"--b\n\none\n").open_boundaries


def test_long_lines_of_a_part_are_cut_but_not_those_of_the_message() -> None:
    line = b"x" * 5000
    assert [b"\n".join([b"x" * 2048, b"x" * 2048, b"x" * 904, b"y"])] == bodies(
        structure.parse(MIXED + b"--b\n\n" + line + b"\ny\n--b--\n")
    )
    assert [line + b"\n"] == bodies(structure.parse(b"\n" + line + b"\n"))


def test_at_most_twenty_blank_lines_stand_in_a_row() -> None:
    assert [b"a\n" + b"\n" * 20 + b"b\n"] == bodies(structure.parse(b"\na\n" + b"\n" * 50 + b"b\n"))
    assert [b"a\n" + b"\n" * 20 + b"b\n"] == bodies(structure.parse(b"\na\n" + b"\n" * 20 + b"b\n"))
    assert [b"\n" * 21 + b"b\n"] == bodies(structure.parse(b"\n" + b"\n" * 50 + b"b\n"))


def test_a_leading_mbox_line_is_no_field() -> None:
    tree = structure.parse(b"From someone@example.org Mon Jan  1 00:00:00 2024\nSubject: x\n\nbody\n")
    assert ["Subject"] == [field.name for field in tree.root.header.fields]
    assert 5 + len(b"someone@example.org Mon Jan  1 00:00:00 2024\n") == tree.root.header.fields[0].start


def test_the_depth_is_limited_and_told() -> None:
    nested = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(10_000)
    )
    tree = structure.parse(b"Content-Type: multipart/mixed; boundary=b0\n\n" + nested)
    assert tree.over_budget
    assert structure.DEPTH_LIMIT == max(part.depth for part in tree.root.walk())


def test_the_number_of_parts_is_limited_and_told() -> None:
    tree = structure.parse(MIXED + b"--b\n\nx\n" * 1500)
    assert tree.over_budget
    assert Flag.TOO_MANY_PARTS in tree.flags
    assert structure.PART_LIMIT == len(tree.root.children)
