"""How well do the views of a message agree with what SpamAssassin itself saw? Prints agreement per layer.

Usage: layers.py LAYERS.jsonl[.gz] MESSAGES_DIR [--show LAYER] — the files hold one JSON object a line
with the layers of one message, every character one octet.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lazaret.mime import message, text

Layers = dict[str, Any]


def latin1(octets: bytes | None) -> str | None:
    return None if octets is None else octets.decode("latin-1")


def mime(mail: message.Message) -> list[list[Any]]:
    return [
        [
            part.content_type,
            int(part.leaf),
            latin1(part.type.charset) if part.leaf else None,
            latin1(part.name) or None if part.leaf else None,
        ]
        for part in mail.parts
    ]


def ours(mail: message.Message) -> Layers:
    rendered = mail.rendered
    return {
        "body": [line.decode("latin-1") for line in mail.body],
        "rawbody": [chunk.decode("latin-1") for chunk in mail.rawbody],
        "visible": [x.decode("latin-1") for x in text.lines(mail._subject, [r.visible for r in rendered])],
        "invisible": [x.decode("latin-1") for x in text.lines(b"", [r.invisible for r in rendered])],
        "mime": mime(mail),
    }


def theirs(record: Layers) -> Layers:
    layers = {layer: record[layer] for layer in ("body", "rawbody", "visible", "invisible")}
    layers["mime"] = [
        [
            p["type"],
            int(p["leaf"]),
            p["charset"] if p["leaf"] else None,
            p["name"] or None if p["leaf"] else None,
        ]
        for p in record["mime"]
    ]
    return layers


def html_differences(record: Layers, mail: message.Message) -> Iterator[str]:
    facts = mail.html
    for key, expected in record["html"].items():
        if key in ("uri", "uri_detail", "text_length"):
            continue
        found = getattr(facts, key, "(not there)")
        if isinstance(expected, list) or isinstance(found, list):
            same = any(
                [x.encode(codec, "replace").decode("latin-1") for x in found] == (expected or [])
                for codec in ("utf-8", "latin-1")
            )
        elif isinstance(found, str):
            same = found == (expected or "")
        else:
            same = abs(float(found or 0) - float(expected or 0)) < 1e-9
        if not same:
            yield f"html.{key}"
    if facts.inside != (record.get("html_inside") or {}):
        yield "html.inside"


def records(path: Path) -> Iterator[Layers]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def report(path: Path, messages: Mapping[str, Path], show: str = "") -> None:
    """Prints the agreement; `messages`: an index of the files."""
    differing: Counter[str] = Counter()
    total = with_html = 0
    for record in records(path):
        if "error" in record:
            continue
        total += 1
        with_html += bool(record["html"])
        mail = message.parse(find(record, messages).read_bytes())
        expected, found = theirs(record), ours(mail)
        bad = [layer for layer in expected if expected[layer] != found[layer]]
        bad += html_differences(record, mail)
        for layer in bad:
            differing[layer] += 1
            if layer == show:
                print(layer, record.get("message") or record["file"])
    print(f"{path.name}: {total} messages, {with_html} with HTML")
    for layer in ("body", "rawbody", "visible", "invisible", "mime"):
        print(f"  {layer:24} {100 * (1 - differing.pop(layer, 0) / total):8.3f} %")
    for layer, count in sorted(differing.items()):
        print(f"  {layer:24} {100 * (1 - count / max(with_html, 1)):8.3f} %")
    sys.stdout.flush()


def index(root: Path) -> dict[str, Path]:
    """The files below a folder, by the last one, two and three parts of their paths."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {"/".join(path.parts[-count:]): path for count in (1, 2, 3) for path in files}


def find(record: Layers, messages: Mapping[str, Path]) -> Path:
    """The file of a record, in an index."""
    parts = (record.get("message") or record["file"]).split("/")
    return next(messages[name] for n in (3, 2, 1) if (name := "/".join(parts[-n:])) in messages)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("layers", type=Path)
    arguments.add_argument("messages", type=Path)
    arguments.add_argument("--show", default="")
    options = arguments.parse_args()
    report(options.layers, index(options.messages), options.show)


if __name__ == "__main__":
    main()
