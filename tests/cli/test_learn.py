"""Teaching on the command line, with and without a running service."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.learn.mail import mail
from tests.support.installation import ANN, BOB, MARK, QUARANTINE, Installation, hop_beside
from tests.support.next_hop import Hop

EACH = 60


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `spam` and `ham`, and a Maildir and an mbox of each."""
    folder = tmp_path_factory.mktemp("mails")
    for kind in ("spam", "ham"):
        (folder / kind).mkdir()
        for seed in range(EACH):
            (folder / kind / f"{seed:03}").write_bytes(mail(kind, seed))
    return folder


@pytest.fixture
def school(bare: Installation) -> Installation:
    """An installation with a database and without a service."""
    bare.output("db", "init")
    return bare


def counts(place: Installation) -> tuple[int, int, int]:
    """Taught as spam and as ham, and what the model is behind."""
    (facts,) = place.rows("learn", "status", "--json")
    return facts["spam"], facts["ham"], facts["to_be_learned"]


def symbols(place: Installation, octets: bytes, *options: str) -> dict[str, dict]:
    (row,) = place.rows("scan", *options, stdin=octets)
    return {hit["symbol"]: hit for hit in row["hits"]}


def test_what_was_taught_without_a_service_is_known_to_the_next_scan(school, mails):
    said = school.output("learn", "spam", mails / "spam")
    (row,) = school.rows("learn", "ham", mails / "ham", "--json")

    assert f"{EACH} messages taught as spam: {EACH} new\n" == said
    assert {"label": "ham", "messages": EACH, "new": EACH} == {
        k: row[k] for k in ("label", "messages", "new")
    }
    assert (EACH, EACH, 0) == counts(school)
    spam, ham = symbols(school, mail("spam", 999)), symbols(school, mail("ham", 999))
    assert 0 < spam["BAYES_SPAM"]["score"] < 5
    assert ham["BAYES_HAM"]["score"] < 0
    assert spam["BAYES_SPAM"]["detail"].startswith("towards spam: ")
    assert "; towards ham: " in ham["BAYES_HAM"]["detail"] or "towards ham" in ham["BAYES_HAM"]["detail"]


def test_no_learn_and_the_configuration_leave_the_learner_out(school, mails):
    school.output("learn", "spam", mails / "spam")
    school.output("learn", "ham", mails / "ham")

    assert "BAYES_SPAM" in symbols(school, mail("spam", 999))
    assert "BAYES_SPAM" not in symbols(school, mail("spam", 999), "--no-learn")
    assert "BAYES_SPAM" not in symbols(school, mail("spam", 999), "--set", "learn.enabled=false")
    assert "learn.enabled is false" in school.output("learn", "status", "--set", "learn.enabled=false")


def test_stdin_an_mbox_and_messages_of_the_quarantine_are_taught(house, tmp_path):
    place = house.lazaret
    spam = place.output("learn", "spam", "-", stdin=b"Subject: from stdin\n\nbuy\n")
    box = tmp_path / "box"
    box.write_bytes(
        b"From a@b.example Mon Jan  1 10:00:00 2024\nSubject: a\n\nx\n\n"
        b"From a@b.example Mon Jan  1 10:00:00 2024\nSubject: b\n\ny\n"
    )
    ham = place.output("learn", "ham", box)
    mail_id = place.send_found(QUARANTINE, subject="learn by id")
    by_id = place.output("learn", "spam", "--id", mail_id)
    again = place.output("learn", "spam", "--id", mail_id)
    moved = place.output("learn", "ham", "--id", mail_id)

    assert "1 messages taught as spam: 1 new\n" == spam
    assert "2 messages taught as ham: 2 new\n" == ham
    assert "1 messages taught as spam: 1 new\n" == by_id
    assert "1 messages taught as spam: 1 known already\n" == again
    assert "1 messages taught as ham: 1 taught the other way before\n" == moved


