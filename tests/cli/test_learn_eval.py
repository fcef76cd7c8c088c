"""`lazaret learn eval`: a stream of labelled mail, and how well it was told apart."""

import pytest
from tests.learn.mail import mail

KEYS = [
    "messages",
    "ham",
    "spam",
    "roca_pct",
    "sm_at_hm_0_1_pct",
    "sm_at_hm_0_5_pct",
    "ms_classify",
    "ms_learn",
]


@pytest.fixture
def index(tmp_path):
    """Sixty messages in turns, and a line of another label."""
    lines = ["test\tnothing.eml"]
    for n in range(30):
        for kind in ("spam", "ham"):
            (tmp_path / f"{kind}{n}.eml").write_bytes(mail(kind, n))
            lines.append(f"{kind}\t{kind}{n}.eml")
    (tmp_path / "INDEX.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path / "INDEX.tsv"


def test_the_json_has_the_promised_keys(bare, index):
    (row,) = bare.rows("learn", "eval", "--index", str(index), "--json")

    assert KEYS == list(row)
    assert (60, 30, 30) == (row["messages"], row["ham"], row["spam"])
    assert row["roca_pct"] < 20
    assert row["ms_classify"] > 0 < row["ms_learn"]


def test_the_same_trial_gives_the_same_figures(bare, index):
    options = (
        "learn",
        "eval",
        "--index",
        str(index),
        "--shuffle",
        "3",
        "--noise",
        "10%",
        "--delay",
        "5",
        "--json",
    )
    first, second = (bare.rows(*options)[0] for _ in range(2))

    assert [first[k] for k in KEYS[:6]] == [second[k] for k in KEYS[:6]]


def test_with_a_test_index_these_are_judged_after_all_is_learned(bare, index):
    (row,) = bare.rows("learn", "eval", "--index", str(index), "--test", str(index), "--json")

    assert (60, 0.0) == (row["messages"], row["roca_pct"])


def test_a_curve_has_a_row_for_each_point_that_leaves_enough(bare, index):
    rows = bare.rows("learn", "eval", "--index", str(index), "--curve", "10,40,50", "--strip-trace", "--json")

    assert [10, 40] == [row["learned"] for row in rows]
    assert [20, 20] == [row["messages"] for row in rows]


def test_a_table_is_for_people(bare, index):
    result = bare.run("learn", "eval", "--index", str(index))

    assert b"1-ROCA %" in result.stdout


def test_a_missing_message_is_named(bare, tmp_path):
    (tmp_path / "INDEX.tsv").write_text("spam gone.eml\n")
    result = bare.run("learn", "eval", "--index", str(tmp_path / "INDEX.tsv"))

    assert 66 == result.returncode
    assert b"gone.eml" in result.stderr


def test_an_index_without_labels_is_refused(bare, tmp_path):
    (tmp_path / "INDEX.tsv").write_text("hello\n")

    assert 65 == bare.run("learn", "eval", "--index", str(tmp_path / "INDEX.tsv")).returncode
