"""What SpamAssassin itself made of messages, stage by stage: the recorded layers, where they are there."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFORMANCE = Path("conformance") / "spamassassin"


def recorded(shared: Path, name: str) -> list[dict[str, Any]]:
    """The lines of one file of layers: `received_parser` …"""
    path = shared / CONFORMANCE / "layers" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def messages(shared: Path, corpus: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """(octets, layers) of every message that was dumped."""
    folders = {"sa-repo": shared / CONFORMANCE / "messages-sa-repo", "sa-corpus": corpus / "spamassassin"}
    for name in ("layers-sa-repo", "layers-corpus-sample650"):
        with gzip.open(shared / CONFORMANCE / "layers" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                layers = json.loads(line)
                source, _, path = layers["message"].partition("/")
                yield (folders[source] / path).read_bytes(), layers
