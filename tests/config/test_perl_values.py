"""Reading constants out of a Perl file, without running it."""

import time

import pytest

from lazaret.config.perl_tokens import NotPerl
from lazaret.config.perl_values import Assignment, Unread, read


def read_all(text):
    return list(read(text, {"D_PASS": 1}, {}))


def values(text):
    return {s.name: s.value for s in read_all(text) if isinstance(s, Assignment)}


@pytest.mark.parametrize(
    ("perl", "value"),
    [
        ("'a $b \\'c\\''", "a $b 'c'"),
        ('"a\\tb\\@c"', "a\tb@c"),
        ("q{a {b} c}", "a {b} c"),
        ("qq(x)", "x"),
        ("42", 42),
        ("-1.5", -1.5),
        ("1_000", 1000),
        ("0x10", 16),
        ("0660", 0o660),
        ("10*1024*1024", 10485760),
        ("'a' . 'b' . 3", "ab3"),
        ("undef", None),
        ("D_PASS", 1),
        ("[1, [2, 'x'], qw(a b)]", [1, [2, "x"], "a", "b"]),
        ("{ a => 1, 'b' => [2], c=>undef }", {"a": 1, "b": [2], "c": None}),
        ("<<'END' . 'x';\n $a\nEND\n$y = 1", " $a\nx"),
        ("'; # no end }'", "; # no end }"),
    ],
)
def test_constants_are_read(perl, value):
    assert value == values(f"$x = {perl};")["$x"]


def test_arrays_and_hashes_take_lists():
    found = values("@a = ('x', qw(y z)); %h = (k => 1, 'l', 2); @b = (@a, 'w'); @r = (\\@a, \\%h);")

    assert ["x", "y", "z"] == found["@a"]
    assert {"k": 1, "l": 2} == found["%h"]
    assert ["x", "y", "z", "w"] == found["@b"]
    assert [found["@a"], found["%h"]] == found["@r"]


def test_what_was_assigned_before_stands_in_texts():
    assert ".example.org" == values('$d = "example.org"; $x = ".$d";')["$x"]
    assert "a-example.org" == values("$d = 'example.org'; $x = \"a-${d}\";")["$x"]


def test_an_element_is_put_into_its_hash():
    known = {}
    found = list(read("$h{'a'} = 1; $h{b}->{c} = [2];", {}, known))

    assert {"a": 1, "b": {"c": [2]}} == known["%h"]
    assert [("%h", ("a",)), ("%h", ("b", "c"))] == [(s.name, s.keys) for s in found]


def test_one_value_may_go_to_several_variables():
    assert {"$a": 5, "$b": 5} == values("$a = $b = 5;")


def test_comments_pod_and_the_end_are_no_statements():
    text = "# $a = 1;\n=pod\n$b = 1;\n=cut\n$c = 1; # $d = 1;\n1;\n__END__\n$e = 1;\n"

    assert {"$c": 1} == values(text)


def test_lines_are_counted_through_quotes_and_documents():
    text = "$a = 'x\ny';\n$b = <<E;\n1\n2\nE\n$c = 3;\n"

    assert [1, 3, 7] == [s.line for s in read_all(text)]


@pytest.mark.parametrize(
    ("perl", "reason"),
    [
        ("$x = `rm -rf /`;", "it asks a command"),
        ("$x = qx{id};", "it asks a command"),
        ("$x = sub { 1; 2 };", "it is code"),
        ("@x = (new_RE(qr'a'i));", "regular expressions are not taken over"),
        ("@x = (read_hash('/etc/x'));", "it reads another file: give its lines by hand"),
        ("$x = $unknown;", "the value of $unknown is not known"),
        ('$x = "a $unknown";', "the value of $unknown is not known"),
        ('$x = "a $h{b}";', "what it inserts into a text is not looked up"),
        ("$x = $y ? 1 : 2;", "the value of $y is not known"),
        ("$x = 1 if $y;", "'if' is not understood here"),
        ("$x = 1 ? 2 : 3;", "'?' is not understood here"),
        ("push @x, 1;", "only assignments are read"),
        ("if ($a) { $b = 1; $c = 2 }", "only assignments are read, and it may change $b, $c"),
        ("$x = " + "[" * 50 + "]" * 50 + ";", "it is nested too deeply"),
        ("$x = " + "- " * 5000 + "1;", "it is nested too deeply"),
        ("$x = " + "999999*" * 5000 + "2;", "the number is too large"),
        ("$x = 'a' x 1000000000;", "'x' is not understood here"),
    ],
)
def test_what_only_perl_knows_is_named_and_nothing_is_run(perl, reason):
    (found,) = read_all(perl)

    assert isinstance(found, Unread)
    assert reason == found.reason


def test_what_follows_an_unread_statement_is_read():
    assert {"$b": 1} == values("if ($a) { x(';') } $b = 1; sub f { return 2 }")


@pytest.mark.parametrize("text", ["$x = 'never closed;", "$x = [1, 2;", "$x = <<E;\nno end", "q" * 2_000_000])
def test_a_file_that_is_no_perl_is_refused(text):
    with pytest.raises(NotPerl):
        read_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "$a='" + "a" * 60_000 + "';" + "".join(f'$a="$a$a";#{n}\n' for n in range(40)),
        "$a=" + "'a'." * 200_000 + "'';",
        "@a=(1,2);" + "@a=(@a,@a);" * 60,
        "$a = " + "{" * 300_000,
        "<<A\n" * 200_000,
        '$a = "' + "$" * 900_000 + '";',
        "=a" * 400_000,
        "/" * 900_000,
        "q(" * 300_000,
        "if" * 10 + " {}" * 300_000,
        "\\" * 900_000,
    ],
)
def test_a_hostile_file_costs_bounded_time(text):
    began = time.process_time()
    try:
        read_all(text)
    except NotPerl:
        pass

    assert time.process_time() - began < 8
