"""Addresses as people write them."""

from pathlib import Path

import pytest

from lazaret.config.endpoint import Endpoint, NextHop, Protocol
from lazaret.config.problems import Unfit


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:10024",
        "[::1]:25",
        "unix:/run/a.sock",
        "unix:a.sock",
        "mail.example.org:0",
        "localhost:9998",
    ],
)
def test_an_address_is_written_as_it_was_read(text):
    assert text == str(Endpoint.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":25",
        "127.0.0.1",
        "::1:25",
        "1.2.3:25",
        "127.0.0.1:65536",
        "127.0.0.1:x",
        "unix:",
        "a b:1",
        "[::1]",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Unfit):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "smtp:[127.0.0.1]:10025",
        "lmtp:[mail.example.org]:24",
        "smtp:[::1]:25",
        "unix:/run/lmtp",
        "smtp:unix:/run/s",
    ],
)
def test_a_next_hop_is_written_as_it_was_read(text):
    assert text == str(NextHop.parse(text))


def test_a_unix_socket_as_next_hop_speaks_lmtp():
    assert NextHop(Protocol.LMTP, Endpoint(path="/run/lmtp")) == NextHop.parse("unix:/run/lmtp")
    assert NextHop.parse("unix:/run/lmtp") == NextHop.parse("lmtp:unix:/run/lmtp")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("127.0.0.1:25", "smtp:[127.0.0.1]:25"),
        ("lmtp:localhost:24", "lmtp:[localhost]:24"),
        ("[127.0.0.1]:25", "smtp:[127.0.0.1]:25"),
    ],
)
def test_a_next_hop_without_brackets_is_told_how_to_write_it(text, meant):
    with pytest.raises(Unfit, match="write ") as caught:
        NextHop.parse(text)
    assert f'write "{meant}"' in str(caught.value)


@pytest.mark.parametrize(
    "text", ["smtp:", "smtp:[127.0.0.1]", "smtp:[127.0.0.1]:0", "http:[::1]:80", "unix:"]
)
def test_what_is_no_next_hop_is_refused(text):
    with pytest.raises(Unfit):
        NextHop.parse(text)


def test_a_relative_socket_is_taken_below_a_directory():
    assert Endpoint(path="/var/lib/a.sock") == Endpoint(path="a.sock").below(Path("/var/lib"))
    assert Endpoint(path="/run/a.sock") == Endpoint(path="/run/a.sock").below(Path("/var/lib"))
    assert Endpoint("::1", 25) == Endpoint("::1", 25).below(Path("/var/lib"))
