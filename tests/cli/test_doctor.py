"""`lazaret doctor`, on what the real postconf(1) says of the documented blocks, whole and spoilt."""

import json
import shutil

import pytest
from tests.e2e import documented

needs_postfix = pytest.mark.skipif(not shutil.which("postconf"), reason="needs the package postfix")

SETUPS = [
    ("after-queue-lmtp", "submission-after-queue"),
    ("after-queue-smtp", "submission-before-queue"),
    ("before-queue", "submission-before-queue"),
]
MAIN = "compatibility_level = 3.6\nmyhostname = mx.example.org\nsmtpd_milters = inet:127.0.0.1:8891\n"
MASTER = "smtp inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"
OURS = """\
[listen]
originating = ["127.0.0.1:10026"]
before_queue = ["127.0.0.1:10027"]
"""


class Place:
    """A configuration of Postfix, and a Lazaret that fits to it."""

    def __init__(self, home, setup):
        self.home = home
        self.main = MAIN + documented.blocks("main.cf", *setup)
        blocks = documented.blocks("master.cf", *setup)
        self.master = (MASTER if "\nsmtp " not in blocks else MASTER.partition("\n")[2]) + blocks
        self.ours = OURS

    def diagnose(self, bare):
        """Exit status and findings."""
        (self.home / "main.cf").write_text(self.main)
        (self.home / "master.cf").write_text(self.master)
        config = self.home / "lazaret.toml"
        config.write_text(self.ours)
        bare.file = config
        done = bare.run("doctor", "--postfix", self.home, "--json")
        assert b"" == done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(params=SETUPS, ids="+".join)
def any_place(request, tmp_path):
    (tmp_path / "etc").mkdir()
    return Place(tmp_path / "etc", request.param)


@pytest.fixture
def after(tmp_path):
    (tmp_path / "etc").mkdir()
    return Place(tmp_path / "etc", SETUPS[0])


@pytest.fixture
def before(tmp_path):
    (tmp_path / "etc").mkdir()
    return Place(tmp_path / "etc", SETUPS[2])


@needs_postfix
def test_nothing_is_wrong_with_what_is_documented(any_place, bare):
    assert (0, []) == any_place.diagnose(bare)


def problems(place, bare):
    status, found = place.diagnose(bare)
    return status, {(one["severity"], one["problem"], one["where"]) for one in found}


@needs_postfix
@pytest.mark.parametrize(
    ("old", "new", "status", "problem"),
    [
        ("  -o content_filter=\n", "", 2, ("error", "loop", "master.cf 127.0.0.1:10025")),
        ("\n127.0.0.1:10025 inet", "\n127.0.0.1:10099 inet", 2, ("error", "nobody-listens", "master.cf")),
        ("\n127.0.0.1:10025 inet", "\n10025 inet", 0, None),
        ("\nlazaret   unix", "\nother unix", 2, ("error", "no-transport", "master.cf")),
        ("  -o lmtp_send_xforward_command=yes\n", "", 1, ("warning", "xforward", "master.cf lazaret")),
        ("  -o lmtp_data_done_timeout=1200s\n", "", 1, ("warning", "timeout", "master.cf lazaret")),
        ("smtpd\n  -o content_filter=lazaret:[127.0.0.1]:10026\n", "smtpd\n", 1,
         ("warning", "submission", "master.cf submission")),
        ("no_header_body_checks,no_milters", "no_header_body_checks", 1,
         ("warning", "milters", "master.cf 127.0.0.1:10025")),
        ("no_header_body_checks,no_milters", "no_milters,no_address_mappings", 2,
         ("error", "no-expansion", "master.cf 127.0.0.1:10025")),
        ("smtpd\n  -o syslog_name=postfix/filtered\n  -o content_filter=\n",
         "smtpd\n  -o content_filter=\n  -o message_size_limit=$extra\n", 0, None),
    ],
)  # fmt: skip
def test_a_spoilt_line_of_master_cf_is_found(old, new, status, problem, after, bare):
    assert old in after.master
    after.master = after.master.replace(old, new)

    assert (status, {problem} if problem else set()) == problems(after, bare)


