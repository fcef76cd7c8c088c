"""AM.PDP: the octets of the clients that exist, and of those that should not."""

import time

import pytest

from lazaret.model.errors import Reply
from lazaret.wire.ampdp import (
    AmpdpReplies,
    AmpdpServer,
    Request,
    Violation,
    encode_replies,
    release_request,
)

RELEASE = (
    b"request=release\r\nmail_id=9jc5xEn26f99\r\nsecret_id=MFV6n8TpDjNY\r\nmail_file=9jc5xEn26f99\r\n"
    b"partition_tag=25\r\nrecipient=bob@example.net\r\n\r\n"
)


def test_a_release_request_has_the_octets_of_the_original_client():
    assert 89 == len(release_request("9jc5xEn26f99", "MFV6n8TpDjNY"))
    assert RELEASE == release_request("9jc5xEn26f99[25]", "MFV6n8TpDjNY", ["bob@example.net"])
    assert (
        b"request=release\r\nmail_id=7vykgLjHGVrk\r\nquar_type=Z\r\nmail_file=7/spam-7vykgLjHGVrk.gz\r\n\r\n"
        == release_request("7/spam-7vykgLjHGVrk.gz")
    )


def test_an_id_with_a_hyphen_is_whole():
    assert b"mail_id=abc-Xyz01234\r\n" in release_request("abc-Xyz01234")


@pytest.mark.parametrize("mail_id", ["", "-abc", "a b", "a/../b", "a\r\nb"])
def test_what_is_no_id_is_not_sent(mail_id: str):
    with pytest.raises(ValueError, match="invalid mail id"):
        release_request(mail_id)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_requests_end_lines_with_crlf_or_lf(end: bytes, step: int):
    octets = 2 * RELEASE.replace(b"\r\n", end)
    server = AmpdpServer()
    events = []
    for at in range(0, len(octets), step):
        events += server.receive(octets[at : at + step])
    [first, second] = events

    assert first == second
    assert isinstance(first, Request)
    assert ("release", "25", ("bob@example.net",), "") == (
        first.get("request"),
        first.get("partition_tag"),
        first.all("recipient"),
        first.get("quar_type"),
    )


def test_values_are_decoded_and_repeated_names_are_lists():
    octets = b"request: release\nrecipient=%3ca%40b%3e\nrecipient=<c@d>\nodd=a=b:c%zz\n\n"
    [request] = AmpdpServer().receive(octets)

    assert isinstance(request, Request)
    assert ("<a@b>", "<c@d>") == request.all("recipient")
    assert "release" == request.get("request")
    assert "a=b:c%zz" == request.get("odd")


def test_a_malformed_line_among_good_ones_is_skipped():
    [request] = AmpdpServer().receive(b"request=release\nwhat is this\nmail_id=x\n\n")

    assert isinstance(request, Request)
    assert "x" == request.get("mail_id")


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n", b"hello\n", b"=x\n", b"EHLO a.b\r\n"])
def test_another_protocol_is_a_violation(line: bytes):
    server = AmpdpServer()

    assert [Violation("the first line is no attribute")] == server.receive(line + RELEASE)
    assert [] == server.receive(RELEASE)


def test_a_request_without_bounds_is_a_violation():
    start = time.process_time()
    assert [Violation("overlong request")] == AmpdpServer().receive(b"recipient=aaaaaaaaaaaaaaa\n" * 100_000)
    assert [Violation("overlong line")] == AmpdpServer().receive(b"recipient=" + b"a" * 1_000_000 + b"\n")
    AmpdpServer().receive((b"a=" + b" " * 16_000 + b"x\n") * 60)
    assert time.process_time() - start < 1


def test_a_reply_begins_with_setreply_and_has_crlf():
    text = "from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBD26146A8"
    octets = encode_replies([Reply(250, "2.0.0", text)])

    assert (
        b"setreply=250 2.0.0 from%20MTA(smtp:[127.0.0.1]:10025):%20250%202.0.0%20Ok:%20queued%20as%20"
        b"BBD26146A8\r\n\r\n" == octets
    )


def test_a_failure_says_so_in_three_lines():
    octets = encode_replies(
        [Reply(450, "4.5.0", "Failure: 100%")], [("return_value", "tempfail"), ("exit_code", "75")]
    )

    assert b"setreply=450 4.5.0 Failure:%20100%25\r\nreturn_value=tempfail\r\nexit_code=75\r\n\r\n" == octets


def test_the_client_reads_what_the_server_says():
    replies = [Reply(250, "2.0.0", "Ok ä"), Reply(450, "4.5.0", "later\r\nset")]
    reader = AmpdpReplies()
    octets = encode_replies(replies, [("exit_code", "0")])
    found = [reply for octet in octets for reply in reader.receive(bytes((octet,)))]

    assert [("250 2.0.0 Ok ä", "450 4.5.0 later\r\nset")] == [f.all("setreply") for f in found]


def test_a_reply_without_bounds_is_an_error():
    with pytest.raises(ValueError, match="reply without end"):
        AmpdpReplies().receive(b"x" * 100_000 + b"\n")
