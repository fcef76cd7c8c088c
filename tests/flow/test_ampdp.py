"""Release requests as amavisd-release, MailZu and Modoboa send them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from tests.support.mailroom import ANN, BOB, OUTSIDE, SITE, SPAM, Mailroom, mail, mailroom
from tests.support.next_hop import Hop, next_hop

from lazaret.flow import ampdp
from lazaret.flow.abuse_report import AbuseReports
from lazaret.flow.ampdp import ReleaseRequests
from lazaret.flow.quarantine import QuarantineDesk
from lazaret.net.relay import Relay
from lazaret.wire.ampdp import Request, release_request

Act = Callable[[Mailroom, Hop, str, str], Awaitable[None]]


def quarantined(folder: Path, act: Act, *to: str) -> None:
    """Runs `act(room, hop, mail_id, secret_id)` over a message that was quarantined."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(folder, hop.at) as room:
            await room.send(mail(SPAM), *to or (ANN,))
            entry = room.handled[0].entry
            await act(room, hop, entry.mail_id, entry.secret_id)

    asyncio.run(main())


def request(*attributes: tuple[str, str]) -> Request:
    values: dict[str, tuple[str, ...]] = {}
    for name, value in attributes:
        values[name] = (*values.get(name, ()), value)
    return Request(values)


def release(mail_id: str, secret_id: str = "", *recipients: str, **more: str) -> Request:
    named = [("request", "release"), ("mail_id", mail_id), *more.items()]
    named += [("secret_id", secret_id)] if secret_id else []
    return request(*named, *(("recipient", r) for r in recipients))


async def answer(room: Mailroom, wanted: Request, *, over_tcp: bool = False, later: float = 0.0) -> str:
    """The reply's octets, as text."""
    requests = ReleaseRequests(room.desk, secret_needed=lambda tcp: tcp, clock=lambda: time.time() + later)
    return (await requests.answer(wanted, over_tcp=over_tcp)).decode("ascii")


def failure(text: str, code: str = "550 5.5.0", fate: str = "reject", status: str = "69") -> str:
    words = text.replace(" ", "%20")
    return f"setreply={code} Failure:%20{words}\r\nreturn_value={fate}\r\nexit_code={status}\r\n\r\n"


