"""Mail that claims to come from a big provider."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

HOP = b"Received: from a.org (a.org [198.51.100.7]) by mx.our.org; Mon, 1 Jul 2024 12:00:00 +0000\n"


def mail(sender: bytes, *fields: bytes, hop: bytes = HOP) -> bytes:
    return hop + b"".join(field + b"\n" for field in fields) + b"From: a@" + sender + b"\n\n\n"


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        (True, mail(b"yahoo.com")),
        (False, mail(b"else.com")),
        (False, mail(b"yahoo.com", hop=b"")),
        (False, mail(b"yahoo.com", b"Received: from a by web1.mail.b.yahoo.com via HTTP; x")),
        (False, mail(b"yahoo.com", b"Mailing-List: contact a@b; run by ezmlm", hop=b"")),
    ],
)
def test_yahoo(call: Call, expected: bool, raw: bytes) -> None:
    assert expected == bool(call(raw, "check_for_forged_yahoo_received_headers"))


def test_a_relay_of_yahoo_speaks_for_it(call: Call) -> None:
    hop = HOP.replace(b"a.org", b"n7.bullet.yahoo.com")
    assert not call(mail(b"yahoo.com", hop=hop), "check_for_forged_yahoo_received_headers")


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (True, ()),
        (False, (b"X-Received: by 10.1.2.3 with SMTP id abc",)),
        (False, (b"X-Received: by 2002:a17:90b:1 with SMTP id abc",)),
        (False, (b"X-Gm-Message-State: " + b"x" * 60, b"X-Google-Smtp-Source: " + b"y" * 60)),
        (True, (b"X-Gm-Message-State: " + b"x" * 60,)),
    ],
)
def test_gmail(call: Call, expected: bool, fields: tuple[bytes, ...]) -> None:
    assert expected == bool(call(mail(b"gmail.com", *fields), "check_for_forged_gmail_received_headers"))


def test_hotmail_that_is_named_and_hotmail_that_is_not(call: Call) -> None:
    forged, missing = "check_for_forged_hotmail_received_headers", "check_for_no_hotmail_received_headers"
    named = mail(b"hotmail.com", hop=HOP.replace(b"from a.org", b"from mail.hotmail.com"))
    assert (True, False) == (bool(call(named, forged)), bool(call(named, missing)))
    silent = mail(b"hotmail.com")
    assert (False, True) == (bool(call(silent, forged)), bool(call(silent, missing)))
    picked_up = b"Received: from mail pickup service by hotmail.com with Microsoft SMTPSVC; x"
    own = mail(b"hotmail.com", picked_up)
    assert (False, False) == (bool(call(own, forged)), bool(call(own, missing)))


def test_aol_relays_have_a_form(call: Call) -> None:
    false = b"Received: from x by rly-ab01.mx.aol.com with SMTP; x\n"
    real = b"Received: from x by rly-ab01.mx.aol.com (v99/AOL-1.2.3) with SMTP; x\n"
    assert call(mail(b"aol.com", hop=false), "check_for_fake_aol_relay_in_rcvd")
    assert not call(mail(b"aol.com", hop=real), "check_for_fake_aol_relay_in_rcvd")


def test_juno_and_eudoramail_need_an_address_of_their_own(call: Call) -> None:
    assert call(mail(b"juno.com"), "check_for_forged_juno_received_headers")
    juno = HOP.replace(b"a.org", b"m.juno.com")
    honest = mail(b"juno.com", b"X-Originating-IP: 198.51.100.9", b"X-Mailer: Juno 5.0", hop=juno)
    assert not call(honest, "check_for_forged_juno_received_headers")
    assert call(mail(b"eudoramail.com"), "check_for_forged_eudoramail_received_headers")
    by = b"Received: from x by s1.whowhere.com; x\n"
    honest = mail(b"eudoramail.com", b"X-Sender-Ip: 198.51.100.9", hop=by)
    assert not call(honest, "check_for_forged_eudoramail_received_headers")


def test_a_message_id_may_be_of_no_use(call: Call) -> None:
    assert not call(mail(b"b.org"), "check_messageid_not_usable")
    assert call(mail(b"b.org", hop=b""), "check_messageid_not_usable")
    assert call(mail(b"b.org", b"List-Unsubscribe: <mailto:leave-1@b.org>"), "check_messageid_not_usable")
