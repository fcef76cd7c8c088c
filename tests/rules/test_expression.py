"""Arithmetic of meta rules: precedence, what is refused, what becomes Python."""

import pytest

from lazaret.rules.expression import ExpressionError, mentioned, names, parse, to_python


def value(text: str, **given: float) -> float:
    return float(eval(to_python(parse(text), lambda n: str(given.get(n, 0)))))


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (7, "1 + 2 * 3"),
        (1, "!0 + 0"),
        (1, "2 > 1 == 1"),
        (1, "0 && 0 || 1"),
        (5, "0 ? 4 : 5"),
        (3, "1 ? 0 ? 2 : 3 : 4"),
        (1.5, "3 / 2"),
        (1, "!(1 > 2)"),
        (0, "!!0"),
        (3, "1 ^ 2"),
        (-4, "1 - 2 - 3"),
        (0.5, ".5"),
    ],
)
def test_operators_bind_as_in_perl(expected: float, text: str) -> None:
    assert expected == value(text)


def test_names_are_given_once_in_order() -> None:
    assert ["B", "A_1"] == names(parse("B && (A_1 || B)"))


@pytest.mark.parametrize(
    "text", ["", "-1", "A B", "A &&", "(A", "A)", "A ** 2", "A ? B", "A -> B", "$x", "1 2"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_a_chain_of_thousands_is_no_nesting() -> None:
    assert 5000 == value(" + ".join(["1"] * 5000))
    assert 1 == value(" || ".join(["0"] * 5000 + ["1"]))


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(ExpressionError):
        parse("(" * 100_000 + "1" + ")" * 100_000)


def test_a_function_takes_one_word() -> None:
    node = parse("1 + rules_matching( __A*_? )")
    assert ("rules_matching", "__A*_?") == (node.operands[1].text, node.operands[1].argument)


@pytest.mark.parametrize(
    "text", ["A && !(B || A::C)", "2*A > 1.5", "rules_matching(__X*) + B", "A ? B : C", "f ( A ) && _B_1"]
)
def test_names_are_found_without_a_tree_too(text: str) -> None:
    assert names(parse(text)) == list(dict.fromkeys(mentioned(text)))
