"""Options that are fine alone and impossible together."""

import os
import pwd

import pytest

ROOT = 0
PAGE = '[listen]\nhttp = "0.0.0.0:80"\n[web]\nproxies = ["192.0.2.8"]\n'
OPEN = '[listen]\nsmtp = ["192.0.2.1:10024"]\n'


@pytest.fixture
def somebody():
    """A user of this machine who is not root."""
    return next(entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0)


def test_mark_above_quarantine_is_an_error(errors):
    assert [
        "lazaret.toml:2: levels.mark = 6.0 is above levels.quarantine = 5.0; "
        "nothing would ever be marked, write mark <= quarantine"
    ] == errors("[levels]\nmark = 6\n")


def test_quarantine_above_kill_is_an_error_at_the_line_that_was_written(errors):
    assert [
        "lazaret.toml:2: levels.quarantine = 5.0 is above levels.kill = 4.5; "
        "nothing would ever be quarantined, write quarantine <= kill"
    ] == errors("[levels]\nkill = 4.5\n")


def test_equal_levels_are_allowed(read):
    assert 5.0 == read("[levels]\nmark = 5\nkill = 5\n").levels.kill


def test_a_value_that_cannot_be_read_causes_no_second_error(errors):
    assert 1 == len(errors('[levels]\nquarantine = "ten"\nmark = 7\nkill = 12\n'))


def test_a_listener_for_others_needs_to_know_its_clients(errors):
    assert [
        "lazaret.toml:2: listen.smtp: 192.0.2.1:10024 is reachable from other machines; "
        "write in listen.clients who may use it"
    ] == errors(OPEN)


def test_a_listener_for_others_with_clients_is_allowed(read):
    assert read(OPEN + 'clients = ["192.0.2.0/24"]\n').listen.clients


def test_an_empty_list_of_clients_is_not_enough(errors):
    assert 1 == len(errors(OPEN + "clients = []\n"))


@pytest.mark.parametrize("address", ["127.0.0.2:1", "[::1]:1", "localhost:1", "unix:sock"])
def test_a_listener_on_loopback_needs_nothing(read, address):
    assert read(f'[listen]\nsmtp = ["{address}"]\n')


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "mail.example.org:1"])
def test_an_address_that_may_be_reached_from_outside_is_no_loopback(errors, address):
    assert 1 == len(errors(f'[listen]\nampdp = ["{address}"]\n'))


def test_the_web_page_asks_for_a_login_and_needs_no_clients(read):
    assert read(PAGE)


def test_the_web_page_is_open_to_others_by_tls_or_through_a_proxy_alone(read, errors):
    open_page = '[listen]\nhttp = "0.0.0.0:80"\n'

    [line] = errors(open_page)
    assert "web.tls_certificate" in line
    assert "web.proxies" in line
    assert read(open_page + '[web]\ntls_certificate = "page.pem"\n')


@pytest.mark.skipif(os.geteuid() != ROOT, reason="the data directory must belong to root")
def test_root_listens_for_nobody_else(errors):
    assert [
        "lazaret.toml:2: listen.http: 0.0.0.0:80 is reachable from other machines, and the service would run "
        "as root; set service.user, or listen on 127.0.0.1"
    ] == errors(PAGE, euid=ROOT)


def test_root_that_becomes_somebody_may_listen_for_others(read, somebody):
    assert read(PAGE, [f"service.user={somebody}"], euid=ROOT)


@pytest.mark.skipif(os.geteuid() != ROOT, reason="only root can give a directory away")
def test_root_becomes_the_owner_of_the_data_directory(read, tmp_path):
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 1234, 1234)

    assert read(PAGE + '[store]\ndata_dir = "state"\n', euid=ROOT)


def test_root_cannot_become_a_user_that_there_is_not(errors):
    assert ['lazaret.toml:2: service.user: there is no user "nobody-at-all" on this machine'] == errors(
        '[service]\nuser = "nobody-at-all"\n', euid=ROOT
    )


def test_two_listeners_cannot_share_an_address(errors):
    text = '[listen]\nsmtp = ["127.0.0.1:1"]\noriginating = ["127.0.0.1:1"]\n'

    assert ["lazaret.toml:3: listen.originating: 127.0.0.1:1 is also in listen.smtp"] == errors(text)


def test_ports_that_the_system_chooses_never_clash(read):
    assert read('[listen]\nsmtp = ["127.0.0.1:0"]\noriginating = ["127.0.0.1:0"]\n')


def test_mail_is_not_sent_back_to_ourselves(errors):
    text = '[relay]\nnext_hop = "smtp:[127.0.0.1]:10024"\n'

    assert [
        "lazaret.toml:2: relay.next_hop: smtp:[127.0.0.1]:10024 is Lazaret itself; mail would go in circles"
    ] == errors(text)


def test_rules_must_be_where_they_are_said_to_be(errors, tmp_path):
    assert ["lazaret.toml:2: rules.paths: there is no missing.cf"] == errors(
        '[rules]\npaths = ["missing.cf"]\n'
    )


def test_digests_need_to_know_whose_they_are_and_where_they_lead(errors, read):
    enabled = "[digest]\nenabled = true\n"
    assert [
        "lazaret.toml:2: digest.enabled: digests go to our own people only; "
        "write in local.domains which those are",
        "lazaret.toml:2: digest.enabled: digests lead to the web page; "
        "write in web.url where people reach it",
    ] == errors(enabled)
    ours = '[local]\ndomains = ["home.example"]\n[web]\nurl = "https://q.example.org/mail"\n'
    assert read(enabled + ours).digest.enabled
    # The page may be served by another host with the same database.
    assert read(f'[listen]\nhttp = ""\n{enabled}{ours}').digest.enabled
