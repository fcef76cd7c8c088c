"""What our own servers found out about the sender."""

import time
from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

TRUSTED = "Received: from a.example (a.example [{}]) by mx (Postfix) with ESMTP id 1\n"
ALL = {"authres_networks": ("all",)}


def results(call: Call, header: str, **settings: str) -> str:
    given = {**ALL, **{word: (value,) for word, value in settings.items()}}
    raw = (header + "Subject: s\n\nx\n").encode()
    found = {
        method: result
        for method in ("arc", "dkim", "dmarc", "spf")
        for result in ("pass", "fail", "none", "softfail")
        if call(raw, "check_authres_result", method, result, settings=given)
    }
    for method in ("arc", "dkim", "dmarc", "spf"):
        missing = call(raw, "check_authres_result", method, "missing", settings=given)
        assert bool(missing) == (method not in found)
    return " ".join(f"{method}={result}" for method, result in found.items())


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("spf=pass", "mx.example; spf=pass smtp.mailfrom=a@b.example"),
        ("dkim=pass spf=fail", "mx.example 1; spf=fail; dkim=pass header.d=b.example;"),
        ("dkim=pass", "mx.example; dkim=fail header.d=a; dkim=pass header.i=@b"),
        ("dmarc=none", "mx.example;\n dmarc=none (p=none (really) dis=none) header.from=a.example"),
        ("dkim=fail", 'mx.example; dkim=fail reason="bad; signature" header.d=a'),
        ("spf=pass", "mx.example; mx.example; spf=pass"),
        ("spf=pass", "mx.example; spf / 1 = pass smtp . mailfrom = <a@b.example>"),
        ("", "mx.example; none"),
        ("", "spf=pass smtp.mailfrom=a"),
        ("", "mx.example; spf=pass; bogus=pass"),
        ("", "mx.example; spf=excellent"),
        ("", "mx.example; spf=pass header.d=a"),
        ("", "mx.example; spf=pass (comment"),
        ("", "mx.example spf=pass"),
    ],
)
def test_a_field_that_follows_the_rules_counts(call: Call, expected: str, value: str) -> None:
    assert expected == results(call, f"Authentication-Results: {value}\n")


@pytest.mark.parametrize(
    ("expected", "instance"), [("arc=pass", "i=1;"), ("", ""), ("", "i=0;"), ("", "i=51;"), ("", "i=x;")]
)
def test_a_field_of_an_arc_set_has_a_number(call: Call, expected: str, instance: str) -> None:
    assert expected == results(call, f"ARC-Authentication-Results: {instance} mx.example; arc=pass\n")


def test_some_servers_are_believed_and_others_are_not(call: Call) -> None:
    header = "Authentication-Results: MX.example; spf=pass\nAuthentication-Results: b.example; dkim=pass\n"
    assert "dkim=pass spf=pass" == results(call, header)
    assert "spf=pass" == results(call, header, authres_trusted_authserv="mx.example")
    assert "dkim=pass" == results(call, header, authres_ignored_authserv="mx.example c.example")


def test_only_fields_above_the_boundary_count(call: Call) -> None:
    inside, outside = TRUSTED.format("10.0.0.1"), TRUSTED.format("192.0.3.1")
    first, second = "Authentication-Results: a; spf=pass\n", "Authentication-Results: b; dkim=pass\n"
    header = first + inside + outside + second
    assert "dkim=pass spf=pass" == results(call, header)
    for networks in ("internal", "trusted"):
        assert "spf=pass" == results(call, header, authres_networks=networks)


HOSTILE = (
    "(" * 8000,
    "(a" * 4000 + ")" * 4000,
    "a" * 8000,
    '"' + "\\" * 7999,
    "spf=pass;" * 900,
    "; " * 4000,
)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_the_worst_case_is_read_in_a_second(call: Call, value: str) -> None:
    raw = (f"Authentication-Results: mx; spf=pass smtp.helo={value}\n" * 400 + "\nx\n").encode()
    started = time.process_time()
    call(raw, "check_authres_result", "spf", "pass", settings=ALL)
    assert time.process_time() - started < 1.0
