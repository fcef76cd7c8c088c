"""Points that a message, a release, a purge and a snapshot come to, where a test can kill or hold them."""

POINTS = """
import asyncio, os, signal, time
from pathlib import Path
from lazaret.flow import expire, learner
from lazaret.flow.deliver import Courier
from lazaret.flow.filter import Filter
from lazaret.learn import model_file
from lazaret.net.relay import Relay
from lazaret.store.journal import SqlJournal
from lazaret.store.quarantine import SqlQuarantine
from lazaret.store.retention import SqlRetention

FOLDER = Path(sys.argv[1]).parent

def dies_at(point):
    try:
        os.unlink(FOLDER / f"die-{point}")
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

def is_held_at(point):
    if not (FOLDER / f"hold-{point}").exists():
        return False
    if not (FOLDER / f"held-{point}").exists():
        (FOLDER / f"held-{point}").touch()
    return True

async def comes_to(point):
    dies_at(point)
    while is_held_at(point):
        await asyncio.sleep(0.01)

def stands_at(point):
    dies_at(point)
    while is_held_at(point):
        time.sleep(0.01)

def between(owner, name, before="", after=""):
    original = getattr(owner, name)
    async def wrapped(*arguments, **keywords):
        await comes_to(before)
        result = await original(*arguments, **keywords)
        await comes_to(after)
        return result
    setattr(owner, name, wrapped)

between(Filter, "_examine_and_deliver", before="before-examination")
between(SqlJournal, "keep", before="before-quarantine", after="after-quarantine")
between(Relay, "send", before="before-next-hop", after="after-next-hop")
between(Filter, "_write", before="before-history", after="before-reply")
between(SqlQuarantine, "claim", before="before-claim", after="after-claim")
between(SqlQuarantine, "settle", before="before-settling", after="after-settling")

sends = Courier._send

async def sends_group(self, arrival, octets, recipients, outcome):
    if outcome.queued_as:
        await comes_to("between-groups")
    await sends(self, arrival, octets, recipients, outcome)

Courier._send = sends_group

removed = SqlRetention._removed

async def removes(*arguments):
    await comes_to("before-purging")
    async for count in removed(*arguments):
        await comes_to("after-purging")
        yield count

SqlRetention._removed = removes
expire.BATCH = 2

learner.SNAPSHOT_LESSONS = 5
fsync = os.fsync

def syncs(descriptor):
    stands_at("before-file-is-whole")
    fsync(descriptor)
    stands_at("before-file-takes-its-place")

class OfModelFiles:
    def __getattr__(self, name):
        return syncs if name == "fsync" else getattr(os, name)

model_file.os = OfModelFiles()
"""
"""Run in the service: whoever comes to a point where `die-POINT` lies takes the file away and dies, and waits
as long as `hold-POINT` lies there."""
POINTS_OF_THE_ROAD = (
    "before-examination",
    "before-quarantine",
    "after-quarantine",
    "before-next-hop",
    "after-next-hop",
    "between-groups",
    "before-history",
    "before-reply",
)
"""In the order of the road; `between-groups`: some recipients' copies are sent, others not."""
