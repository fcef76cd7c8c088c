"""Reading the configuration: what holds, where it came from, and what an error says."""

import os
from pathlib import Path

import pytest

from lazaret.config.endpoint import Endpoint
from lazaret.config.load import load
from lazaret.config.options import Config
from lazaret.config.problems import ConfigError
from lazaret.config.words import Mode, OnUnavailable


def test_without_a_file_the_defaults_hold(tmp_path):
    config = load(environment={"STATE_DIRECTORY": str(tmp_path)}, euid=1000)

    assert 3.0 == config.levels.mark
    assert Mode.FILTER == config.mode
    assert tmp_path == config.store.data_dir
    assert {} == config.where


def test_a_file_sets_what_it_names_and_nothing_else(read):
    config = read('mode = "observe"\n[levels]\nmark = 4\n')

    assert Mode.OBSERVE == config.mode
    assert 4.0 == config.levels.mark
    assert 5.0 == config.levels.quarantine


def test_an_option_knows_whether_it_was_written_even_with_its_default(read):
    config = read("[levels]\nkill = 8.0\n")

    assert config.is_set("levels.kill")
    assert not config.is_set("levels.mark")


def test_the_command_line_goes_before_the_file(read):
    assert 2.0 == read("[levels]\nmark = 4\n", ["levels.mark=2"]).levels.mark


def test_the_last_of_two_settings_on_the_command_line_holds(read):
    assert 1.0 == read("", ["levels.mark=2", "levels.mark=1"]).levels.mark


def test_the_variable_names_the_file_when_the_command_line_does_not(tmp_path):
    (tmp_path / "a.toml").write_text("[workers]\ncount = 3\n")

    assert 3 == load(environment={"LAZARET_CONFIG": str(tmp_path / "a.toml")}, euid=1000).workers.count


def test_the_command_line_names_the_file_before_the_variable(tmp_path):
    (tmp_path / "a.toml").write_text("[workers]\ncount = 3\n")
    (tmp_path / "b.toml").write_text("[workers]\ncount = 4\n")
    environment = {"LAZARET_CONFIG": str(tmp_path / "b.toml")}

    assert 3 == load(str(tmp_path / "a.toml"), environment=environment, euid=1000).workers.count


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("site.hostname=mail.example.org", "mail.example.org"),
        ('site.hostname="mail.example.org"', "mail.example.org"),
        ("site.hostname = 1979-05-27", "1979-05-27"),
        ("site.hostname=42", "42"),
        ("site.hostname=true", "true"),
        ("site.hostname=", ""),
    ],
)
def test_a_bare_word_on_the_command_line_is_a_text(read, setting, expected):
    assert expected == read("", [setting]).site.hostname


def test_one_bare_word_is_a_list_of_one_on_the_command_line(read):
    assert (Endpoint("127.0.0.1", 25),) == read("", ["listen.smtp=127.0.0.1:25"]).listen.smtp


def test_toml_on_the_command_line_is_toml(read):
    config = read("", ['listen.smtp=["127.0.0.1:25", "127.0.0.1:26"]', "rules.shipped=false"])

    assert ["127.0.0.1:25", "127.0.0.1:26"] == [str(e) for e in config.listen.smtp]
    assert config.rules.shipped is False


def test_broken_toml_on_the_command_line_is_an_error(errors):
    [line] = errors("", ['listen.smtp=["127.0.0.1:25"'])

    assert line.startswith("--set: listen.smtp: the value is not TOML")


def test_a_setting_without_equals_sign_is_an_error(errors):
    assert ["--set: expected section.key=VALUE, not 'levels.mark'"] == errors("", ["levels.mark"])


def test_a_value_cannot_smuggle_a_second_setting(errors):
    assert errors("", ["levels.mark=3\nother = 4"])


def test_the_settings_of_a_check_stand_under_its_name(read):
    config = read('[checks.dnsbl]\non_unavailable = "defer"\n')

    assert OnUnavailable.DEFER == config.check("dnsbl").on_unavailable
    assert OnUnavailable.IGNORE == config.check("other").on_unavailable


def test_every_error_is_told_with_its_line(errors):
    text = """\
mdoe = "filter"
[levels]
mark = "three"
kill_action = "rejekt"
[quarantine]
keep_dyas = 3
kill = 4
[lsiten]
smtp = []
[limits]
recipients = 7
"""
    assert [
        "lazaret.toml:1: mdoe: no such option; did you mean mode?",
        "lazaret.toml:3: levels.mark: expected a number, not text (default 3.0)",
        'lazaret.toml:4: levels.kill_action: expected "auto" | "reject" | "discard"; did you mean "reject"? '
        '(default "auto")',
        "lazaret.toml:6: quarantine.keep_dyas: no such option; did you mean quarantine.keep_days?",
        "lazaret.toml:7: quarantine.kill: no such option; did you mean levels.kill?",
        "lazaret.toml:8: lsiten: no such section; did you mean [listen]?",
        "lazaret.toml:11: limits.recipients: must be from 100 to 100000 (default 1100)",
    ] == errors(text)