def test_what_cannot_be_taught_is_said(school, bare, house):
    assert 64 == school.run("learn", "spam").returncode
    missing = school.run("learn", "spam", "nowhere")
    assert (66, b"lazaret: there is no nowhere\n") == (missing.returncode, missing.stderr)
    assert 66 == house.lazaret.run("learn", "ham", "--id", "nobodyknows1").returncode
    stranger = school.run("learn", "spam", "--user", ANN, "-", stdin=b"Subject: x\n\n")
    assert 77 == stranger.returncode
    assert b"was not examined here for ann@home.example" in stranger.stderr


def test_teaching_needs_a_database(tmp_path):
    done = Installation(tmp_path).run("learn", "spam", "-", stdin=b"Subject: x\n\n")

    assert 66 == done.returncode
    assert b"lazaret db init" in done.stderr


def test_lessons_are_taken_back(school, mails):
    school.output("learn", "spam", mails / "spam", mails / "ham")
    assert (2 * EACH, 0, 0) == counts(school)

    assert f"{EACH} lessons forgotten\n" == school.output("forget", mails / "ham")
    assert (EACH, 0, 0) == counts(school)
    who = school.query("SELECT who FROM lz_learned WHERE label = 'S'")[0][0]
    (row,) = school.rows("learn", "forget", "--who", who, "--since", "1h", "--json")
    assert {"forgotten": EACH} == row
    assert (0, 0, 0) == counts(school)
    assert 64 == school.run("forget").returncode


def test_a_release_can_teach(house):
    place = house.lazaret
    mail_id = place.send_found(QUARANTINE, subject="release and learn")
    place.output("release", mail_id, "--learn-ham")

    rows = place.query("SELECT label, who FROM lz_learned WHERE mail_id = ?", mail_id)
    assert ["H"] == [label for label, _ in rows]
    assert rows[0][1].startswith("cli:")


def test_a_release_that_reached_nobody_teaches_nothing(house):
    place = house.lazaret
    mail_id = place.send_found(QUARANTINE, subject="release refused, not learned")
    house.hop.rcpt[ANN] = "550 5.1.1 no such user"
    place.run("release", mail_id, "--learn-ham")
    house.hop.rcpt.clear()

    assert [] == place.query("SELECT label FROM lz_learned WHERE mail_id = ?", mail_id)


@pytest.fixture(scope="module")
def serving(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], mails: Path
) -> Iterator[tuple[Installation, Hop]]:
    """A service that was taught while it ran."""
    with hop_beside() as hop:
        home = tmp_path_factory.mktemp("serving")
        place = Installation(home, next_hop=hop.at.endpoint.port, smtp=free_port(), http=free_port())
        with place.service():
            place.output("learn", "spam", mails / "spam")
            place.output("learn", "ham", mails / "ham")
            yield place, hop


def test_a_running_service_has_learned_when_the_command_is_over(serving):
    place, _ = serving

    assert (EACH, EACH, 0) == counts(place)


def test_workers_know_it_and_show_says_it_in_words(serving):
    place, _ = serving
    text = mail("spam", 999).decode().partition("\n\n")[2].replace("\n", "\r\n")
    mail_id = place.send_found(f"{text} {QUARANTINE}", subject="cash prize offer")
    shown = place.output("show", mail_id)

    assert "BAYES_SPAM  Resembles what was learned as spam here" in shown
    (words,) = [line for line in shown.splitlines() if line.startswith(" " * 13 + "towards spam: ")]
    assert "links (" in words
    (row,) = place.rows("find", "subject:prize", "--json")
    assert "BAYES_SPAM" in row["symbols"]


def test_a_user_teaches_what_was_delivered_to_him(serving):
    place, hop = serving
    place.send(MARK, ANN, subject="for the user")
    end = time.monotonic() + 10
    while not place.query("SELECT 1 FROM msgs WHERE subject = 'for the user'"):
        assert time.monotonic() < end
    (octets,) = [o for o in hop.of(ANN) if b"for the user" in o]

    assert "1 new" in place.output("learn", "spam", "--user", ANN, "-", stdin=octets)
    assert 77 == place.run("learn", "spam", "--user", BOB, "-", stdin=octets).returncode
    assert [("user:ann@home.example",)] == place.query("SELECT who FROM lz_learned WHERE who LIKE 'user:%'")
