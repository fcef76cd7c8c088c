"""What rules see is what SpamAssassin's rules saw, message by message, where its record is there."""

from pathlib import Path
from typing import Any

from tests.mime.layers import messages

from lazaret.mime import message, text

Layers = dict[str, Any]


def latin1(octets: bytes | None) -> str | None:
    return None if octets is None else octets.decode("latin-1")


def tree(record: Layers) -> list[tuple[Any, ...]]:
    return [
        (p["type"], bool(p["leaf"]), p["leaf"] and p["charset"], p["leaf"] and p["name"])
        for p in record["mime"]
    ]


def own_tree(mail: message.Message) -> list[tuple[Any, ...]]:
    return [
        (
            p.content_type,
            p.leaf,
            int(p.leaf) and latin1(p.type.charset),
            int(p.leaf) and (latin1(p.name) or None),
        )
        for p in mail.parts
    ]


def same_fact(expected: Any, found: Any) -> bool:
    if isinstance(found, list):
        written = (
            [str(x).encode(codec, "replace").decode("latin-1") for x in found]
            for codec in ("utf-8", "latin-1")
        )
        return (expected or []) in written
    if isinstance(found, str):
        return found == (expected or "")
    return abs(float(found or 0) - float(expected or 0)) < 1e-9


def test_agreement_with_spamassassin(shared: Path, corpus: Path) -> None:
    differing: dict[str, list[str]] = {
        layer: [] for layer in ("body", "rawbody", "tree", "visible", "invisible")
    }
    facts: list[str] = []
    count = 0
    for raw, record in messages(shared, corpus):
        count += 1
        mail = message.parse(raw)
        subject = mail.body[:1]
        visible = text.lines(b"".join(subject), [r.visible for r in mail.rendered])
        invisible = text.lines(b"", [r.invisible for r in mail.rendered])
        found = {
            "body": [latin1(line) for line in mail.body],
            "rawbody": [latin1(chunk) for chunk in mail.rawbody],
            "visible": [latin1(line) for line in visible],
            "invisible": [latin1(line) for line in invisible],
        }
        for layer, lines in found.items():
            if lines != record[layer]:
                differing[layer].append(record["message"])
        if own_tree(mail) != tree(record):
            differing["tree"].append(record["message"])
        facts += [
            f"{record['message']}: {name}"
            for name, expected in record["html"].items()
            if hasattr(mail.html, name) and not same_fact(expected, getattr(mail.html, name))
        ]
    assert 935 == count
    assert [] == differing["rawbody"]
    assert [] == differing["tree"]
    assert [] == differing["invisible"]
    assert [] == facts
    # In these SpamAssassin's FreeMail had already cut mail addresses out of the text when it was recorded.
    assert len(differing["body"]) <= 12, differing["body"]
    assert len(differing["visible"]) <= 1, differing["visible"]
