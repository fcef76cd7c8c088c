"""What an MTA that keeps the message has to change in its header."""

from hypothesis import given
from hypothesis import strategies as st

from lazaret.flow.fields import SPAM_FIELDS
from lazaret.flow.header_edits import Change, HeaderEdits, edits
from lazaret.mime import headers
from lazaret.mime.edit import edited

OURS = b"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=6\r\n\ttests=[A=6]\r\nReceived: from us\r\n"


def outgoing(original: bytes, tag: str = "***SPAM*** ") -> bytes:
    return OURS + edited(original, headers.parse(original), without=SPAM_FIELDS, subject_tag=tag)


def test_fields_of_ours_go_on_top_and_our_received_stays_with_us():
    found = edits(b"From: a\r\n\r\nx\r\n", outgoing(b"From: a\r\n\r\nx\r\n", ""))
    assert (
        HeaderEdits(
            (),
            (Change("X-Spam-Flag", 0, b"YES"), Change("X-Spam-Status", 0, b"Yes, score=6\r\n\ttests=[A=6]")),
        )
        == found
    )


def test_a_subject_is_changed_or_made():
    original = b"Subject: news\r\n\r\n"
    assert (Change("Subject", 1, b"***SPAM*** news"),) == edits(original, outgoing(original)).changed
    without = edits(b"From: a\r\n\r\n", outgoing(b"From: a\r\n\r\n"))
    assert ((), Change("Subject", 0, b"***SPAM***")) == (without.changed, without.inserted[-1])


def test_what_the_message_brought_along_goes_from_the_last_to_the_first():
    original = b"X-Spam-Flag: NO\r\nSubject: a\r\nx-spam-flag: NO\r\nX-Quarantine-ID: <x>\r\n\r\n"
    found = edits(original, outgoing(original, ""))
    assert [("x-quarantine-id", 1), ("x-spam-flag", 2), ("x-spam-flag", 1)] == [
        (c.name, c.index) for c in found.changed
    ]


def test_what_goes_on_unchanged_needs_no_edit():
    assert HeaderEdits() == edits(b"Subject: a\r\n\r\n", b"Subject: a\r\n\r\n")


fields = st.lists(
    st.sampled_from(
        [
            b"Subject: news\r\n",
            b"subject:\r\n folded\r\n",
            b"X-Spam-Status: No\r\n",
            b"To: x\r\n",
            b"Received: r\r\n",
        ]
    )
)


@given(fields, st.sampled_from(["", "***SPAM*** "]))
def test_an_mta_that_makes_the_edits_has_the_copy_that_a_next_hop_would_get(header: list[bytes], tag: str):
    original = b"".join(header) + b"\r\nbody\r\n"
    wanted = outgoing(original, tag)
    made = made_by_mta(original, edits(original, wanted))
    assert without_blanks(wanted.replace(b"Received: from us\r\n", b"")) == without_blanks(made)


def made_by_mta(original: bytes, found: HeaderEdits) -> bytes:
    """As Postfix does it: each change by the name and its index, then insertions."""
    section = headers.parse(original)
    lines = [(f.name, original[f.start : f.end]) for f in section.fields]
    for change in found.changed:
        places = [n for n, (name, _) in enumerate(lines) if name.lower() == change.name.lower()]
        if change.value is None:
            del lines[places[change.index - 1]]
        else:
            lines[places[change.index - 1]] = (change.name, b"Subject: %b\r\n" % change.value)
    top = b"".join(b"%b: %b\r\n" % (c.name.encode(), c.value or b"") for c in found.inserted)
    return top + b"".join(octets for _, octets in lines) + b"\r\nbody\r\n"


def without_blanks(octets: bytes) -> list[bytes]:
    return sorted(b"".join(line.lower().split()) for line in octets.replace(b"\r\n ", b"").splitlines())
