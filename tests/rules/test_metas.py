"""Meta rules: which are evaluated, and what they are worth."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.mime import message
from lazaret.mime.message import Message
from lazaret.rules import expression, load, metas
from lazaret.rules.deferral import Price
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.settle import Settler
from lazaret.rules.values import Found, Outset
from lazaret.rules.views import HeaderValues

Values = Callable[..., dict[str, float]]


def mail(body: str) -> Message:
    return message.parse(b"Subject: s\n\n" + body.encode())


def test_a_meta_over_rules_that_do_not_run_counts_them_as_missed(values: Values) -> None:
    """As recorded from SpamAssassin: a plain rule with score 0 is a miss, a meta with 0 is never known."""
    found = values(
        """
        body __A /hello/
        body B_ZERO /hello/
        score B_ZERO 0
        meta M_ZERO __A
        score M_ZERO 0
        meta T_ON_ZERO_BODY !B_ZERO
        meta T_ON_ZERO_META !M_ZERO
        meta T_ON_ZERO_META2 M_ZERO || __A
        meta T_CHAIN T_ON_ZERO_META || __A
        meta T_UNDEFINED !NO_SUCH_RULE
        """
    )
    assert {"__A", "T_ON_ZERO_BODY", "T_UNDEFINED"} == set(found)


def test_values_are_counts_and_a_hit_counts_at_least_one(values: Values) -> None:
    found = values(
        """
        body __MULTI /l/
        tflags __MULTI multiple maxhits=3
        meta VALUE __MULTI
        meta EQUAL VALUE == 3
        meta HALF (__MULTI / 2) == 1.5
        meta NEGATIVE 0 - __MULTI
        meta AFTER NEGATIVE == 1
        meta BY_ZERO 1 / __NONE
        """,
        body="hello hello\n",
    )
    assert {"__MULTI": 3, "VALUE": 3, "EQUAL": 1, "HALF": 1, "NEGATIVE": 1, "AFTER": 1} == found


def test_rules_in_a_circle_never_hit(values: Values) -> None:
    found = values("meta A !B\nmeta B !A\nmeta C !A\nmeta SELF SELF || 1\nmeta FINE 1\n")
    assert {"FINE": 1} == found


def test_rules_matching_sums_by_name(values: Values) -> None:
    found = values("body __X_1 /h/\nbody __X_2 /e/\nbody __Y /l/\nmeta SUM rules_matching(__X_*) == 2\n")
    assert "SUM" in found


def test_a_sub_rule_runs_only_for_a_listed_rule(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text("body __A /x/\nbody __B /y/\nmeta M __A\nmeta OFF __B\nscore OFF 0\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    assert {"__A": 1, "M": 1} == ruleset.evaluate(mail("x y\n"), 0).values


_NOBODY = Subject(message.parse(b""), Settings({}), HeaderValues(message.parse(b"")), 0.0)
_NOTHING_FOUND = Found({}, (), lambda: None, math.inf, {}, _NOBODY)
_NAMES = ["R0", "R1", "R2", "R3", "__M0", "__M1", "M2"]


def _expressions(names: list[str]) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(names)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["&&", "||", "+", ">", "=="]), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            inner.map(lambda t: f"!({t})"),
            st.tuples(
                st.lists(inner, min_size=2, max_size=4), st.sampled_from([">", ">="]), st.integers(0, 3)
            ).map(lambda t: f"({' + '.join(t[0])} {t[1]} {t[2]})"),
        ),
        max_leaves=6,
    )


def unexpected(rule: int, error: Exception) -> None:
    raise AssertionError(f"{rule}: {error}")


@settings(max_examples=500)
@given(
    st.tuples(_expressions(_NAMES[:4]), _expressions(_NAMES[:5]), _expressions(_NAMES[:6])),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=4, max_size=4),
)
def test_looking_only_at_what_changed_gives_what_looking_at_all_gives(
    texts: tuple[str, str, str], hits: list[int], baseline: list[int], prices: list[tuple[int, int]]
) -> None:
    parsed = {name: expression.parse(text) for name, text in zip(_NAMES[4:], texts, strict=True)}
    numbers = {name: number for number, name in enumerate(_NAMES)}
    ordered = metas.order(parsed, parsed)
    first: list[float] = [*baseline, 0, 0, 0]
    priced = {name: Price(*price) for name, price in zip(_NAMES[:4], prices, strict=True)}
    single = {name for name, hit in zip(_NAMES, hits, strict=False) if hit <= 1}
    lazy = metas.plan(parsed, ordered, numbers, first, priced, listed=["M2"], single=single)

    # Plainly: one after the other, as they are written.
    everything: list[float] = [*hits, 0, 0, 0]
    for name in ordered:
        source = expression.to_python(parsed[name], lambda n: f"v[{numbers[n]}]")
        everything[numbers[name]] = metas.evaluate(metas.compiled(source), everything)

    waiting = frozenset(range(7)) - {meta.rule for meta in lazy if meta.triggers is not None}
    outset = Outset(tuple(_NAMES), tuple(first), waiting, frozenset(), lazy, {}, unexpected)
    settler = Settler(lazy, len(_NAMES))
    woken = settler.octets(settler.concerned(r for r in range(4) if hits[r] != baseline[r]))
    for start in (outset.start(), outset.in_python(settler)):
        known = start(lambda rule: known.set(rule, hits[rule]), _NOTHING_FOUND)  # noqa: B023
        known.settle(woken)
        assert everything[numbers["M2"]] == known[numbers["M2"]]


@pytest.mark.parametrize(
    ("text", "single", "triggers"),
    [
        ("DEAR + A + B > 1", {"A", "DEAR"}, (0, 1)),
        ("DEAR + A + B >= 2", {"A", "DEAR"}, (0, 1)),
        ("(DEAR && A) + !DEAR + B > 2", {"A", "DEAR"}, (1,)),
        ("DEAR + A + B > 1", {"A", "B"}, (0, 1, 2)),  # It may be worth 2.
        ("DEAR + A + B > 0", {"A", "DEAR"}, (0, 1, 2)),
        ("DEAR + A > 2", {"A", "DEAR"}, (0, 2)),
        ("DEAR + A > " + "9" * 400, {"A", "DEAR"}, (0, 2)),
    ],
)
def test_a_sum_waits_until_terms_that_take_no_time_have_hit(
    text: str, single: set[str], triggers: tuple[int, ...]
) -> None:
    numbers = {"A": 0, "B": 1, "DEAR": 2, "M": 3}
    priced = {"A": Price(1, 0), "B": Price(1, 0), "DEAR": Price(1, 9)}
    parsed = {"M": expression.parse(text)}
    (meta,) = metas.plan(parsed, ["M"], numbers, [0.0] * 4, priced, listed=["M"], single=single)
    assert triggers == meta.triggers


def test_metas_that_mention_each_other_in_a_long_chain_are_worked_out(tmp_path: Path) -> None:
    chain = "".join(f"meta __M{n} __M{n - 1} && __A\n" for n in range(1, 2000))
    (tmp_path / "a.cf").write_text(f"body __A /x/\nmeta __M0 __A\n{chain}meta LAST __M1999\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    assert ("LAST",) == tuple(name for name, _ in ruleset.evaluate(mail("x\n"), 0).hits)


def test_what_no_meta_asks_for_is_not_worked_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The call would fail, and the log would say so."""
    (tmp_path / "a.cf").write_text(
        "body __A /x/\nheader __CALL eval:check_body_length('x')\nmeta M __CALL && __A\ndescribe M m\n"
    )
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    assert () == ruleset.evaluate(mail("y\n"), 0).hits
    assert {"__A": 1} == ruleset.evaluate(mail("x\n"), 0).values