@needs_postfix
@pytest.mark.parametrize(
    ("old", "new", "status", "problem"),
    [
        ("content_filter = lazaret:[127.0.0.1]:10024\n", "", 1, ("warning", "no-feed", "main.cf")),
        ("content_filter = lazaret:[127.0.0.1]:10024", "content_filter = lazaret:[127.0.0.1]:10027", 2,
         ("error", "role", "master.cf smtp")),
        ("receive_override_options = no_address_mappings\n", "", 2, ("error", "double-expansion", "main.cf")),
        ("lazaret_destination_recipient_limit = 1000\n", "", 0, ("note", "recipients", "main.cf")),
    ],
)  # fmt: skip
def test_a_spoilt_line_of_main_cf_is_found(old, new, status, problem, after, bare):
    assert old in after.main
    after.main = after.main.replace(old, new)
    found_status, found = problems(after, bare)

    assert status == found_status
    assert problem is None or problem in found


@needs_postfix
def test_a_size_limit_on_the_way_back_is_found_for_smtpd_and_for_cleanup(after, bare):
    after.master = after.master.replace("  -o message_size_limit=0\n", "")

    assert (
        1,
        {("warning", "size", "master.cf 127.0.0.1:10025"), ("warning", "size", "master.cf filtered-cleanup")},
    ) == problems(after, bare)


@needs_postfix
def test_mail_that_we_refuse_for_its_size_after_postfix_took_it_is_found(after, bare):
    after.ours += "[limits]\nmessage_size = 1000000\n"

    assert (1, {("warning", "size", "lazaret.toml")}) == problems(after, bare)


@needs_postfix
def test_a_way_back_that_anybody_reaches_is_an_error(after, bare):
    after.master = after.master.replace("\n127.0.0.1:10025 inet", "\n10025 inet").replace(
        "  -o smtpd_client_restrictions=permit_mynetworks,reject\n", ""
    )

    assert (2, {("error", "open-listener", "master.cf 10025")}) == problems(after, bare)


@needs_postfix
def test_a_listener_of_ours_that_lets_anybody_in_is_an_error(after, bare):
    after.ours = OURS.replace("[listen]", '[listen]\nsmtp = ["0.0.0.0:10024"]\nclients = ["0.0.0.0/0"]')
    after.ours += '[service]\nuser = "nobody"\n'

    assert (2, {("error", "open-listener", "lazaret.toml")}) == problems(after, bare)


@needs_postfix
def test_a_proxy_that_reaches_the_listener_after_the_queue_is_found(before, bare):
    before.master = before.master.replace(
        "smtpd_proxy_filter=127.0.0.1:10027", "smtpd_proxy_filter=127.0.0.1:10024"
    )

    assert (1, {("warning", "role", "master.cf smtp")}) == problems(before, bare)


@needs_postfix
def test_aliases_that_are_expanded_nowhere_before_the_queue_are_found(before, bare):
    before.master = before.master.replace(
        "receive_override_options=no_milters", "receive_override_options=no_milters,no_address_mappings"
    )

    assert (2, {("error", "no-expansion", "master.cf 127.0.0.1:10025")}) == problems(before, bare)


@needs_postfix
def test_the_lines_it_says_to_write_put_it_right(after, bare):
    after.master = after.master.replace("  -o content_filter=\n", "").replace(
        "  -o lmtp_send_xforward_command=yes\n", ""
    )
    _, found = after.diagnose(bare)
    for one in found:
        service = one["where"].removeprefix("master.cf ")
        lines = after.master.splitlines(keepends=True)
        place = next(i for i, line in enumerate(lines) if line.startswith(f"{service} "))
        lines[place + 1 : place + 1] = [f"  {line}\n" for line in one["write"]]
        after.master = "".join(lines)

    assert {"loop", "xforward"} == {one["problem"] for one in found}
    assert (0, []) == after.diagnose(bare)


@needs_postfix
def test_people_are_told_the_road_and_the_lines(after, bare):
    after.master = after.master.replace("  -o content_filter=\n", "")
    after.diagnose(bare)
    done = bare.run("doctor", "--postfix", after.home)

    assert 2 == done.returncode
    assert "in: smtp (smtpd) -> listen.smtp (content_filter, transport lazaret)" in done.stdout.decode()
    assert "  in master.cf 127.0.0.1:10025 write:\n    -o content_filter=\n" in done.stdout.decode()


@needs_postfix
def test_a_directory_without_a_postfix_is_an_error(bare, tmp_path):
    done = bare.run("doctor", "--postfix", tmp_path / "absent")

    assert 78 == done.returncode
    assert b"No such file" in done.stderr


def test_a_machine_without_postfix_says_so(bare, tmp_path, monkeypatch):
    from lazaret.cli import doctor
    from lazaret.model.errors import UserError

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "PLACES", str(tmp_path))
    with pytest.raises(UserError) as caught:
        doctor.read_postfix(None)

    assert 69 == caught.value.exit_code
