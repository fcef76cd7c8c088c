"""Where the password of the database comes from, and that it is seen nowhere."""

import pytest

from lazaret.config.explain import difference, explain
from lazaret.config.load import load
from lazaret.config.problems import ConfigError

URL = '[store]\nurl = "mysql://amavis:s3cret%21@db.example.org:3307/amavis"\n'


def test_a_password_in_the_url_is_taken_out_of_it(read):
    store = read(URL).store

    assert "s3cret!" == store.password
    assert "mysql://amavis@db.example.org:3307/amavis" == store.url


def test_a_url_without_password_stays_as_it_is(read):
    assert "postgresql://h/db" == read('[store]\nurl = "postgresql://h/db"\n').store.url


def test_the_password_file_gives_its_first_line(read, tmp_path):
    (tmp_path / "pw").write_text("from file\nmore\n")
    (tmp_path / "pw").chmod(0o640)

    assert "from file" == read('[store]\npassword_file = "pw"\n').store.password


def test_the_variable_goes_before_the_file_and_the_file_before_the_url(read, tmp_path):
    (tmp_path / "pw").write_text("from file\n")
    (tmp_path / "pw").chmod(0o600)
    text = URL + 'password_file = "pw"\n'

    assert "from file" == read(text).store.password
    assert "from environment" == read(text, LAZARET_STORE_PASSWORD="from environment").store.password


def test_a_password_file_that_all_can_read_is_an_error(errors, tmp_path):
    (tmp_path / "pw").write_text("x")
    (tmp_path / "pw").chmod(0o644)

    assert ["lazaret.toml:2: store.password_file: everybody can read pw; chmod 0600 it"] == errors(
        '[store]\npassword_file = "pw"\n'
    )


def test_a_password_file_that_is_missing_is_an_error(errors):
    assert ["lazaret.toml:2: store.password_file: cannot read pw: No such file or directory"] == errors(
        '[store]\npassword_file = "pw"\n'
    )


def test_a_configuration_with_password_that_all_can_read_is_an_error(tmp_path):
    file = tmp_path / "lazaret.toml"
    file.write_text(URL)
    file.chmod(0o644)

    with pytest.raises(
        ConfigError, match=r"lazaret\.toml:2: store\.url has a password, and everybody can read"
    ):
        load(str(file), environment={}, euid=1000)


def test_a_password_on_the_command_line_is_an_error(errors):
    [line] = errors("", ["store.url=mysql://u:s3cret@h/db"])

    assert "every user in `ps`" in line
    assert "s3cret" not in line


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:s3cret@h",
        "oracle://u:s3cret@h/db",
        "mysql://u:s3cret@h:x/db",
        "postgresql://h/db?password=s3cret",
    ],
)
def test_an_error_in_the_url_does_not_show_its_password(errors, url):
    [line] = errors(f'[store]\nurl = "{url}"\n')

    assert line.startswith("lazaret.toml:2: store.url: ")
    assert "s3cret" not in line


def test_no_page_and_no_log_line_shows_the_password(read):
    config = read(URL)
    shown = f"{config} {list(explain(config))} {difference(read(), config)}"

    assert "s3cret" not in shown
    assert "store.password" in shown
