"""One message in words, and its octets."""

import json

from tests.support.installation import ANN, BOB, CLEAN, QUARANTINE, SENDER, message, message_id


def test_it_says_why_a_message_is_here_and_who_it_is_for(house):
    mail_id = house.lazaret.send_found(QUARANTINE, ANN, BOB, subject="show words")
    lines = house.lazaret.output("show", mail_id).splitlines()

    assert [f"{mail_id}", "quarantined"] == [lines[0].split()[0], lines[0].split()[-1]]
    assert "Subject:  show words" in lines
    assert f"From:     Sender <{SENDER}>  (envelope <{SENDER}>)" in lines
    assert f"  {ANN}, {BOB}: score 6.0 is 1.0 above the quarantine level 5.0." in lines
    assert (
        "   +6.000  TEST_QUAR  A word of the tests that is worth the quarantine: quarantine-me-please"
        in lines
    )
    assert f"  {ANN}: quarantined" in lines[lines.index("Recipients") + 1]
    assert f"  {BOB}: quarantined" in lines[lines.index("Recipients") + 2]
    assert ["Text", f"  {QUARANTINE}"] == lines[-2:]


def test_raw_is_the_message_octet_by_octet(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="show raw", header="X-Odd: caf\udce9 \x01\r\n")
    octets = message(QUARANTINE, subject="show raw", header="X-Odd: caf\udce9 \x01\r\n")

    assert octets == house.lazaret.run("show", mail_id, "--raw").stdout
    assert octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" == (
        house.lazaret.run("show", "--headers", mail_id).stdout
    )


def test_a_delivered_message_has_a_history_but_no_text(house):
    mail_id = house.lazaret.send_found(CLEAN, subject="show delivered")
    printed = house.lazaret.output("show", mail_id)
    done = house.lazaret.run("show", mail_id, "--raw")

    assert f"{ANN}: delivered" in printed
    assert "Score 0.0 is below the mark level 3.0." in printed
    assert (66, b"") == (done.returncode, done.stdout)
    assert (
        f"lazaret: {mail_id}: its text is not in the quarantine, only its history\n" == done.stderr.decode()
    )


def test_json_tells_reasons_hits_and_releases(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="show json")
    house.lazaret.output("release", mail_id)
    facts = json.loads(house.lazaret.output("show", mail_id, "--json"))

    assert (mail_id, "released", message_id("show json")) == (
        facts["id"],
        facts["state"],
        facts["message_id"],
    )
    assert [("TEST_QUAR", 6.0)] == [(h["symbol"], h["score"]) for h in facts["hits"]]
    assert ["score 6.0 is 1.0 above the quarantine level 5.0"] == [r["reason"] for r in facts["recipients"]]
    assert [(ANN, "sent")] == [(r["to"], r["state"]) for r in facts["releases"]]


def test_a_long_text_is_shown_in_part(house):
    text = QUARANTINE + "\r\n" + "\r\n".join(f"line {n} {'x' * 400}" for n in range(100))
    mail_id = house.lazaret.send_found(text, subject="show long")
    lines = house.lazaret.output("show", mail_id).splitlines()

    assert "  … 71 more lines; --raw prints all" == lines[-1]
    assert 202 == max(map(len, lines))


def test_hostile_text_and_attachment_names_cannot_drive_the_terminal(house):
    header = 'Content-Type: text/plain; name="a\x1b[2J.txt"\r\nContent-Disposition: attachment\r\n'
    mail_id = house.lazaret.send_found(
        f"{QUARANTINE} \x1b[2J\x9b\u202e", subject="show hostile", header=header
    )
    printed = house.lazaret.output("show", mail_id)

    assert [] == [c for c in printed if not c.isprintable() and c != "\n"]


def test_an_unknown_id_is_no_message(house):
    done = house.lazaret.run("show", "nobodyknows1")

    assert (66, b"lazaret: no message nobodyknows1\n") == (done.returncode, done.stderr)


def test_who_reads_a_text_is_written_down(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="show audit")
    house.lazaret.run("show", mail_id, "--raw", environment={"SUDO_USER": "carol"})

    assert [("cli:carol", "read")] == house.lazaret.query(
        "SELECT who, act FROM lz_audit WHERE mail_id = ?", mail_id
    )
