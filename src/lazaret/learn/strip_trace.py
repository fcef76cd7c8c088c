"""Takes out of a message what gives a corpus away: the way it came, and for whom it was collected."""

import re

from lazaret.mime import headers

_TRACE = re.compile(
    r"(?:Received|X-.*|Delivered-To|Return-Path|Date|Message-ID|List-.*|To|Cc|Errors-To|Sender|Precedence"
    r"|Mailing-List|Authentication-Results|ARC-.*|DKIM-.*)\Z",
    re.I | re.S,
)
_TAGS = re.compile(rb"\A\s*(?:\[[^\]\n]*+\]\s*)+")


def strip_trace(raw: bytes) -> bytes:
    """The message without its trace fields, and its Subject without `[…]` tags at the start."""
    kept = []
    position = 0
    for field in headers.parse(raw).fields:
        if _TRACE.match(field.name):
            kept.append(raw[position : field.start])
            position = field.end
        elif field.name.lower() == "subject":
            kept.append(raw[position : field.value_start])
            kept.append(_TAGS.sub(b" ", raw[field.value_start : field.end]))
            position = field.end
    kept.append(raw[position:])
    return b"".join(kept)
