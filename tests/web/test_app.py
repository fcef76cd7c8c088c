"""The page, health and figures, over real HTTP."""

import base64
import hashlib
import os
import re
import signal
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.installation import CLEAN, KILL, MARK, QUARANTINE

PATHS = ("/", "/healthz", "/readyz", "/metrics", "/nothing/here", "/%00", "/login/../x")


def samples(site):
    """Name and labels of each sample of /metrics -> value."""
    answer = site.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def until(look, within_s=10.0):
    """The first true value; what it was last when time is up."""
    end = time.monotonic() + within_s
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return seen


def children(site):
    """Process ids of the service's workers and its desk."""
    listed = subprocess.run(["pgrep", "-f", str(site.file)], capture_output=True, text=True).stdout.split()
    pids = [int(pid) for pid in listed]
    return [pid for pid in pids if _parent(pid) in pids]


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_strict_headers(site, path):
    headers = site.get(path).headers
    policy = headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert ("nosniff", "no-referrer", "no-store") == (
        headers["X-Content-Type-Options"],
        headers["Referrer-Policy"],
        headers["Cache-Control"],
    )
    assert headers["Server"] is None


def test_the_policy_allows_the_style_of_the_page_and_no_other(site):
    answer = site.get("/")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert [] == re.findall(r"<script|\sstyle=|\son\w+=|https?://", answer.text)


def test_a_path_that_is_not_there_is_404_and_a_method_that_is_not_allowed_405(site):
    assert 404 == site.get("/nothing/here").status
    assert 405 == site.get("/", method="POST").status


def test_health_and_readiness_are_a_word(site):
    for path in ("/healthz", "/readyz"):
        answer = site.get(path)

        assert (200, "ok\n") == (answer.status, answer.text)


def test_the_page_says_that_all_is_well_and_counts_fates(site):
    site.send(QUARANTINE)
    before = quarantined(site)
    site.send(QUARANTINE)
    answer = site.get("/")

    assert (200, "text/html; charset=utf-8") == (answer.status, answer.headers["Content-Type"])
    assert "All is well." in answer.text
    assert before + 1 == quarantined(site)


def quarantined(site):
    """The number beside the word on the page."""
    return int(re.search(r"<td>quarantine</td><td>([0-9,]+)</td>", site.get("/").text)[1].replace(",", ""))


def test_figures_are_the_sum_of_all_processes(site):
    """Two workers take connections in turns: the sum is right only when both are counted."""
    before = samples(site)
    for text in (CLEAN, MARK, QUARANTINE, KILL):
        for _ in range(5):
            site.send(text)
    after = samples(site)

    for action in ("deliver", "mark", "quarantine", "discard"):
        name = ("lazaret_copies_total", action)
        assert 5 == after[name] - before[name], action
    for name in ("lazaret_messages_total", "lazaret_message_seconds_count"):
        assert 20 == after[name,] - before[name,]
    assert after["lazaret_octets_total",] > before["lazaret_octets_total",]
    assert (2, 2) == (after["lazaret_workers",], after["lazaret_workers_up",])
    assert 1 == after["lazaret_next_hop_up",]


def test_the_histogram_grows_from_bucket_to_bucket(site):
    site.send(CLEAN)
    found = samples(site)
    buckets = [
        (float(name[1]), v) for name, v in found.items() if name[0] == "lazaret_message_seconds_bucket"
    ]

    assert sorted(buckets) == buckets
    assert sorted(v for _, v in buckets) == [v for _, v in buckets]
    assert buckets[-1] == (float("inf"), found["lazaret_message_seconds_count",])


def test_a_service_without_its_database_is_not_ready_and_says_why(own_site):
    aside = own_site.database.with_name("aside")
    own_site.database.rename(aside)
    answer = until(lambda: (a := own_site.get("/readyz")).status == 503 and a)

    assert answer
    assert answer.text.startswith("the database does not answer: ")
    assert "Not ready:" in own_site.get("/").text
    assert 200 == own_site.get("/healthz").status


def test_a_service_without_a_worker_is_not_ready_until_it_is_back(own_site):
    assert 200 == own_site.get("/readyz").status
    stopped = _stop_a_worker(own_site)
    try:
        answer = until(lambda: (a := own_site.get("/readyz")).status == 503 and a, 60)
        assert answer
        assert "1 of 2 workers are up\n" == answer.text
    finally:
        os.kill(stopped, signal.SIGCONT)

    assert until(lambda: own_site.get("/readyz").status == 200)


def _stop_a_worker(site):
    """Stops the first child that is not the desk, which answers us; its pid."""
    for pid in children(site):
        os.kill(pid, signal.SIGSTOP)
        try:
            site.get("/healthz", within_s=1)
        except TimeoutError:
            os.kill(pid, signal.SIGCONT)
            continue
        return pid
    raise AssertionError("no worker was found")
