"""What SpamAssassin itself made of messages, stage by stage: the recorded layers, where they are there."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lazaret.mime import hostnames
from lazaret.mime.urls import Sites

CONFORMANCE = Path("conformance") / "spamassassin"

_REDIRECTOR = re.compile(r"redirector_pattern\s+(?:/(.*)/|m'(.*)')i\s*$")


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


def octets(text: str | dict[str, str]) -> bytes:
    """A string of the layers as the octets it stands for."""
    if isinstance(text, dict):
        return base64.b64decode(text["base64"])
    return text.encode("latin-1") if all(ord(c) < 256 for c in text) else text.encode("utf-8")


def sites(*configurations: str) -> Sites:
    """What these texts in SpamAssassin's language say of sites."""
    lists: dict[str, list[str]] = {"util_rb_tld": [], "util_rb_2tld": [], "util_rb_3tld": []}
    redirectors = []
    for line in "\n".join(configurations).splitlines():
        name, *words = line.partition("#")[0].split() or [""]
        if name in lists:
            lists[name] += words
        pattern = _REDIRECTOR.match(line)
        if pattern:
            redirectors.append(re.compile((pattern[1] or pattern[2]).encode(), re.IGNORECASE))
    return Sites(hostnames.public().with_lists(*lists.values()), tuple(redirectors))


def stock_sites(shared: Path, *more: str) -> Sites:
    """What SpamAssassin's own rules say of sites."""
    rules = sorted((shared / CONFORMANCE / "config" / "rules").glob("*.cf"))
    return sites(*(path.read_text("utf-8", "replace") for path in rules), *more)


def configuration_of_tests(shared: Path) -> str:
    """The configuration with which the calls were recorded that say nothing else."""
    rules = shared / CONFORMANCE / "config" / "rules" / "20_aux_tlds.cf"
    return rules.read_text("utf-8") + (
        shared / CONFORMANCE / "config" / "test" / "01_test_rules.cf"
    ).read_text("utf-8")
