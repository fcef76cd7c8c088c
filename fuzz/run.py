"""Fuzzes one target with atheris, guided by coverage.

    make fuzz TARGET=mime SECONDS=600 [CORPUS=folder-of-messages]

What it finds is written below fuzz/found/; add it to tests/property/test_fuzz_findings.py, and mend it.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: `make fuzz` installs it where there is a build of it")

ROOMS = {
    "smtp_server": "lazaret.wire",
    "smtp_client": "lazaret.wire",
    "ampdp": "lazaret.wire",
    "mime": "lazaret.mime",
    "edit": "lazaret.mime",
    "rule_syntax": "lazaret.rules",
    "search_query": "lazaret.store.query",
    "html_preview": "lazaret.web.safe_html",
}
"""What is watched for coverage: to watch all of it takes a minute before the first step."""

with atheris.instrument_imports(include=[ROOMS.get(sys.argv[1] if sys.argv[1:] else "", "lazaret")]):
    from fuzz.targets import SEEDS, TARGETS

FOUND = Path(__file__).parent / "found"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="further seeds: a file each")
    given = parser.parse_args()
    folder = FOUND / given.target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[given.target]):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [
        sys.argv[0],
        str(folder),
        f"-max_total_time={given.seconds}",
        f"-artifact_prefix={folder}-",
        "-max_len=16384",
        "-timeout=10",
        "-rss_limit_mb=2048",
    ]
    if given.corpus:
        options.insert(2, str(given.corpus))
    atheris.Setup(options, TARGETS[given.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
