"""What gives a corpus away is taken out, and nothing else."""

from lazaret.learn.strip_trace import strip_trace


def test_trace_fields_go_with_their_folds_and_the_rest_stays():
    raw = (
        b"Received: from a\n by b; Mon\nFrom: a@b.example\nX-Mailer: x\nTo: c\nList-Id: <l>\nReply-To: d\n"
        b"DKIM-Signature: v=1\n\nReceived: in the body\n"
    )

    assert b"From: a@b.example\nReply-To: d\n\nReceived: in the body\n" == strip_trace(raw)


def test_tags_before_the_subject_go():
    assert b"Subject: Re: [x] hello\n\n" == strip_trace(b"Subject: [ILUG] [SPAM] Re: [x] hello\n\n")


def test_line_ends_stay():
    assert b"Subject: a\r\n\r\nb\r\n" == strip_trace(b"To: x\r\nSubject: a\r\n\r\nb\r\n")


def test_a_message_without_a_header_section_stays():
    assert b"\nhello\n" == strip_trace(b"\nhello\n")
