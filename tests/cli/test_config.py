"""Checking, showing and explaining the configuration."""

from tests.support.installation import Installation


def test_a_good_file_is_good(bare):
    assert f"{bare.file}: good\n" == bare.output("config", "check")


def test_every_error_is_a_line_with_its_place(bare):
    bare.file.write_text("mod = 'filter'\n[listen]\nsmtp = '127.0.0.1:99999'\n")
    done = bare.run("config", "check")

    assert (78, b"") == (done.returncode, done.stdout)
    assert [f"{bare.file}:1:", f"{bare.file}:3:"] == [
        next(word for word in line.split() if word.startswith(str(bare.file)))
        for line in done.stderr.decode().splitlines()
    ]


def test_the_default_file_is_a_good_configuration(bare):
    bare.file.write_text(bare.output("config", "default"))

    assert f"{bare.file}: good\n" == bare.output("config", "check")


def test_what_is_in_force_is_told_with_where_it_was_set(bare):
    rows = {row["key"]: row for row in bare.rows("config", "explain", "--json", "--set", "levels.mark=4")}

    assert ("4.0", "--set") == (rows["levels.mark"]["value"], rows["levels.mark"]["where"])
    assert "default" == rows["levels.kill"]["where"]
    assert rows["relay.next_hop"]["where"].startswith(f"{bare.file}:")


def test_a_recipient_has_levels_of_their_own(bare):
    ours = bare.output("config", "explain", "--rcpt", "postmaster@home.example")
    foreign = bare.output("config", "explain", "--rcpt", "zoe@far.example")

    assert "marked at most" in ours
    assert "not local: never marked" in foreign


def test_a_password_is_never_shown(tmp_path):
    lazaret = Installation(tmp_path)
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    printed = lazaret.output("config", "explain", "--set", f"store.password_file={secret}")

    assert "hunter2" not in printed
