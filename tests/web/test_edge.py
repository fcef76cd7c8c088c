"""Names, proxies, a prefix: what is believed of where a request comes from."""

import asyncio

import pytest

from lazaret.config.load import load
from lazaret.web.edge import Edge


def asked(*settings, peer="127.0.0.1", path="/x", host="localhost", **headers):
    """What the application behind the edge is told: (status, path, way)."""
    told, sent = {}, []

    async def application(scope, receive, send):
        told.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    config = load(None, ["store.data_dir=/nonexistent", *settings], environment={}, euid=1)
    named = {"host": host} | {name.replace("_", "-").lower(): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "client": (peer, 1234),
        "server": ("127.0.0.1", 8025),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    asyncio.run(Edge(application, config, "filter.example")(scope, receive, send))
    return sent[0]["status"], told.get("path"), told.get("way")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8025", 200),
        ("127.0.0.1:8025", 200),
        ("[::1]:8025", 200),
        ("filter.example", 200),
        ("mail.home.example", 200),
        ("evil.example", 421),
        ("", 421),
        ("localhost.evil.example", 421),
    ],
)
def test_a_host_that_is_not_ours_is_refused(host, status):
    """Or a page of another site could make a browser talk to us under its own name (DNS rebinding)."""
    assert status == asked('web.hosts=["mail.home.example"]', host=host)[0]


def test_health_answers_under_every_name():
    assert 200 == asked(path="/healthz", host="10.0.0.1")[0]


def test_what_a_stranger_says_of_himself_is_not_believed():
    _, _, way = asked(peer="127.0.0.1", X_Forwarded_For="192.0.2.9", X_Forwarded_Proto="https")

    assert ("127.0.0.1", False) == (way.remote, way.secure)


def test_a_proxy_is_believed_up_to_the_last_address_that_is_no_proxy():
    """What stands further left came from the client, who can write what he likes."""
    proxies = 'web.proxies=["127.0.0.1", "192.0.2.0/28"]'
    _, _, way = asked(
        proxies,
        X_Forwarded_For="6.6.6.6, 198.51.100.7, 192.0.2.3",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="localhost",
        host="inner",
    )

    assert ("198.51.100.7", True, "localhost") == (way.remote, way.secure, way.host)


def test_beyond_loopback_without_tls_only_the_proxy_may_ask():
    open_page = ('listen.http="0.0.0.0:8025"', 'web.proxies=["192.0.2.1"]')

    assert 200 == asked(*open_page, peer="192.0.2.1")[0]
    assert 421 == asked(*open_page, peer="192.0.2.77")[0]
    assert 200 == asked(*open_page, peer="127.0.0.1")[0]


def test_a_prefix_is_taken_off_where_it_is_there():
    prefix = 'web.prefix="/quarantine"'

    assert "/mail" == asked(prefix, path="/quarantine/mail")[1]
    assert "/" == asked(prefix, path="/quarantine")[1]
    assert "/mail" == asked(prefix, path="/mail")[1]
    assert "/quarantines" == asked(prefix, path="/quarantines")[1]
