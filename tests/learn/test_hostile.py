"""No message, however evil, raises or takes long in the learner, whatever its size."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.learn.mail import HASHER, taught

from lazaret.learn import explain, trial
from lazaret.learn.zones import view
from lazaret.mime import message

SIZE = 1 << 20
MODEL = taught(3)

CASES: dict[str, Callable[[], bytes]] = {
    "nothing": bytes,
    "one word": lambda: b"\n" + b"x" * SIZE,
    "words of one letter": lambda: b"\n" + b"a " * (SIZE // 2),
    "words of eight letters": lambda: b"\n" + b"abcdefgh " * (SIZE // 9),
    "NUL": lambda: b"\n" + b"\0" * SIZE,
    "no UTF-8": lambda: b"Subject: \xff\xfe\n\n" + b"\xff" * SIZE,
    "wide characters": lambda: (
        b"Content-Type: text/plain; charset=utf-8\n\n" + "\U0001f4b0 ".encode() * (SIZE // 5)
    ),
    "fields of other names": lambda: b"".join(b"N%d: x\n" % n for n in range(100_000)),
    "a long field name": lambda: b"N" * SIZE + b": x\n\n",
    "links": lambda: b"Content-Type: text/html\n\n" + b"<a href='http://a.example/'>x</a>" * (SIZE // 33),
    "sites": lambda: b"\n" + b"".join(b"http://s%d.example.com/ " % n for n in range(30_000)),
    "parts": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * (SIZE // 8),
    "Received": lambda: b"Received: from a by b with SMTP; x\n" * (SIZE // 35) + b"\n",
    "encoded words": lambda: b"Subject: " + b"=?utf-8?q?a?= " * (SIZE // 14) + b"\n\n",
    "tags": lambda: b"Content-Type: text/html\n\n" + b"".join(b"<t%d>" % n for n in range(100_000)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_worst_cases_cost_no_more_than_a_large_message(case):
    mail = message.parse(CASES[case]())
    trial.touch(mail)
    took = []
    for _ in range(3):  # the first one pays for what is made once
        began = time.process_time()
        seen = view(mail)
        features = HASHER.features(seen)
        judgement = MODEL.judge(features)
        took.append(time.process_time() - began)
        explain.pushes(seen, MODEL, HASHER)

    assert np.isfinite(judgement.score)
    assert len(features) < 40_000
    assert min(took) < 0.05


@given(st.binary(max_size=3000))
def test_any_octets_are_learned(octets):
    found = HASHER.features(view(message.parse(octets)))

    assert np.isfinite(MODEL.judge(found).score)


@given(
    st.lists(st.sampled_from(("Subject", "From", "Received", "Date", "X-é", "")), max_size=8),
    st.text(max_size=80),
)
def test_any_fields_are_learned(names, value):
    head = "".join(f"{name}: {value}\n" for name in names)
    seen = view(message.parse(f"{head}\n{value}".encode("utf-8", "replace")))

    assert isinstance(explain.in_words(explain.pushes(seen, MODEL, HASHER)), str)