def test_an_error_on_the_command_line_says_so(errors):
    assert ["--set: levels.marc: no such option; did you mean levels.mark?"] == errors("", ["levels.marc=3"])


def test_a_section_written_as_an_option_is_told_how_to_write_it(errors):
    assert [
        "lazaret.toml:1: levels: is a section, not an option; write [levels] on a line of its own"
    ] == errors("levels = 3\n")


def test_an_option_of_another_section_is_told_where_it_belongs(errors):
    [line] = errors("[log]\nkeep_days = 1\n")

    assert line.endswith("did you mean quarantine.keep_days or history.keep_days or learn.keep_days?")


def test_an_option_that_is_like_no_other_is_told_what_there_is(errors):
    assert ["lazaret.toml:2: log.zzz: no such option; [log] has to, format"] == errors("[log]\nzzz = 1\n")


def test_an_unknown_option_of_a_check_is_told_what_there_is(errors):
    assert [
        "lazaret.toml:2: checks.spf.x: no such option; "
        "a check is configured as [checks.NAME] with on_unavailable"
    ] == errors("[checks.spf]\nx = 1\n")


def test_a_mistake_in_toml_is_told_with_its_line(errors):
    [line] = errors("[levels]\nmark = three\n")

    assert line.startswith("lazaret.toml:2: not TOML: ")


def test_a_file_that_ends_too_early_is_told_with_its_last_line(errors):
    [line] = errors('mode = "filter"\n[listen]\nsmtp = [\n')

    assert line.startswith("lazaret.toml:3: not TOML: ")


def test_brackets_without_end_are_an_error_and_no_crash(errors):
    [line] = errors("a = " + "[" * 100_000)

    assert "not TOML" in line


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path):
    (tmp_path / "a.toml").write_bytes(b'mode = "filter"\n# caf\xe9\n')

    with pytest.raises(ConfigError, match=r"a\.toml:2: not UTF-8"):
        load(str(tmp_path / "a.toml"), environment={}, euid=1000)


@pytest.mark.parametrize("named_by", ["--config", "$LAZARET_CONFIG"])
def test_a_named_file_that_is_missing_is_an_error(tmp_path, named_by):
    missing = str(tmp_path / "missing.toml")
    given = missing if named_by == "--config" else None

    with pytest.raises(ConfigError) as caught:
        load(given, environment={"LAZARET_CONFIG": missing}, euid=1000)
    assert f"{named_by}: cannot read {missing}: No such file or directory" == str(caught.value)


def test_relative_paths_are_relative_to_the_file(read, tmp_path):
    (tmp_path / "site.cf").touch()
    config = read('[store]\ndata_dir = "state"\n[rules]\npaths = ["site.cf"]\n[log]\nto = "./lazaret.log"\n')

    assert tmp_path / "state" == config.store.data_dir
    assert (tmp_path / "site.cf",) == config.rules.paths
    assert str(tmp_path / "lazaret.log") == config.log.to


def test_sockets_and_the_database_lie_in_the_data_directory(read, tmp_path):
    config = read('[store]\ndata_dir = "state"\n[relay]\nnext_hop = "unix:lmtp"\n')

    assert f"sqlite:///{tmp_path}/state/lazaret.db" == config.store.url
    assert [f"unix:{tmp_path}/state/ampdp.sock"] == [str(e) for e in config.listen.ampdp]
    assert [f"unix:{tmp_path}/state/lmtp"] == [str(h) for h in config.relay.next_hop]


def test_absolute_paths_stay(read):
    config = read('[store]\ndata_dir = "/srv/a"\nurl = "sqlite:////srv/b/mail.db"\n')

    assert Path("/srv/a") == config.store.data_dir
    assert "sqlite:////srv/b/mail.db" == config.store.url


def test_a_relative_name_of_the_file_still_gives_absolute_paths(tmp_path, monkeypatch):
    (tmp_path / "lazaret.toml").touch()
    monkeypatch.chdir(tmp_path)

    assert tmp_path == load("lazaret.toml", environment={}, euid=1000).store.data_dir


def test_the_configuration_cannot_be_changed(read):
    with pytest.raises(AttributeError):
        read().levels.mark = 1.0


def test_the_process_is_asked_when_nothing_is_given(monkeypatch, tmp_path):
    monkeypatch.setitem(os.environ, "LAZARET_CONFIG", str(tmp_path / "a.toml"))
    (tmp_path / "a.toml").write_text("[workers]\ncount = 5\n")

    assert 5 == load().workers.count


def test_a_config_made_by_hand_has_every_default():
    assert 8.0 == Config().levels.kill
