"""TLS on the way to the next hop: required, verified, or a favour; under both event loops."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lazaret.config.endpoint import NextHop
from lazaret.config.words import RelayTls
from lazaret.model.errors import UserError
from lazaret.net.hop_connection import Timeouts
from lazaret.net.hop_tls import HopTls, hop_tls
from lazaret.wire.smtp_server import ServerSettings

from .servers import Sink, listening
from .way import OUTGOING, Run, relay, send


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for 127.0.0.1 in one file."""
    path = tmp_path_factory.mktemp("tls") / "pair.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=hop"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]
    try:
        subprocess.run([*command.split(), *names], check=True, capture_output=True)
    except OSError:
        pytest.skip("openssl is not installed")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def sink_under_tls(certificate: Path) -> Sink:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return Sink(ServerSettings(starttls=True), tls=context)


async def sent_to(sink: Sink, tls: Callable[[NextHop], HopTls | None]) -> str:
    """The reply for one message."""
    async with listening(sink) as hop:
        [answer] = await send(relay(hop, tls=tls(hop), timeouts=Timeouts()))
        await asyncio.sleep(0.05)
    return answer


def by_option(wish: RelayTls, authorities: Path | None = None) -> Callable[[NextHop], HopTls | None]:
    return lambda hop: hop_tls(wish, authorities, [hop])


@pytest.mark.parametrize("wish", [RelayTls.ENCRYPT, RelayTls.VERIFY])
def test_a_message_travels_under_tls_where_that_is_required(run: Run, certificate: Path, wish: RelayTls):
    async def main() -> None:
        sink = sink_under_tls(certificate)
        answer = await sent_to(sink, by_option(wish, certificate))

        assert answer.startswith("250 2.0.0 ")
        assert ["ESMTPS"] == [m.session.protocol for m in sink.received]

    run(main())


def test_a_certificate_of_an_unknown_authority_gets_no_mail(run: Run, certificate: Path):
    async def main() -> None:
        sink = sink_under_tls(certificate)
        answer = await sent_to(sink, by_option(RelayTls.VERIFY))

        assert answer.startswith("451 4.5.0 From MTA(")
        assert "fwd-starttls" in answer
        assert "certificate verify failed" in answer
        assert [] == sink.received

    run(main())


def test_a_certificate_for_another_host_gets_no_mail(run: Run, certificate: Path):
    async def main() -> None:
        sink = sink_under_tls(certificate)
        async with listening(sink) as hop:
            other = replace(hop, endpoint=replace(hop.endpoint, host="localhost"))
            way = relay(other, tls=hop_tls(RelayTls.VERIFY, certificate, [other]), timeouts=Timeouts())
            [answer] = await send(way)
            await asyncio.sleep(0.05)

        assert "certificate verify failed" in answer
        assert [] == sink.received

    run(main())


def test_an_offer_that_was_taken_away_gets_no_mail_where_tls_is_required(run: Run):
    async def main() -> None:
        sink = Sink()
        answer = await sent_to(sink, by_option(RelayTls.ENCRYPT))

        assert answer.startswith("451 4.5.0 ")
        assert "TLS is required, and STARTTLS is not offered" in answer
        assert [] == sink.received

    run(main())


def test_where_tls_is_a_favour_mail_goes_in_the_clear_when_it_fails(
    run: Run, certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(HopTls, "wanted", lambda self, hop: True)

    async def main() -> None:
        sink = sink_under_tls(certificate)
        async with listening(sink) as hop:
            strict = ssl.create_default_context()  # knows no such authority: stands for any failure
            way = relay(hop, tls=HopTls(strict), timeouts=Timeouts())
            assert [250, 250] == [(await way.send(OUTGOING))[0].reply.code for _ in range(2)]
            await way.close()

        assert ["ESMTP", "ESMTP"] == [m.session.protocol for m in sink.received]
        assert 1 == sum("in the clear" in text for text in caplog.messages)

    run(main())


def test_tls_is_not_wasted_on_what_stays_on_this_machine():
    near, far = NextHop.parse("smtp:[127.0.0.1]:10025"), NextHop.parse("smtp:[192.0.2.1]:25")
    socket_path = NextHop.parse("unix:/run/lmtp")
    assert hop_tls(RelayTls.MAY, None, [near, socket_path]) is None
    may, encrypt = hop_tls(RelayTls.MAY, None, [near, far]), hop_tls(RelayTls.ENCRYPT, None, [near])
    assert may is not None
    assert encrypt is not None
    assert [False, True, False] == [may.wanted(hop) for hop in (near, far, socket_path)]
    assert [True, True, False] == [encrypt.wanted(hop) for hop in (near, far, socket_path)]
    assert hop_tls(RelayTls.NONE, None, [far]) is None


def test_authorities_that_cannot_be_read_are_an_error_of_the_configuration(tmp_path: Path):
    with pytest.raises(UserError, match=r"relay\.tls_ca = .*nowhere\.pem: ") as caught:
        hop_tls(RelayTls.VERIFY, tmp_path / "nowhere.pem", [NextHop.parse("smtp:[192.0.2.1]:25")])
    assert 78 == caught.value.exit_code
