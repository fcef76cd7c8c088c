"""Where the trust path ends."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.mime.layers import messages, recorded

from lazaret.mime import headers, trust
from lazaret.mime.trust import Networks, Relays

OUTSIDE = "Received: from pc (pc.example [198.51.100.7]) by mx.example.org (Postfix) with ESMTP id 2\n"
INSIDE = "Received: from mx.example.org (mx.example.org [192.0.2.1]) by store (Postfix) with LMTP id 3\n"
CLAIMED = "Received: from bank (bank.example [203.0.113.5]) by pc (Postfix) with ESMTP id 1\n"


def walk(header: str, networks: Networks | None = None, *, originating: bool = False) -> Relays:
    section = headers.parse(header.encode() + b"\n")
    return trust.walk(section, networks or Networks(), originating=originating)


def addresses(relays: Relays) -> tuple[list[str], list[str]]:
    return [r.ip for r in relays.trusted], [r.ip for r in relays.untrusted]


def test_the_path_is_trusted_up_to_the_first_host_that_is_not_ours() -> None:
    relays = walk(INSIDE + OUTSIDE + CLAIMED, Networks.from_text(["192.0.2/24"]))
    assert (["192.0.2.1"], ["198.51.100.7", "203.0.113.5"]) == addresses(relays)
    assert 1 == relays.trusted_fields


def test_with_nothing_configured_private_addresses_are_ours() -> None:
    assert (["10.0.0.1"], ["198.51.100.7"]) == addresses(
        walk(INSIDE.replace("192.0.2.1", "10.0.0.1") + OUTSIDE)
    )


def test_with_nothing_configured_a_client_that_logged_in_is_ours() -> None:
    assert (["198.51.100.7"], []) == addresses(walk(OUTSIDE.replace("ESMTP", "ESMTPA")))


def test_a_forged_network_of_ours_below_the_boundary_stays_untrusted() -> None:
    relays = walk(INSIDE + OUTSIDE + INSIDE, Networks.from_text(["192.0.2/24"]))
    assert (["192.0.2.1"], ["198.51.100.7", "192.0.2.1"]) == addresses(relays)


def test_trusted_is_not_yet_internal() -> None:
    relays = walk(INSIDE + OUTSIDE, Networks.from_text(["192.0.2/24", "198.51.100/24"], ["192.0.2/24"]))
    assert ["192.0.2.1"] == [r.ip for r in relays.internal]
    assert ["198.51.100.7"] == [r.ip for r in relays.external]
    assert [True, False] == [r.intl for r in relays.trusted]


def test_who_handed_in_mail_at_a_submission_server_is_trusted() -> None:
    relays = walk(INSIDE + OUTSIDE, Networks.from_text(["192.0.2/24"], msa=["192.0.2.1"]))
    assert ([True, False], []) == ([r.msa for r in relays.trusted], list(relays.untrusted))


def test_a_caller_may_vouch_for_the_client() -> None:
    relays = walk(OUTSIDE + CLAIMED, Networks.from_text(["192.0.2/24"]), originating=True)
    assert (["198.51.100.7", "203.0.113.5"], []) == addresses(relays)
    assert () == relays.internal


def test_a_mail_fetcher_restarts_the_path() -> None:
    fetched = "Received: from pop.example [192.0.2.9] by desk with POP3 (fetchmail-6.4)\n"
    own = "Received: from localhost (localhost [127.0.0.1]) by desk (Postfix) with ESMTP id 9\n"
    assert ([], ["198.51.100.7"]) == addresses(walk(own + fetched + OUTSIDE))


def test_the_address_that_a_webmailer_names_is_the_oldest_relay() -> None:
    assert ([], ["198.51.100.7", "203.0.113.9"]) == addresses(
        walk(OUTSIDE + "X-Originating-IP: [203.0.113.9]\n")
    )


def test_fields_that_cannot_be_read_are_counted_and_passed() -> None:
    relays = walk("Received: from here to eternity\n" + INSIDE, Networks.from_text(["192.0.2/24"]))
    assert (1, 2) == (relays.unparseable, relays.trusted_fields)


def test_qmail_scanner_tells_the_sender_of_the_next_field() -> None:
    scanner = (
        "Received: from 198.51.100.7 by mx (envelope-from <kim@b.example>, uid 5) with qmail-scanner-1.24\n"
    )
    assert "kim@b.example" == walk(scanner + OUTSIDE).untrusted[0].envfrom


@pytest.fixture
def trust_path(shared: Path) -> list[dict[str, Any]]:
    return recorded(shared, "trust_path")


def test_spamassassins_examples_of_trust_paths_end_where_they_end_for_it(
    trust_path: list[dict[str, Any]],
) -> None:
    for case in trust_path:
        settings = [line.split() for line in case["config"].splitlines() if line.strip()]
        words = {kind: [w for name, *ws in settings if name == f"{kind}_networks" for w in ws] for kind in ("trusted", "internal", "msa")}  # fmt: skip # noqa: E501
        header = re.sub(r"\n(?![\w-]+:)", " ", case["raw_case"].strip())
        relays = walk(header + "\n", Networks.from_text(**words))
        expected = case["expect"]
        assert expected["trusted"] == " ".join(map(str, relays.trusted)), case
        assert expected["untrusted"] == " ".join(map(str, relays.untrusted)), case


def test_935_messages_have_the_relays_that_spamassassin_sees(shared: Path, corpus: Path) -> None:
    for raw, layers in messages(shared, corpus):
        relays = trust.walk(headers.parse(raw), Networks())
        for side in ("trusted", "untrusted", "internal", "external"):
            expected = layers["headers"].get(f"X-Spam-Relays-{side.title()}") or ""
            got = " ".join(map(str, getattr(relays, side))).encode("utf-8", "surrogateescape")
            assert expected.rstrip("\n").encode("latin-1") == got, (layers["message"], side)
