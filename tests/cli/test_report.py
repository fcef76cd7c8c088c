"""The report of the quarantine, per recipient."""

from tests.support.installation import ANN, BOB, QUARANTINE


def test_it_names_recipient_sender_subject_and_how_to_release(house):
    carl = "report.carl@home.example"  # nobody else in this house gets mail under this name
    mail_id = house.lazaret.send_found(QUARANTINE, carl, subject="report bob")
    lines = house.lazaret.output("report", "--mail", carl).splitlines()

    assert f"{carl}: 1 message quarantined" == lines[0]
    assert lines[1].startswith("     6.0  ")
    assert lines[1].endswith("Sender <sender@out.example>")
    assert ["          report bob", f"          lazaret release {mail_id}"] == lines[2:]


def test_it_tells_of_everybody_without_an_address(house):
    house.lazaret.send_found(QUARANTINE, ANN, subject="report ann")
    house.lazaret.send_found(QUARANTINE, BOB, subject="report both")
    printed = house.lazaret.output("report", "--since", "1h")

    assert printed.index(f"{ANN}: ") < printed.index(f"{BOB}: ")


def test_nothing_to_tell_is_nothing_said(house):
    assert "" == house.lazaret.output("report", "--mail", "nobody@home.example")


def test_what_was_released_is_not_told_again(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="report released")
    house.lazaret.output("release", mail_id)

    assert mail_id not in house.lazaret.output("report")
