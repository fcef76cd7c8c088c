"""Content checks as amavisd-milter asks for them."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.support.mailroom import ANN, BOB, CLEAN, KILLED, SENDER, SPAM, SPAMMY, Mailroom, mail, mailroom
from tests.support.next_hop import Hop, next_hop

from lazaret.flow.content_check import ContentChecks, Limits
from lazaret.model.errors import StoreUnavailable
from lazaret.wire.ampdp import Request

Attributes = list[tuple[str, str]]


def play(folder: Path, act: Callable[[Mailroom, Hop, "Milter"], Awaitable[None]]) -> None:
    async def main() -> None:
        async with next_hop() as hop, mailroom(folder / "data", hop.at, local=["home.example"]) as room:
            await act(room, hop, Milter(room, folder / "work"))

    asyncio.run(main())


class Milter:
    """A client with its directory."""

    def __init__(self, room: Mailroom, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.checks = ContentChecks(room.leading_to, room.relay, Limits(folder, 100_000))

    async def ask(self, octets: bytes, *to: str, over_tcp: bool = False, **more: str) -> Attributes:
        """The attributes of the reply, decoded."""
        file = self.folder / "email.txt"
        file.write_bytes(octets.replace(b"\r\n", b"\n"))
        values = {
            "request": ("AM.PDP",),
            "queue_id": ("4cXYZ",),
            "sender": (f"<{SENDER}>",),
            "recipient": tuple(f"<{address}>" for address in to or (ANN,)),
            "tempdir": (str(self.folder),),
            "mail_file": (str(file),),
            "delivery_care_of": ("client",),
            "client_address": ("192.0.2.7",),
            **{name: (value,) for name, value in more.items()},
        }
        reply = await self.checks.answer(Request(values), over_tcp=over_tcp)
        assert reply.endswith(b"\r\n\r\n")
        lines = reply.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
        return [(name, unquote(value)) for name, _, value in (line.partition("=") for line in lines)]


def of(reply: Attributes, name: str) -> list[str]:
    return [value for key, value in reply if key == name]


def test_a_marked_message_goes_on_with_our_fields_on_top(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        reply = await milter.ask(mail(SPAMMY, header=b"X-Spam-Flag: NO\r\n"))

        assert [("version_server", "2"), "log_id"] == [reply[0], reply[1][0]]
        assert ["250 2.5.0 Ok, continue delivery"] == of(reply, "setreply")
        assert ["1 x-spam-flag"] == of(reply, "delheader")
        assert ["1 Subject ***SPAM*** news"] == of(reply, "chgheader")
        inserted = of(reply, "insheader")
        assert "0 X-Spam-Flag YES" == inserted[-1]
        assert inserted[0].startswith("0 X-Spam-Status Yes, score=4 tagged_above=-999 required=3\n\ttests=[")
        assert [("return_value", "continue"), ("exit_code", "0")] == reply[-2:]
        assert [] == hop.received
        (item,) = await room.find()
        assert ("delivered", "192.0.2.7") == (str(item.state), item.client_ip)

    play(tmp_path, act)


def test_recipients_who_are_not_to_have_it_are_taken_out(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        await room.store.policy_tables.change(
            BOB, {"spam_kill_level": 3.5, "spam_tag2_level": 3.0}, local=None
        )
        reply = await milter.ask(mail(SPAMMY), ANN, BOB)
        assert ([f"<{BOB}>"], ["continue"]) == (of(reply, "delrcpt"), of(reply, "return_value"))
        assert {ANN: "delivered", BOB: "quarantined"} == await room.states()

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("points", "code", "fate", "status"),
    [(SPAM, "250 2.7.0", "discard", "99"), (KILLED, "554 5.7.0", "reject", "69")],
)
def test_what_is_not_delivered_has_amavis_answer(
    tmp_path: Path, points: float, code: str, fate: str, status: str
):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        reply = await milter.ask(mail(points))
        assert of(reply, "setreply")[0].startswith(code)
        assert [("return_value", fate), ("exit_code", status)] == reply[-2:]

    play(tmp_path, act)


def test_what_is_quarantined_keeps_the_octets(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        await milter.ask(mail(SPAM, body=b".\r\nend \xff\r\n"))
        (item,) = await room.find()
        stored = await room.store.quarantine.text(item.mail_id)
        assert mail(SPAM, body=b".\r\nend \xff\r\n") == stored.message

    play(tmp_path, act)


def test_we_deliver_ourselves_where_that_is_wished_and_each_gets_his_own_copy(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        await room.store.policy_tables.change(BOB, {"bypass_spam_checks": "Y"}, local=None)
        reply = await milter.ask(mail(SPAMMY), ANN, BOB, delivery_care_of="server")
        assert [("return_value", "discard"), ("exit_code", "99")] == reply[-2:]
        assert of(reply, "setreply")[0].startswith("250 2.0.0 from MTA(")
        marked = {r.envelope.addresses[0]: b"***SPAM***" in r.octets for r in hop.received}
        assert {ANN: True, BOB: False} == marked

    play(tmp_path, act)


@pytest.mark.parametrize("bank", ["SMTP_AUTH,SMTP_AUTH_PLAIN", "ORIGINATING"])
def test_mail_of_authenticated_users_is_our_own(tmp_path: Path, bank: str):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        reply = await milter.ask(mail(SPAMMY), policy_bank=bank)
        assert [] == of(reply, "chgheader")
        assert room.handled[0].entry.originating

    play(tmp_path, act)


def test_a_database_that_is_gone_lets_the_mta_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        async def down() -> object:
            raise StoreUnavailable("gone")

        monkeypatch.setattr(type(room.store.policies), "state", lambda self: down())
        reply = await milter.ask(mail(CLEAN))
        assert [("return_value", "tempfail"), ("exit_code", "75")] == reply[-2:]

    play(tmp_path, act)


def test_only_files_in_the_work_directory_are_read(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        outside = tmp_path / "secret"
        outside.write_bytes(mail(CLEAN))
        (milter.folder / "link").symlink_to(outside)
        os.mkfifo(milter.folder / "pipe")
        for file in (
            *("/etc/passwd", str(outside), str(milter.folder / "link"), str(milter.folder / ".." / "secret")),
            *(str(milter.folder), str(milter.folder / "nothing"), str(milter.folder / "pipe")),
        ):
            reply = await milter.ask(mail(CLEAN), mail_file=file)
            assert [("return_value", "tempfail"), ("exit_code", "75")] == reply[-2:], file
        assert [] == room.handled

    play(tmp_path, act)


def test_nothing_is_read_for_whoever_comes_over_the_network_or_without_a_work_directory(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        assert ["tempfail"] == of(await milter.ask(mail(CLEAN), over_tcp=True), "return_value")
        milter.checks = ContentChecks(room.leading_to, room.relay, Limits(None))
        assert ["tempfail"] == of(await milter.ask(mail(CLEAN)), "return_value")
        assert [] == room.handled

    play(tmp_path, act)


def test_a_file_that_is_too_large_is_refused_without_being_read(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        reply = await milter.ask(mail(CLEAN, body=b"x" * 100_000))
        assert of(reply, "setreply")[0].startswith("552 5.3.4 Message size")
        assert ["reject"] == of(reply, "return_value")

    play(tmp_path, act)


def test_without_mail_file_the_message_is_where_amavis_looks_for_it(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop, milter: Milter) -> None:
        assert ["continue"] == of(await milter.ask(mail(CLEAN), mail_file=""), "return_value")

    play(tmp_path, act)
