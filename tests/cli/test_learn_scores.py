"""Rules have scores of their own for beside a learner: in force once it has its full say, and not before."""

from collections.abc import Callable
from pathlib import Path

from tests.learn.mail import mail
from tests.support.installation import QUARANTINE, Installation, hop_beside

from lazaret.learn.points import CLASS_FULL

RULES = """
body  ALONE   /quarantine-me-please/
score ALONE   1 1 0 0
body  BESIDE  /quarantine-me-please/
score BESIDE  0 0 2 2
body  BOTH    /quarantine-me-please/
score BOTH    1 1 3 3
"""
OURS = ("ALONE", "BESIDE", "BOTH")


def folder_of(kind: str, home: Path) -> Path:
    folder = home / kind
    folder.mkdir()
    for seed in range(CLASS_FULL):
        (folder / f"{seed:03}").write_bytes(mail(kind, seed))
    return folder


def test_scan_and_the_service_go_over_to_them(tmp_path: Path, free_port: Callable[[], int]) -> None:
    with hop_beside() as hop:
        place = Installation(tmp_path, next_hop=hop.at.endpoint.port, smtp=free_port(), http=free_port())
        with (tmp_path / "rules" / "tests.cf").open("a") as file:
            file.write(RULES)

        def scanned() -> dict[str, float]:
            (row,) = place.rows("scan", stdin=f"Subject: s\n\n{QUARANTINE}\n".encode())
            return {hit["symbol"]: hit["score"] for hit in row["hits"] if hit["symbol"] in OURS}

        def received(subject: str) -> set[str]:
            place.send_found(QUARANTINE, subject=subject)
            (row,) = place.rows("find", f"subject:{subject}", "--json")
            return set(row["symbols"]) & set(OURS)

        with place.service():
            assert {"ALONE": 1, "BOTH": 1} == scanned()
            assert {"ALONE", "BOTH"} == received("before")
            place.output("learn", "spam", folder_of("spam", tmp_path))
            place.output("learn", "ham", folder_of("ham", tmp_path))

            assert {"BESIDE": 2, "BOTH": 3} == scanned()
            assert {"BESIDE", "BOTH"} == received("after")
