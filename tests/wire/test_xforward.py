"""XFORWARD as we send it, and there and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.envelope import Session
from lazaret.wire.xforward import ATTRIBUTES, apply, commands, xtext_decode, xtext_encode

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)


@given(PRINTABLE)
def test_xtext_comes_back(value: str):
    encoded = xtext_encode(value)

    assert encoded.isascii()
    assert not set(" =\r\n") & set(encoded)
    assert value == xtext_decode(encoded)


def test_what_is_no_xtext_stays():
    assert "+zz+" == xtext_decode("+zz+")


@pytest.mark.parametrize("ip", ["192.0.2.1", "2001:db8::1", ""])
def test_a_session_comes_back_through_its_commands(ip: str):
    told = Session(
        client_ip=ip,
        client_port=4711,
        client_name="spike.example",
        helo="sp ike=+",
        client_protocol="SMTP",
        forwarded=bool(ip),
        source="REMOTE",
        queue_id="4Rk2x1",
    )
    heard = Session()
    for command in commands(told, ATTRIBUTES):
        assert len(command) <= 512
        heard = apply(heard, command.decode().removeprefix("XFORWARD "))

    assert told == heard


def test_long_values_stay_within_a_command_line():
    """The longest host name, in octets that all need three characters."""
    session = Session(client_name="ä" * 300)
    [first, _] = commands(session, ATTRIBUTES)

    assert len(first) < 4096


def test_nothing_is_told_to_a_peer_that_asks_for_nothing():
    assert [] == list(commands(Session(client_ip="192.0.2.1"), ()))
