"""Files as amavisd's quarantine has them: the fields that it puts on top, its Received, and the message."""

import gzip
from collections.abc import Sequence
from pathlib import Path

MAIL_ID = "9jc5xEn26f99"
MESSAGE = (
    b"Received: from mx.home.example ([127.0.0.1])\n"
    b"\tby localhost (mx.home.example [127.0.0.1]) (amavis, port 10024)\n"
    b"\twith ESMTP id 9jc5xEn26f99 for <ann@home.example>;\n"
    b"\tMon, 20 Feb 2023 02:02:08 +0000 (UTC)\n"
    b"Received: from mail.spam.example (mail.spam.example [192.0.2.9])\n"
    b"\tby mx.home.example (Postfix) with ESMTP id 4cXYZ\n"
    b"\tfor <ann@home.example>; Mon, 20 Feb 2023 02:02:07 +0000 (UTC)\n"
    b"X-Spam-Status: No, this one the message brought along\n"
    b"From: Big <promo@spam.example>\n"
    b"To: Ann <ann@home.example>\n"
    b"Subject: =?utf-8?q?You_w=C3=B6n?=\n"
    b"Message-ID: <1@spam.example>\n"
    b"\n"
    b"elephants in the body\xff\n"
)


def fields(
    mail_id: str = MAIL_ID,
    *,
    to: str = "<ann@home.example>",
    blocked: str | None = "<ann@home.example>",
    score: str = "6.642",
    alert: str = "",
) -> bytes:
    """What amavisd puts on top; `blocked` None: the field is not there."""
    lines = [
        "Return-Path: <promo@spam.example>",
        "Delivered-To: spam-quarantine",
        "X-Envelope-From: <promo@spam.example>",
        f"X-Envelope-To: {to}",
        *([f"X-Envelope-To-Blocked: {blocked}"] if blocked is not None else []),
        *([f"X-Quarantine-ID: <{mail_id}>"] if mail_id else []),
        *([f"X-Amavis-Alert: {alert}"] if alert else []),
        "X-Spam-Flag: YES",
        "X-Spam-Score: 64",
        "X-Spam-Level: ******",
        f"X-Spam-Status: Yes, score={score} tag=2 tag2=6.31 kill=6.31",
        "\ttests=[BAYES_99=3.5, HTML_MESSAGE=0.001,\n\tAM.WBL=-1.5] autolearn=no",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def quarantine(directory: Path, names: Sequence[str]) -> None:
    """Writes a message under each name, with an id of its own; `.gz` is packed, `a/b` lies in `a`."""
    for number, name in enumerate(names):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        octets = fields(f"file{number:08d}") + MESSAGE
        path.write_bytes(gzip.compress(octets) if name.endswith(".gz") else octets)
