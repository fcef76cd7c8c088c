"""Reading the verdict of another filter in the header section."""

import time

import pytest

from lazaret.mime import filter_verdict
from lazaret.mime import message as mime
from lazaret.mime.filter_verdict import FilterVerdict


def of(*fields: bytes) -> list[FilterVerdict]:
    return filter_verdict.of(mime.parse(b"".join(fields) + b"From: a@b.example\r\n\r\nhello\r\n"))


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        (
            b"X-Spam-Status: No, score=-0.1 tagged_above=-999 required=6.31\r\n\ttests=[A=1]\r\n",
            FilterVerdict("amavis", False, -0.1, 6.31),
        ),
        (
            b"X-Spam-Status: Yes, score=7.5 tag=2 tag2=6.31 kill=6.31 tests=[A=1]\r\n",
            FilterVerdict("amavis", True, 7.5, 6.31),
        ),
        (
            b"X-Spam-Status: Yes, score=12.0 required=5.0 tests=A,B autolearn=no version=4.0.1\r\n",
            FilterVerdict("spamassassin", True, 12.0, 5.0),
        ),
        (b"X-Spam-Status: No, hits=1.0 required=5.0\r\n", FilterVerdict("spamassassin", False, 1.0, 5.0)),
        (b"X-Spam-Status: No\r\n", FilterVerdict("spamassassin", False, None, None)),
        (
            b"X-Spamd-Result: default: False [5.10 / 15.00];\r\n\tA(1.00)[]\r\n",
            FilterVerdict("rspamd", False, 5.1, 15.0),
        ),
        (
            b"X-Rspamd-Action: add header\r\nX-Spamd-Result: default: False [7.10 / 15.00];\r\n",
            FilterVerdict("rspamd", True, 7.1, 15.0),
        ),
        (
            b"X-Rspamd-Action: no action\r\nX-Spamd-Result: default: True [17 / 15.00];\r\n",
            FilterVerdict("rspamd", False, 17.0, 15.0),
        ),
        (
            b"X-Spam: Yes\r\nX-Spamd-Result: default: False [7.10 / 15.00];\r\n",
            FilterVerdict("rspamd", True, 7.1, 15.0),
        ),
    ],
)
def test_each_filter_is_known_by_its_fields(fields, verdict):
    assert [verdict] == of(fields)


def test_the_newest_field_counts():
    older = b"X-Spam-Status: Yes, score=9 required=5\r\n"

    assert [False] == [v.spam for v in of(b"X-Spam-Status: No, score=1 required=5\r\n", older)]


def test_two_filters_have_two_verdicts():
    found = of(b"X-Spam-Status: No, score=1 required=5\r\n", b"X-Rspamd-Action: reject\r\n")

    assert [("spamassassin", False), ("rspamd", True)] == [(v.filter, v.spam) for v in found]


@pytest.mark.parametrize(
    "field", [b"", b"X-Spam-Status: \r\n", b"X-Spam-Status: maybe\r\n", b"X-Spam: Yes\r\n"]
)
def test_what_says_nothing_is_no_verdict(field):
    assert [] == of(field)


def test_hostile_fields_cost_linear_time():
    began = time.process_time()
    of(
        b"X-Spam-Status: Yes " + b"score=" * 300_000 + b"\r\n",
        b"X-Spamd-Result: " + b"a:" * 500_000 + b"\r\n",
    )

    assert time.process_time() - began < 1
