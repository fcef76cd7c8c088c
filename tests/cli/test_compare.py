"""`lazaret compare`: our verdicts beside those of another filter, of files and of what was observed."""

import json

import pytest
from tests.support.installation import CLEAN, KILL, MARK, Installation, hop_beside, message
from tests.support.ports import free_ports

AMAVIS_SPAM = "X-Spam-Status: Yes, score=7.5 tagged_above=-999 required=6.31\r\n"
AMAVIS_CLEAN = "X-Spam-Status: No, score=1.5 tagged_above=-999 required=6.31\r\n"
RSPAMD_SPAM = "X-Rspamd-Action: add header\r\nX-Spamd-Result: default: False [7.10 / 15.00];\r\n"


@pytest.fixture(scope="module")
def observing(tmp_path_factory):
    """A service in mode "observe", and its next hop."""
    with hop_beside() as hop:
        smtp, http = free_ports(2)
        lazaret = Installation(
            tmp_path_factory.mktemp("observing"), next_hop=hop.at.endpoint.port, smtp=smtp, http=http
        )
        lazaret.file.write_text('mode = "observe"\n' + lazaret.file.read_text())
        with lazaret.service():
            yield lazaret, hop


def test_what_is_observed_passes_unchanged_and_is_compared(observing):
    lazaret, hop = observing
    ids = {
        name: lazaret.send_found(text, subject=name, header=header)
        for name, text, header in (
            ("both", KILL, AMAVIS_SPAM),
            ("neither", CLEAN, AMAVIS_CLEAN),
            ("we alone", KILL, AMAVIS_CLEAN),
            ("they alone", CLEAN, AMAVIS_SPAM),
            ("rspamd alone", CLEAN, RSPAMD_SPAM),
            ("nobody asked", MARK, ""),
        )
    }
    *differing, last = lazaret.rows("compare", "--json")

    assert {message(KILL, subject="we alone", header=AMAVIS_CLEAN)} <= {m.octets for m in hop.received}
    assert {
        (ids["we alone"], True, "amavis 1.5 of 6.31", False),
        (ids["they alone"], False, "amavis 7.5 of 6.31", True),
        (ids["rspamd alone"], False, "rspamd 7.1 of 15", True),
    } == {(row["message"], row["spam"], row["other"], row["other_spam"]) for row in differing}
    assert {
        "judged_by_both": 5,
        "both_spam": 1,
        "both_clean": 1,
        "only_lazaret_spam": 1,
        "only_other_spam": 2,
        "unjudged": 1,
    } == last["summary"]


def test_people_get_a_table_and_a_sentence(observing):
    lines = observing[0].output("compare").splitlines()

    assert ["MESSAGE", "LAZARET", "OTHER", "OUR", "SYMBOLS"] == lines[0].split()
    assert any("spam 12.0" in line and "TEST_KILL" in line for line in lines)
    assert lines[-1].startswith("5 judged by both: 1 spam for both, ")


def test_files_are_scored_and_compared(bare, tmp_path):
    (tmp_path / "a.eml").write_bytes(message(KILL, header=AMAVIS_CLEAN))
    (tmp_path / "b.eml").write_bytes(message(CLEAN, header=AMAVIS_CLEAN))
    (tmp_path / "c.eml").write_bytes(message(CLEAN))
    *differing, last = bare.rows("compare", "--json", *sorted(tmp_path.glob("*.eml")))

    assert [(str(tmp_path / "a.eml"), 12.0, True, False)] == [
        (row["message"], row["score"], row["spam"], row["other_spam"]) for row in differing
    ]
    assert (1, 1, 1) == (
        last["summary"]["only_lazaret_spam"],
        last["summary"]["both_clean"],
        last["summary"]["unjudged"],
    )


def test_a_file_that_is_missing_is_an_error_and_the_rest_is_compared(bare, tmp_path):
    (tmp_path / "a.eml").write_bytes(message(KILL, header=AMAVIS_CLEAN))
    done = bare.run("compare", "--json", "absent", tmp_path / "a.eml")

    assert 66 == done.returncode
    assert 1 == json.loads(done.stdout.splitlines()[-1])["summary"]["only_lazaret_spam"]
