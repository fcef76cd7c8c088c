"""spamd's protocol: the octets of its clients, and answers as each version of them reads them."""

import zlib

import pytest

from lazaret.wire.spamd import (
    Judged,
    Refused,
    SpamdRequest,
    SpamdServer,
    Status,
    message_answer,
    refusal,
    text_answer,
    verdict_answer,
)

MAIL = b"Subject: hi\n\nhello\n"
CHECK = b"CHECK SPAMC/1.5\r\nContent-length: %d\r\nUser: ann\r\n\r\n%b" % (len(MAIL), MAIL)
SPAM, HAM = Judged(True, 7.25, 3.0), Judged(False, -0.04, 3.0)


def ask(octets: bytes, step: int = 0, **options: int) -> object:
    server = SpamdServer(**options)
    for at in range(0, len(octets), step or len(octets)):
        if event := server.receive(octets[at : at + (step or len(octets))]):
            return event
    return server.finish()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_request_is_read_in_any_split(end: bytes, step: int):
    head, mail = CHECK.split(b"\r\n\r\n")
    request = ask(head.replace(b"\r\n", end) + 2 * end + mail, step)

    assert SpamdRequest("CHECK", (1, 5), {"content-length": str(len(MAIL)), "user": "ann"}, MAIL) == request


def test_a_message_is_whole_at_its_length_without_waiting_for_the_end():
    assert isinstance(SpamdServer().receive(CHECK), SpamdRequest)


@pytest.mark.parametrize("step", [1, 1000])
def test_what_comes_beyond_the_length_is_not_heard(step: int):
    request = ask(b"CHECK SPAMC/1.5\r\nContent-length: 2\r\n\r\nabc", step)

    assert isinstance(request, SpamdRequest)
    assert b"ab" == request.octets


def test_without_length_a_message_is_whole_when_the_client_has_ended_writing():
    server = SpamdServer()

    assert server.receive(b"PROCESS SPAMC/1.1\r\n\r\n" + MAIL) is None
    assert SpamdRequest("PROCESS", (1, 1), {}, MAIL) == server.finish()


@pytest.mark.parametrize("command", ["PING", "SKIP"])
def test_what_has_no_message_is_answered_at_once(command: str):
    assert SpamdRequest(command, (1, 2)) == SpamdServer().receive(f"{command} SPAMC/1.2\r\n".encode())


def test_a_packed_message_is_unpacked():
    packed = zlib.compress(MAIL)
    request = ask(
        b"CHECK SPAMC/1.5\r\nCompress: zlib\r\nContent-length: %d\r\n\r\n%b" % (len(packed), packed)
    )

    assert isinstance(request, SpamdRequest)
    assert MAIL == request.octets


