"""Fuzzes one target with atheris, guided by coverage.

    make fuzz TARGET=mime SECONDS=600 [CORPUS=folder-of-messages]

SECONDS are of processor time, so that a figure means the same on a busy machine. What was reached is kept in
fuzz/corpus/ and is where the next run begins. What is found is written to fuzz/found/; add it to FOUND in
tests/fuzz/test_targets.py, and mend it.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: `make fuzz` installs it where there is a build of it")

from fuzz.rooms import ROOMS

with atheris.instrument_imports(include=[ROOMS.get(sys.argv[1] if sys.argv[1:] else "", "lazaret")]):
    from fuzz.targets import SEEDS, TARGETS

HERE = Path(__file__).parent
STALLED = 300  # Seconds by the clock: only an endless loop takes so long, however busy the machine is.
SLOW = 10  # Seconds of processor time for one input, watched code being slow itself.


def for_seconds(target: Callable[[bytes], None], seconds: float) -> Callable[[bytes], None]:
    """The target, which ends the run once this process has used so much processor time.

    One input that takes too much of it is a finding.
    """
    end = time.process_time() + seconds

    def run(octets: bytes) -> None:
        before = time.process_time()
        target(octets)
        now = time.process_time()
        assert now - before < SLOW, f"{now - before:.1f} s for {len(octets)} octets"
        if now > end:
            os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer ends at it, and prints its figures

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60, help="of processor time")
    parser.add_argument("--corpus", type=Path, help="further seeds: a file each")
    given = parser.parse_args()
    folder = HERE / "corpus" / given.target
    folder.mkdir(parents=True, exist_ok=True)
    (HERE / "found").mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS[given.target]):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [
        sys.argv[0],
        str(folder),
        f"-artifact_prefix={HERE / 'found' / given.target}-",
        "-max_len=16384",
        f"-timeout={STALLED}",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    if given.corpus:
        options.insert(2, str(given.corpus))
    atheris.Setup(options, for_seconds(TARGETS[given.target], given.seconds))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
