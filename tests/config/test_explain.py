"""What is in force, and what a reload changes."""

from lazaret.config.explain import difference, explain


def test_each_option_is_explained_with_its_place(read, tmp_path):
    lines = {line.key: line for line in explain(read("[levels]\nmark = 4\n", ["levels.kill=9"]))}

    assert ("4.0", f"{tmp_path}/lazaret.toml:2") == (lines["levels.mark"].value, lines["levels.mark"].where)
    assert ("9.0", "--set") == (lines["levels.kill"].value, lines["levels.kill"].where)
    assert ("5.0", "default") == (lines["levels.quarantine"].value, lines["levels.quarantine"].where)


def test_the_settings_of_a_named_check_are_explained(read):
    lines = {line.key: line.value for line in explain(read('[checks.spf]\non_unavailable = "defer"\n'))}

    assert '"defer"' == lines["checks.spf.on_unavailable"]


def test_the_difference_names_what_changed_and_nothing_else(read):
    old = read("[levels]\nmark = 4\n")
    new = read('[levels]\nmark = 4.5\n[checks.spf]\non_unavailable = "defer"\n')

    assert ["levels.mark: 4.0 -> 4.5", 'checks.spf.on_unavailable: default -> "defer"'] == difference(
        old, new
    )


def test_the_same_configuration_has_no_difference(read):
    assert [] == difference(read("[levels]\nmark = 3\n"), read(""))


def test_a_new_password_is_told_and_not_shown(read):
    old = read("", LAZARET_STORE_PASSWORD="one")
    new = read("", LAZARET_STORE_PASSWORD="two")

    assert ["store.password: changed"] == difference(old, new)
