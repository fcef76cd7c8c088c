"""amavisd.conf in our settings."""

import pytest

from lazaret.config.amavisd import NEVER, translate
from lazaret.config.load import load


def settings(*texts):
    found = translate([(f"{n}.conf", text) for n, text in enumerate(texts)])
    return {".".join(path): setting.value for path, setting in found.settings.items()}


def notes(text):
    return [str(note) for note in translate([("a.conf", text)]).notes]


def test_levels_become_ours():
    assert {
        "levels.tag": -999,
        "levels.mark": 3.0,
        "levels.quarantine": 5,
        "levels.kill": 8.0,
        "levels.kill_action": "discard",
    } == settings(
        "$sa_tag_level_deflt = -999; $sa_tag2_level_deflt = 3.0; $sa_kill_level_deflt = 5;"
        "$sa_quarantine_cutoff_level = 8.0; $final_spam_destiny = D_DISCARD;"
    )


def test_without_a_cutoff_nothing_is_killed_by_switching():
    found = settings("$sa_kill_level_deflt = 6.31; $final_spam_destiny = D_DISCARD;")

    assert (6.31, NEVER) == (found["levels.quarantine"], found["levels.kill"])


def test_spam_that_amavisd_delivered_is_delivered_still():
    for destiny in ("$final_spam_destiny = D_PASS;", ""):
        found = settings("$sa_tag2_level_deflt = 5; $sa_kill_level_deflt = 6;" + destiny)

        assert (5, NEVER, NEVER) == (
            found["levels.mark"],
            found["levels.quarantine"],
            found["levels.kill"],
        )


def test_spam_that_amavisd_refused_is_refused_still_and_its_copy_kept():
    found = settings("$sa_kill_level_deflt = 6; $final_spam_destiny = D_REJECT;")

    assert (6, "reject") == (found["levels.quarantine"], found["levels.quarantine_reply"])


@pytest.mark.parametrize("unkept", ["$spam_quarantine_method = undef;", "$spam_quarantine_to = '';"])
def test_spam_that_amavisd_did_not_keep_is_not_kept(unkept):
    found = settings("$sa_kill_level_deflt = 6; $final_spam_destiny = D_DISCARD;" + unkept)

    assert (6, 6, 0) == (
        found["levels.quarantine"],
        found["levels.kill"],
        found["quarantine.keep_killed_days"],
    )


def test_maps_count_before_the_plain_variable_and_tables_are_named():
    text = (
        "$sa_kill_level_deflt = 6; @spam_kill_level_maps = ({'.example.org' => 4}, \\$sa_kill_level_deflt);"
    )

    assert 6 == settings(text + "$final_spam_destiny = D_DISCARD;")["levels.quarantine"]
    assert any("levels by recipient" in note for note in notes(text))


def test_networks_and_domains():
    found = settings(
        "$mydomain = 'example.org';"
        '@local_domains_maps = ( [".$mydomain", "example.net"] );'
        "@mynetworks = qw( 127.0.0.0/8 [::1] [2001:db8::]/32 10.1.2.3/8 192.168 );"
    )

    assert [".example.org", "example.net"] == found["local.domains"]
    assert ["2001:db8::/32", "10.0.0.0/8", "192.168.0.0/16"] == found["local.networks"]


def test_each_port_gets_the_role_of_its_policy_bank():
    assert {
        "listen.smtp": ["127.0.0.1:10024"],
        "listen.originating": ["127.0.0.1:10026"],
        "listen.ampdp": ["127.0.0.1:9998"],
        "ampdp.require_secret": "never",
    } == settings(
        "$inet_socket_port = [10024, 10026, 9998];"
        "$interface_policy{'10026'} = 'ORIGINATING'; $policy_bank{'ORIGINATING'} = { originating => 1 };"
        "$interface_policy{9998} = 'PDP';"
        "$policy_bank{'PDP'} = { protocol => 'AM.PDP', auth_required_release => 0 };"
    )


@pytest.mark.parametrize(
    ("perl", "hop"),
    [
        ("'smtp:[127.0.0.1]:10025'", "smtp:[127.0.0.1]:10025"),
        ("'smtp:127.0.0.1:10025'", "smtp:[127.0.0.1]:10025"),
        ("'lmtp:/run/lmtp.sock'", "unix:/run/lmtp.sock"),
        ("['smtp:[::1]:25', 'smtp:[192.0.2.1]:25']", ["smtp:[::1]:25", "smtp:[192.0.2.1]:25"]),
    ],
)
def test_next_hops(perl, hop):
    assert hop == settings(f"$forward_method = {perl};")["relay.next_hop"]