def test_the_reply_is_byte_for_byte_that_of_amavisd(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        hop.end[ANN] = "250 2.0.0 Ok: queued as BBD26146A8"
        port = hop.at.endpoint.port
        assert (
            f"setreply=250 2.0.0 from%20MTA(smtp:[127.0.0.1]:{port}):"
            "%20250%202.0.0%20Ok:%20queued%20as%20BBD26146A8\r\n\r\n"
        ) == await answer(room, release(mail_id, secret_id), over_tcp=True)
        assert {ANN: 1} == hop.copies

    quarantined(tmp_path, act)


def test_what_amavisd_release_sends_is_understood():
    assert (
        b"request=release\r\nmail_id=9jc5xEn26f99\r\nsecret_id=MFV6n8TpDjNY\r\nmail_file=9jc5xEn26f99\r\n\r\n"
    ) == release_request("9jc5xEn26f99", "MFV6n8TpDjNY")


def test_on_the_unix_socket_the_id_alone_is_enough(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        assert (await answer(room, release(mail_id))).startswith("setreply=250 2.0.0 ")

    quarantined(tmp_path, act)


def test_there_is_a_line_for_each_recipient_in_their_order(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        hop.rcpt[BOB] = "550 5.1.1 unknown"
        lines = (await answer(room, release(mail_id))).split("\r\n")
        assert ["setreply=250", "setreply=550", "", ""] == [line.partition(" ")[0] for line in lines]

    quarantined(tmp_path, act, ANN, BOB)


def test_over_tcp_the_secret_is_needed(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        said = await answer(room, release(mail_id), over_tcp=True)
        assert failure("Secret_id is required, but missing") == said
        assert [] == hop.received

    quarantined(tmp_path, act)


@pytest.mark.parametrize("secret", ["MFV6n8TpDjNY", "x", "\udcff\udcfe", "=" * 1000, "A" * 100_000])
def test_a_wrong_secret_waits_for_its_answer_and_is_not_said_back(
    tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ampdp, "WRONG_SECRET_S", 0.05)

    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        started = time.monotonic()
        said = await answer(room, release(mail_id, secret))
        assert 0.05 <= time.monotonic() - started
        assert failure(f"Secret_id does not match mail_id {mail_id}") == said
        assert [] == hop.received

    quarantined(tmp_path, act)


def test_over_tcp_a_message_goes_to_its_own_recipients_only(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        said = await answer(room, release(mail_id, secret_id, BOB), over_tcp=True)
        assert failure(f"{BOB} is no recipient of {mail_id}") == said
        both = release(mail_id, secret_id, f"<{ANN.upper()}>", OUTSIDE)
        said = await answer(room, both, over_tcp=True)
        assert 2 == said.count("setreply=250 2.0.0")
        assert {ANN.upper(): 1, OUTSIDE: 1} == hop.copies

    quarantined(tmp_path, act, ANN, OUTSIDE)


def test_on_the_unix_socket_any_recipient_may_be_named(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        assert (await answer(room, release(mail_id, "", OUTSIDE))).startswith("setreply=250")
        assert {OUTSIDE: 1} == hop.copies

    quarantined(tmp_path, act)


def test_a_repeat_within_ten_minutes_gets_the_same_reply_and_no_second_copy(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        first = await answer(room, release(mail_id))
        assert first == await answer(room, release(mail_id), later=590)
        assert {ANN: 1} == hop.copies

    quarantined(tmp_path, act)


def test_later_it_is_a_person_who_wants_it_again(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        await answer(room, release(mail_id))
        assert "queued%20as%20Q1" in await answer(room, release(mail_id), later=610)
        assert {ANN: 2} == hop.copies

    quarantined(tmp_path, act)


def test_a_release_that_another_tool_recorded_at_some_time_is_done_when_asked_for(tmp_path: Path):
    """MailZu writes R into the table; nobody knows when, and 250 would be said for nothing."""

    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        await room.store.writer.run(lambda connection: connection.execute("UPDATE msgrcpt SET rs = 'R'"))
        assert (await answer(room, release(mail_id))).startswith("setreply=250 2.0.0 from")
        assert {ANN: 1} == hop.copies

    quarantined(tmp_path, act)


def test_a_deferred_release_is_a_450_and_may_be_asked_for_again(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        hop.rcpt[ANN] = "452 4.3.1 Insufficient system storage"
        assert (await answer(room, release(mail_id))).startswith("setreply=452 4.3.1 from%20MTA(")
        hop.rcpt.clear()
        assert (await answer(room, release(mail_id))).startswith("setreply=250 2.0.0 ")

    quarantined(tmp_path, act)


def test_who_asked_stands_in_the_message(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        await answer(room, release(mail_id, requested_by="<chief@home.example>"))
        assert b"\r\nResent-From: <chief@home.example>\r\n" in hop.received[0].octets

    quarantined(tmp_path, act)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (request(("request", "release")), "Missing 'mail_id' field"),
        (request(("request", "release"), ("mail_id", "a;b")), "Invalid mail_id 'a;b'"),
        (request(("request", "release"), ("mail_id", "AAAAAAAAAAAA")), "no message AAAAAAAAAAAA"),
        (request(("request", "report"), ("mail_id", "AAAAAAAAAAAA")), "request 'report' is not served here"),
        (request(("mail_id", "AAAAAAAAAAAA")), "request '' is not served here"),
    ],
)
def test_what_cannot_be_served_is_said_in_words(tmp_path: Path, wanted: Request, text: str):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        assert failure(text) == await answer(room, wanted)

    quarantined(tmp_path, act)


def test_a_partition_that_is_named_is_looked_into(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        said = await answer(room, release(mail_id, partition_tag="25"))
        assert failure(f"no message {mail_id}[25]") == said
        assert (await answer(room, release(mail_id, partition_tag="0"))).startswith("setreply=250")

    quarantined(tmp_path, act)


def test_a_database_that_is_gone_is_a_temporary_failure(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        (tmp_path / "lazaret.db").rename(tmp_path / "elsewhere")
        said = await answer(room, release(mail_id))
        assert failure("the database does not answer", "450 4.5.0", "tempfail", "75") == said
        assert [] == hop.received

    quarantined(tmp_path, act)


def test_a_defect_of_ours_is_answered_too(tmp_path: Path):
    """A client that hears nothing hangs."""

    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        requests = ReleaseRequests(None, secret_needed=lambda tcp: tcp)  # type: ignore[arg-type]
        said = (await requests.answer(release(mail_id), over_tcp=False)).decode("ascii")
        assert failure("internal error", "450 4.5.0", "tempfail", "75") == said

    quarantined(tmp_path, act)


def test_requeued_mail_goes_into_the_mtas_own_intake(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        async with next_hop() as intake:
            relay = Relay([intake.at], name="filter.example")
            desk = QuarantineDesk(
                quarantine=room.store.quarantine,
                relay=relay,
                site=SITE,
                is_local=lambda address: True,
            )
            requests = ReleaseRequests(room.desk, secret_needed=lambda tcp: tcp, requeue=desk)
            wanted = request(("request", "requeue"), ("mail_id", mail_id))
            assert (await requests.answer(wanted, over_tcp=False)).startswith(b"setreply=250 2.0.0")
            await relay.close()
            assert ([], 1) == (hop.received, len(intake.received))

            # Back from the MTA it is known again.
            again = intake.received[0]
            assert (await room.send(again.octets, ANN)).startswith("250 2.0.0")
            assert again.octets in hop.received[0].octets

    quarantined(tmp_path, act)


def reports(room: Mailroom) -> ReleaseRequests:
    sender = AbuseReports(room.store.quarantine, room.relay, SITE)
    return ReleaseRequests(room.desk, secret_needed=lambda tcp: tcp, reports=sender)


def test_a_report_has_the_message_and_says_nothing_of_its_recipients(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        wanted = request(("request", "report"), ("mail_id", mail_id), ("recipient", "<abuse@far.example>"))
        assert (await reports(room).answer(wanted, over_tcp=False)).startswith(b"setreply=250 2.0.0")
        (sent,) = hop.received
        assert ("", ("abuse@far.example",)) == (sent.envelope.sender, sent.envelope.addresses)

        found = message_from_bytes(sent.octets, policy=SMTP)
        _, feedback, _ = found.iter_parts()
        assert ("multipart/report", "feedback-report") == (
            found.get_content_type(),
            found.get_param("report-type"),
        )
        assert "message/feedback-report" == feedback.get_content_type()
        facts = feedback.as_bytes()
        assert b"Feedback-Type: abuse\r\n" in facts
        assert b"Source-IP: 192.0.2.7\r\n" in facts
        assert mail(SPAM) in sent.octets
        assert ANN.encode() not in sent.octets
        audit = await room.store.audit.page()
        assert ("report", mail_id) == (audit[0].act, audit[0].mail_id)

    quarantined(tmp_path, act)


@pytest.mark.parametrize(
    ("recipients", "over_tcp", "text"),
    [
        ((), False, "name whom the report is for"),
        (("nobody",), False, "is not a mail address"),
        (("abuse@far.example",), True, "on the Unix socket alone"),
    ],
)
def test_a_report_that_cannot_be_sent_says_why(
    tmp_path: Path, recipients: tuple[str, ...], over_tcp: bool, text: str
):
    async def act(room: Mailroom, hop: Hop, mail_id: str, secret_id: str) -> None:
        named = [("request", "report"), ("mail_id", mail_id), ("secret_id", secret_id)]
        wanted = request(*named, *(("recipient", r) for r in recipients))
        answered = (await reports(room).answer(wanted, over_tcp=over_tcp)).decode("ascii")
        assert answered.startswith("setreply=550 5.5.0 Failure:")
        assert text in answered.replace("%20", " ")
        assert [] == hop.received

    quarantined(tmp_path, act)
