"""The envelope sender, guessed."""

from lazaret.mime import envelope_sender, message
from lazaret.mime.trust import Networks

HANDOVER = "Received: from pc (pc.example.net [192.0.2.7]) by mx (Postfix) with ESMTP id 1{}\n"


def sender(header: str, given: str | None = None) -> bytes | None:
    return envelope_sender.of(message.parse(header.encode() + b"\nbody\n", envelope_from=given))


def test_what_the_caller_knows_counts() -> None:
    assert b"kim@example.com" == sender("Return-Path: <ann@example.com>\n", "kim@example.com")
    assert b"" == sender("Return-Path: <ann@example.com>\n", "")


def test_received_of_the_handover_from_outside_comes_next() -> None:
    handover = HANDOVER.format(" (envelope-from <kim@example.com>)")
    assert b"kim@example.com" == sender("Return-Path: <ann@example.com>\n" + handover)


def test_then_the_fields_of_delivery_agents() -> None:
    assert b"ann@example.com" == sender("Return-Path: <ann@example.com>\n" + HANDOVER.format(""))


def test_below_received_they_are_of_an_earlier_delivery() -> None:
    assert None is sender(HANDOVER.format("") + "Return-Path: <ann@example.com>\n")


def test_a_mail_fetcher_guessed_wrong_where_a_list_names_the_sender() -> None:
    fetched = "Received: from pop.example [192.0.2.9] by desk with POP3 (fetchmail-6.4)\n"
    header = "Return-Path: <ann@example.com>\n" + fetched + HANDOVER.format("")
    assert b"ann@example.com" == sender(header)
    assert None is sender(header + "X-Sender: kim@example.com\n")


def test_nobody_knows() -> None:
    assert None is sender("Subject: x\n")


def test_a_field_that_the_configuration_names_alone_counts() -> None:
    networks = Networks.from_text(envelope_sender_header="X-From-Line")
    handover = HANDOVER.format(" (envelope-from <kim@example.com>)")

    def told(header: str, given: str | None = None) -> bytes | None:
        parsed = message.parse(header.encode() + b"\nbody\n", envelope_from=given, networks=networks)
        return envelope_sender.of(parsed)

    assert b"ann@example.com" == told("x-from-line: <ann@example.com>\n" + handover)
    assert b"" == told("X-From-Line: <>\n" + handover)
    assert None is told("X-From-Line: nobody\n" + handover)
    assert None is told("Return-Path: <bob@example.com>\n" + handover)
    assert b"bob@example.com" == told("X-From-Line: <ann@example.com>\n", "bob@example.com")