@pytest.mark.parametrize(
    ("source", "url"),
    [
        (
            "'DBI:mysql:database=amavis;host=192.0.2.1;port=3307', 'me', ''",
            "mysql://me@192.0.2.1:3307/amavis",
        ),
        ("'DBI:Pg:dbname=amavis;host=db.example.org', 'me', ''", "postgresql://me@db.example.org/amavis"),
        ("'DBI:Pg:dbname=amavis', 'a b', ''", "postgresql://a%20b@localhost/amavis"),
    ],
)
def test_the_database(source, url):
    assert url == settings(f"@storage_sql_dsn = ( [{source}] );")["store.url"]


def test_a_password_is_never_shown():
    found = translate(
        [("a", "@storage_sql_dsn = (['DBI:mysql:database=a;host=h', 'u', 'se-cret']); @x = ('se-cret'); 1;")]
    )

    assert "se-cret" not in found.toml() + "".join(map(str, found.notes))
    assert any("store.password_file" in str(note) for note in found.notes)


def test_lovers_of_spam_always_get_it():
    assert ["postmaster@", "a@example.org", "@.example.net"] == settings(
        "@spam_lovers_maps = ({'postmaster@' => 1, 'a@example.org' => 1, '.example.net' => 1, 'b@' => 0});"
    )["policy.always_deliver"]


def test_a_later_file_counts_and_what_it_makes_unknown_is_unknown():
    known = "$sa_tag2_level_deflt = 4;"

    assert 5 == settings(known, "$sa_tag2_level_deflt = 5;")["levels.mark"]
    assert "levels.mark" not in settings(known, "$sa_tag2_level_deflt = level();")


def test_everything_that_was_not_taken_over_is_named_with_its_line():
    assert [
        "a.conf:1: $sa_dsn_cutoff_level: Lazaret sends no bounces for spam",
        "a.conf:2: @whitelist_sender_maps: for senders there are `lazaret allow` and `block`",
        "a.conf:3: $novelty: no setting of ours says this",
        "a.conf:4: $policy_bank{MYNETS}: not taken over: spam_kill_level_maps",
        "a.conf:5: $mynetworks: no setting of ours says this",
        "a.conf:6: do_it: only assignments are read",
        "a.conf: 1 settings: amavisd's own machinery, not needed here: $max_servers",
    ] == notes(
        "$sa_dsn_cutoff_level = 9;\n@whitelist_sender_maps = (['a@b.example']);\n$novelty = 1;\n"
        "$policy_bank{'MYNETS'} = {originating => 1, spam_kill_level_maps => [9]};\n$mynetworks = 1;\n"
        "do_it(1); $max_servers = 2;"
    )


def test_a_file_that_cannot_be_read_to_its_end_says_so():
    found = translate([("a.conf", "$sa_tag2_level_deflt = 4;\n$x = 'never closed;")])

    assert found.broken
    assert "a.conf:2: the rest of the file: not read: the quote ' is never closed" in map(str, found.notes)
    assert 4 == found.settings["levels", "mark"].value


def test_the_toml_is_a_configuration_and_says_where_each_line_comes_from(tmp_path):
    text = (
        "$sa_kill_level_deflt = 2; $final_spam_destiny = D_DISCARD;\n"
        "@storage_sql_dsn = (['DBI:mysql:database=a;host=h', 'u', 'p']);\n"
        "$sa_spam_subject_tag = '\"SPAM\" ';"
    )
    toml = translate([("a.conf", text)]).toml()
    (tmp_path / "lazaret.toml").write_text(toml)
    config = load(str(tmp_path / "lazaret.toml"), environment={}, euid=1000)

    assert (2.0, 2.0, NEVER, '"SPAM" ') == (
        config.levels.mark,
        config.levels.quarantine,
        config.levels.kill,
        config.levels.subject_tag,
    )
    assert "quarantine = 2.0  # a.conf:1" in toml.splitlines()


def test_perl_is_read_and_never_run(tmp_path):
    made = tmp_path / "made"
    perl = (
        f"system('touch {made}'); `touch {made}`; BEGIN {{ open(F, '>{made}'); }}\n"
        f"$myhostname = qx(touch {made}); use lib do {{ unlink('/'); '{made}' }};\n"
        "$sa_kill_level_deflt = 6.5; $final_spam_destiny = D_DISCARD;\n"
    )

    assert 6.5 == settings(perl)["levels.quarantine"]
    assert not made.exists()
    assert any("system" in note for note in notes(perl))