@pytest.mark.parametrize(
    ("octets", "status", "why"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", Status.EX_PROTOCOL, "unknown command"),
        (b"FOO SPAMC/1.5\r\n\r\n", Status.EX_PROTOCOL, "unknown command"),
        (b"CHECK SPAMC/x\r\n\r\n", Status.EX_PROTOCOL, "unknown command"),
        (b"CHECK SPAMC/1.5\r\nbla\r\n\r\n", Status.EX_PROTOCOL, "header not in"),
        (b"CHECK SPAMC/1.5\r\nContent-length: x\r\n\r\n", Status.EX_PROTOCOL, "is no number"),
        (b"CHECK SPAMC/1.5\r\nContent-length: 9\r\n\r\nabc", Status.EX_PROTOCOL, "is 9, got 3 octets"),
        (b"CHECK SPAMC/1.5\r\nUser: ann\r\n", Status.EX_PROTOCOL, "ends before its message"),
        (b"CHECK SPAMC/1.5\r\nCompress: lzma\r\n\r\nabc", Status.EX_PROTOCOL, "unknown compression 'lzma'"),
        (b"CHECK SPAMC/1.5\r\nCompress: zlib\r\n\r\nabc", Status.EX_DATAERR, "cannot be unpacked"),
        (
            b"CHECK SPAMC/1.5\r\nCompress: zlib\r\n\r\n" + zlib.compress(b"a" * 100_000)[:-9],
            Status.EX_DATAERR,
            "cannot be unpacked",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(octets: bytes, status: Status, why: str):
    refused = ask(octets)

    assert isinstance(refused, Refused)
    assert status == refused.status
    assert why in refused.text


@pytest.mark.parametrize(
    "octets",
    [
        b"CHECK SPAMC/1.5\r\nContent-length: 1001\r\n\r\n",
        b"CHECK SPAMC/1.5\r\n\r\n" + b"a" * 1001,
        b"CHECK SPAMC/1.5\r\nCompress: zlib\r\n\r\n" + zlib.compress(bytes(50_000_000)),
    ],
)
def test_a_message_that_is_too_large_is_refused_before_it_is_held(octets: bytes):
    assert Refused(Status.EX_DATAERR, "the message has more than 1000 octets") == ask(octets, largest=1000)


@pytest.mark.parametrize("octets", [b"a" * 10_000_000, b"CHECK SPAMC/1.5\r\n" + b"A: b\r\n" * 1_000_000])
def test_a_head_without_end_is_refused_and_not_held(octets: bytes):
    server = SpamdServer()
    refused = None
    for at in range(0, len(octets), 65_536):
        refused = refused or server.receive(octets[at : at + 65_536])
        assert server.held < 70_000
    refused = refused or server.finish() or server.receive(b"\n")

    assert isinstance(refused, Refused)


def test_after_the_request_nothing_more_is_heard():
    server = SpamdServer()

    assert isinstance(server.receive(CHECK), SpamdRequest)
    assert server.receive(CHECK) is None
    assert server.finish() is None
    assert 0 == server.held


def test_who_says_nothing_gets_no_answer():
    assert SpamdServer().finish() is None


def test_check_is_answered_by_score_and_level():
    assert b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 7.2 / 3.0\r\n\r\n" == verdict_answer(SPAM)
    assert b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; -0.0 / 3.0\r\n\r\n" == verdict_answer(HAM)


@pytest.mark.parametrize(
    ("command", "version", "answer"),
    [
        ("SYMBOLS", (1, 5), b"SPAMD/1.1 0 EX_OK\r\nContent-length: 3\r\nSpam: True ; 7.2 / 3.0\r\n\r\nA,B"),
        # Exim, among others, asks as version 1.2.
        ("REPORT", (1, 2), b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 7.2 / 3.0\r\n\r\nA,B\r\n"),
        (
            "REPORT_IFSPAM",
            (1, 3),
            b"SPAMD/1.1 0 EX_OK\r\nContent-length: 3\r\nSpam: Yes ; 7.2 / 3.0\r\n\r\nA,B",
        ),
    ],
)
def test_texts_are_framed_as_the_version_of_the_client_reads_them(
    command: str, version: tuple[int, int], answer: bytes
):
    assert answer == text_answer(SpamdRequest(command, version), SPAM, b"A,B")


@pytest.mark.parametrize(
    ("version", "head"),
    [
        ((1, 5), b"SPAMD/1.1 0 EX_OK\r\nContent-length: 19\r\nSpam: False ; -0.0 / 3.0\r\n\r\n"),
        ((1, 2), b"SPAMD/1.1 0 EX_OK\r\nContent-length: 19\r\n\r\n"),
        ((1, 1), b"SPAMD/1.0 0 EX_OK\r\n"),
    ],
)
def test_messages_are_framed_as_the_version_of_the_client_reads_them(version: tuple[int, int], head: bytes):
    assert head + MAIL == message_answer(SpamdRequest("PROCESS", version), HAM, MAIL)


def test_a_refusal_is_one_line():
    assert b"SPAMD/1.0 75 try again\r\n" == refusal(Status.EX_TEMPFAIL, "try again")
