"""What do rules cost: to compile, to load, and for a message?

    .venv/bin/python bench/rules.py CORPUS [--rules PATH]… [--every N] [--perl]

CORPUS is a folder of messages. Without --rules the shipped rules are measured, with it those files alone.
Each message is parsed and examined anew; what is printed is CPU time. A first pass, which compiles what it
needs to confirm matches, is not counted. --perl runs the same messages and rules through Mail::SpamAssassin,
where it is installed: local tests only, no learner.
"""

import argparse
import gc
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lazaret.daemon import huge_pages, supervisor
from lazaret.mime import message
from lazaret.rules import RuleSet, load

_PERL = r"""
use strict; use warnings; use Mail::SpamAssassin; use Time::HiRes qw(clock);
my ($rules, $site, $list, $warm) = @ARGV;
my $filter = Mail::SpamAssassin->new({rules_filename => $rules, site_rules_filename => $site,
    local_tests_only => 1, dont_copy_prefs => 1,
    post_config_text => "use_bayes 0\nuse_auto_welcomelist 0\n"});
$filter->compile_now(0, 1);
open my $paths, '<', $list or die;
my ($n, @ms) = (0);
while (my $path = <$paths>) {
    chomp $path;
    open my $file, '<:raw', $path or die;
    my $text = do { local $/; <$file> };
    my $before = clock();
    my $mail = $filter->parse($text);
    my $status = $filter->check($mail);
    $status->finish; $mail->finish;
    push @ms, 1000 * (clock() - $before) if $n++ >= $warm;
}
print '[', join(',', @ms), ']';
"""


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        timed("compile", given.rules, Path(folder))
        ruleset = timed("load from the cache", given.rules, Path(folder))
    gc.freeze()  # All three as a worker does.
    gc.set_threshold(supervisor.COLLECT_AFTER)
    huge_pages.gather()
    paths = sorted(p for p in given.corpus.rglob("*") if p.is_file())[:: given.every]
    raws = [path.read_bytes() for path in paths]
    measured(raws, lambda raw: ruleset.evaluate(message.parse(raw), time.time()))
    show("parse", measured(raws, prepare))
    here = show(
        "parse + rules", measured(raws, lambda raw: ruleset.evaluate(message.parse(raw), time.time()))
    )
    print(f"resident memory: {resident():.0f} MB")
    if given.perl:
        there = show("Mail::SpamAssassin", in_perl(given.rules, paths))
        print(f"ratio: {there / here:.0f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, action="append", default=[])
    parser.add_argument("--every", type=int, default=10, help="take each Nth message")
    parser.add_argument("--perl", action="store_true", help="compare with Mail::SpamAssassin")
    return parser.parse_args()


def timed(title: str, rules: list[Path], cache: Path) -> RuleSet:
    wall, cpu = time.perf_counter(), time.process_time()
    ruleset = load(rules, shipped=not rules, cache_dir=cache)
    print(f"{title}: {time.perf_counter() - wall:.2f} s, {time.process_time() - cpu:.2f} s CPU")
    return ruleset


def prepare(raw: bytes) -> None:
    """The views that rules of every kind look at."""
    parsed = message.parse(raw)
    for view in ("body", "rawbody", "uris", "html", "relays", "parts"):
        getattr(parsed, view)


def measured(raws: list[bytes], examine: Callable[[bytes], object]) -> list[float]:
    """Milliseconds of CPU for each."""
    spent = []
    for raw in raws:
        before = time.process_time()
        examine(raw)
        spent.append(1000 * (time.process_time() - before))
    return spent


def show(title: str, spent: list[float]) -> float:
    """Prints the figures; gives the mean."""
    ordered = sorted(spent)
    p50, p95, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95, 0.99))
    mean = sum(spent) / len(spent)
    print(
        f"{title}: {len(spent)} messages, CPU ms a message:"
        f" mean {mean:.2f}, p50 {p50:.2f}, p95 {p95:.2f}, p99 {p99:.2f}"
    )
    return mean


def resident() -> float:
    """Of this process, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def in_perl(rules: list[Path], paths: list[Path], warm: int = 20) -> list[float]:
    """The same messages through Mail::SpamAssassin, but for the first, which warm it up."""
    default = ["/usr/share/spamassassin", "/etc/spamassassin"]
    rules_and_site = (list(map(str, rules)) + default[len(rules) :])[:2]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as listed:
        listed.writelines(f"{path}\n" for path in paths)
        listed.flush()
        done = subprocess.run(
            ["perl", "-e", _PERL, *rules_and_site, listed.name, str(warm)],
            capture_output=True,
            text=True,
            check=True,
        )
    found: list[float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
