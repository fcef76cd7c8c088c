"""Deleting, and taking it back."""

from tests.support.installation import QUARANTINE


def test_a_deleted_message_is_found_by_its_state_only_until_it_is_undeleted(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="deletion one")

    assert "" == house.lazaret.output("delete", mail_id)
    assert "0\n" == house.lazaret.output("find", "--count", 'subject:"deletion one"')
    assert [mail_id] == [
        row["id"] for row in house.lazaret.rows("find", "--json", "state:deleted", 'subject:"deletion one"')
    ]

    assert "" == house.lazaret.output("undelete", mail_id)
    assert "1\n" == house.lazaret.output("find", "--count", 'subject:"deletion one"')


def test_an_unknown_id_does_not_keep_the_others_from_being_deleted(house):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="deletion two")
    done = house.lazaret.run("delete", "nobodyknows1", mail_id)

    assert (66, b"lazaret: no message nobodyknows1\n") == (done.returncode, done.stderr)
    assert "0\n" == house.lazaret.output("find", "--count", 'subject:"deletion two"')
