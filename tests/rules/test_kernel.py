"""The compiled kernel gives what plain Python gives, and nothing that it is given makes it read astray."""

import math
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pcre2  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.mime import message
from lazaret.rules import RuleSet, build_kernel, expression, folding, kernel, load, metas
from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.evals.plan import Asked
from lazaret.rules.run import DeadlineError
from lazaret.rules.settle import Settler
from lazaret.rules.values import Found, Outset
from lazaret.rules.views import HeaderValues

needs_kernel = pytest.mark.skipif(not kernel.compiled, reason="the kernel is not compiled: gcc, python3-dev")

RULES = r"""
body __WORD /hello/
body __COUNTED /l/
tflags __COUNTED multiple maxhits=5
body BACK /(.)\1o w/
body OBFUSCATED /h[e3][l1]+o/i
body DISGUISED /h[\W_]{0,3}[e3][\W_]{0,3}[l1][\W_]{0,3}[l1|][\W_]{0,3}[o0][\W_]{0,3}w/i
body __DISGUISED /w[\W_]{0,3}[o0\xf6][\W_]{0,3}r[\W_]{0,3}[l1]+[\W_]{0,3}d/i
body __EACH /l[\W_]{0,2}[l1][\W_]{0,2}(?:from|h)/i
tflags __EACH multiple
body __BODY_OTHER /[\x80-\xff]/
tflags __BODY_OTHER multiple maxhits=3
body __NO_SUBJECT /o\W{0,2}f[\W_]{0,2}f[\W_]{0,2}[e3][\W_]{0,2}r/i
tflags __NO_SUBJECT nosubject
header SUBJECT_DISGUISED Subject =~ /o[\W_]{0,2}f[\W_]{0,2}f[\W_]{0,2}[e3][\W_]{0,2}(?:r|\xf6)/i
body ENDLESS /^(?:o+)+[bc]$/
body __NEVER /no such text/
header SUBJECT Subject =~ /offer/i
header NEGATED Subject !~ /reply/i
header THERE exists:X-Mailer
header UNSET X-None =~ /^none$/ [if-unset: none]
header __ALL ALL =~ /^x-mailer:/im
header __FROM From:addr =~ /example/
rawbody RAW /<b>/
uri LINK /\.example\.org/
full FULL /\nX-Mailer: /
mimeheader PART Content-Type =~ /text/
header CALLED eval:check_for_missing_to_header()
body __TAGGED /from (?<PLACE>\w+)/
body USED /in %{PLACE}/
meta BOTH __WORD && __ALL
meta COUNT __COUNTED > 3
meta SUM __WORD + __COUNTED + __FROM >= 4
meta CHOICE (__NEVER ? 0 : __FROM)
meta MINUS __COUNTED - 7
meta BY_PYTHON (__COUNTED * 3) / 2
meta LATE !BOTH && BY_PYTHON
meta LATER __DISGUISED && (__EACH > 1 || __BODY_OTHER > 2)
meta OFFERED __NO_SUBJECT + __EACH > 1
"""

MAILS = [
    b"",
    b"\n\n",
    b"Subject: offer\nX-Mailer: m\nFrom: <a@example.org>\nTo: b@example.org\n\nhello world\n\nll ll\n",
    b"Subject: RE: reply\nX-Mailer: m\n\nfrom Paris\n\nin Paris http://www.example.org/\n",
    b"Content-Type: text/html\nFrom: a@example.net\n\n<b>h3llo</b> wo<i>r</i>ld <a href='//x.example.org'>",
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: text/html\n\n<b>\n",
    b"Subject: " + b"l" * 5000 + b"\n\n" + b"hello l\n\n" * 300,
    bytes(range(256)) * 4,
    b"Subject: 0f.f3r\n\nh-e-l-l-o w&o\n\nh.3.1.1.0 w0rld\n\nl-1 from l l h\n\noffer \xf6\xf6\n\n\xff\\",
    b"Subject: off\xf6\n\n" + b"o" * 3000 + b"\n",
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[RuleSet, RuleSet]:
    """The same rules with the kernel and without it."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "a.cf").write_text(RULES)
    with_kernel = load([folder / "a.cf"], shipped=False, cache_dir=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "compiled", None)
        return with_kernel, load([folder / "a.cf"], shipped=False, cache_dir=folder)


@needs_kernel
@pytest.mark.parametrize("raw", MAILS, ids=range(len(MAILS)))
def test_rules_find_the_same_with_and_without_it(both: tuple[RuleSet, RuleSet], raw: bytes) -> None:
    compiled, plain = both
    assert found(plain, raw) == found(compiled, raw)
    shown = [ruleset.evaluate(message.parse(raw), 0, seconds=60) for ruleset in both]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("with_kernel", [True, False])
def test_what_is_made_beforehand_is_not_made_for_a_message(
    with_kernel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_kernel:
        monkeypatch.setattr(kernel, "compiled", None)
    elif not kernel.compiled:
        pytest.skip("the kernel is not compiled: gcc, python3-dev")
    # What captures, or needs what was captured, is compiled when it is needed.
    rules = re.sub(r"(?m)^body (__TAGGED|USED) .*\n", "", RULES)
    (tmp_path / "a.cf").write_text(rules)
    ready, other = (load([tmp_path / "a.cf"], shipped=False, cache_dir=tmp_path) for _ in range(2))
    expected = [other.evaluate(message.parse(raw), 0, seconds=60) for raw in MAILS]
    ready.make_ready()
    makers = ((Confirm, "matcher"), (pcre2, "compile"), (kernel, "code"), (metas, "compiled"))
    for maker in (*makers, (expression, "mentioned")):
        monkeypatch.setattr(*maker, never)
    assert [ready.evaluate(message.parse(raw), 0, seconds=60) for raw in MAILS] == expected


@needs_kernel
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"hello",
                b"l",
                b"\n",
                b"\n\n",
                b" world",
                b"from X in X",
                b"<b>",
                b"\xff",
                b"h3l1o",
                b"&",
                b"-",
                b"0ff3r",
            ]
        ),
        max_size=30,
    ),
    st.lists(st.sampled_from([b"Subject: offer\n", b"X-Mailer: x\n", b"From: a@example.org\n"]), max_size=4),
)
def test_rules_find_the_same_in_any_text(
    both: tuple[RuleSet, RuleSet], pieces: list[bytes], fields: list[bytes]
) -> None:
    raw = b"".join(fields) + b"\n" + b"".join(pieces)
    compiled, plain = both
    assert found(plain, raw) == found(compiled, raw)


def found(ruleset: RuleSet, raw: bytes) -> object:
    return ruleset.evaluate(message.parse(raw), 0, seconds=60).values


_LEAVES = st.one_of(st.sampled_from(["R0", "R1", "R2"]), st.sampled_from(["0", "1", "2.5", "17"]))
_EXPRESSIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["&&", "||", "+", "-", ">", "<", ">=", "<=", "==", "!=", "*", "/", "^"]),
            inner,
        ).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} + {t[1]} + {t[2]})"),
        inner.map(lambda t: f"!({t})"),
    ),
    max_leaves=12,
)


@needs_kernel
@settings(max_examples=500, deadline=None)
@given(_EXPRESSIONS, st.lists(st.sampled_from([0, 1, 2, 17, 2.5]), min_size=3, max_size=3))
def test_a_meta_is_worth_the_same(text: str, values: list[float]) -> None:
    source = expression.to_python(expression.parse(text), lambda name: f"v[{name[1:]}]")
    outset = outset_of((*values, 0.0), (3,), (3,), source)
    found = kernel.compiled.Values(outset, never)
    assert metas.evaluate(metas.compiled(source), values) == found[3]


def outset_of(
    first: tuple[float, ...],
    waiting: tuple[int, ...],
    rules: tuple[int, ...],
    source: str = "0",
    asked: Any = (),
    failed: Any = None,
) -> Any:
    return kernel.compiled.Outset(
        names=tuple(f"R{n}" for n in range(len(first))),
        first=first,
        waiting=waiting,
        kept=(),
        metas=rules,
        listed=(),
        concerned=((),) * len(first),
        asked=asked,
        failed=failed,
        make_code=lambda rule: kernel.code(source) or metas.compiled(source),
        evaluate=metas.evaluate,
    )


def never(rule: int) -> None:
    raise AssertionError(f"nobody may ask for {rule}")


@needs_kernel
def test_most_metas_are_worked_out_in_the_kernel() -> None:
    assert kernel.code("(v[1] and (not v[2]) and ((sum((v[3], v[4], 1)) > 2) or (v[1] if v[2] else v[3])))")


@needs_kernel
@pytest.mark.parametrize(
    "source", ["(v[1] / v[2])", "(v[1] * v[2])", "(v[1] + 10000000000)", "+".join("1" * 500)]
)
def test_what_doubles_cannot_hold_exactly_is_left_to_python(source: str) -> None:
    deep = "(" * 70 + "v[1]" + " + (v[2]" * 70 + ")" * 140
    assert source.startswith("1+") or kernel.code(source) is None
    assert kernel.code(deep) is None


@needs_kernel
@settings(max_examples=1000, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 16), st.integers(-1, 12)), max_size=12))
def test_a_program_that_leaves_its_stack_or_never_ends_is_refused(steps: list[tuple[int, int]]) -> None:
    try:
        code = kernel.compiled.Code(tuple(steps))
    except (ValueError, IndexError):
        return
    outset = kernel.compiled.Outset(
        names=("R0", "R1", "R2"),
        first=(0.0, 1.0, 2.0),
        waiting=(2,),
        kept=(),
        metas=(2,),
        listed=(),
        concerned=((), (), ()),
        asked=(),
        failed=never,
        make_code=lambda rule: code,
        evaluate=metas.evaluate,
    )
    try:
        assert kernel.compiled.Values(outset, never)[2] >= 0
    except IndexError:
        assert any(operation == 1 and rule > 2 for operation, rule in steps)


@needs_kernel
@pytest.mark.parametrize("rule", [-1, 3, 2**70])
def test_rules_that_do_not_exist_are_refused(rule: int) -> None:
    found = kernel.compiled.Values(outset_of((0.0, 1.0, 2.0), (), ()), never)
    wrong: list[Callable[[], object]] = [
        lambda: found[rule],
        lambda: found.get(rule),
        lambda: found.set(rule, 1),
        lambda: found.forget([rule]),
        lambda: found.put_off(rule, ()),
        lambda: found.confirm(rule),
        lambda: outset_of((0.0,), (rule,), ()),
        lambda: finder(never, ((0, 0, 1),), (rule,)),
        lambda: finder(never, ((0, 0, 1),))(rule),
        lambda: finders(at_first=((rule, 1),)).over(run_with(found), ()),
        lambda: finders(finder(find_first, ((rule, 0, 1),))).over(run_with(found), (b"",)),
    ]
    for attempt in wrong:
        with pytest.raises((IndexError, OverflowError)):
            attempt()


def finder(scan: object, places: tuple[tuple[int, int, int], ...], alone: tuple[int, ...] = ()) -> Any:
    """Without expressions: Python is to confirm everything."""
    return kernel.compiled.Finder(scan, None, places, alone, None, lambda _place: None)


def finders(
    *each: object, at_first: tuple[tuple[int, int], ...] = (), confirm: Any = never, read: Any = never
) -> Any:
    return kernel.compiled.Finders(each, (), (), (), (), at_first, folding.TABLE, confirm, "X", read)


def run_with(found: object) -> object:
    return SimpleNamespace(values=found)


def find_first(_text: bytes, note: Any, *_: object) -> None:
    note(0, 0, 1, 0, None)


@needs_kernel
def test_what_fails_while_a_value_is_worked_out_comes_through() -> None:
    def fail(_rule: int) -> None:
        raise DeadlineError

    found = kernel.compiled.Values(outset_of((0.0, 0.0), (0, 1), (1,), "(v[0] and 1)"), fail)
    with pytest.raises(DeadlineError):
        found[1]


@needs_kernel
def test_metas_that_ask_themselves_end() -> None:
    found = kernel.compiled.Values(outset_of((0.0, 5.0), (1,), (1,), "(v[1] + 1)"), never)
    assert 6 == found[1]


@needs_kernel
def test_a_search_within_a_search_disturbs_nothing() -> None:
    """A hit may ask for a value for which the same field is searched."""
    texts = (b"first", b"second")

    def scan(text: bytes, note: Any, _flags: int, _context: object, _scratch: object) -> None:
        for place in (1, 0, 1) if text == b"first" else (2,):
            note(place, 0, 1, 0, None)

    group = finder(scan, ((0, SETTLED, 1), (1, 0, 1), (2, 0, 1)))

    def work_out(_rule: int) -> None:
        assert [2] == group.find(b"second")

    where: dict[int, bytes] = {}
    found = kernel.compiled.Values(outset_of((0.0, 0.0, 0.0), (0,), ()), work_out, where)
    left: list[object] = []
    finders(group, confirm=lambda _run, candidate: left.append(candidate)).over(run_with(found), texts)
    assert [(None, 1, [b"first"], 0), (None, 2, [b"second"], 1)] == left
    assert {0: b"first"} == where
    assert {"R0": 1} == found.hits()


SETTLED = 1


@needs_kernel
def test_what_is_no_text_of_a_run_is_refused() -> None:
    found = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    for run, texts in ((run_with(found), ("x",)), (run_with(found), None), (run_with({}), ()), (found, ())):
        with pytest.raises((TypeError, AttributeError)):
            finders().over(run, texts)


@needs_kernel
def test_a_field_is_read_once_and_searched_if_it_is_there() -> None:
    values = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    for known, read, beside, expected in (
        ({}, b"read", None, [b"read"]),
        ({"X": b"known"}, b"read", None, [b"known"]),
        ({"X": None}, b"read", None, []),
        ({}, None, b"beside", [b"beside"]),
        ({}, None, None, []),
    ):
        scanned: list[bytes] = []
        headers = HeaderValues(message.parse(b""))
        headers.update(known)
        headers.beside = lambda _selector, beside=beside: beside  # type: ignore[misc]
        group = finder(lambda text, *_, scanned=scanned: scanned.append(text), ())
        run = SimpleNamespace(values=values, headers=headers, message=None)
        finders(group, read=lambda _message, read=read: read).in_field(run)
        assert expected == scanned
        assert {"X": expected[0] if expected else None} == headers


@needs_kernel
def test_what_is_no_field_of_a_run_is_refused() -> None:
    values = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    for run in (
        None,
        SimpleNamespace(values=values, headers=None, message=None),
        SimpleNamespace(values=values, headers={"X": "text"}, message=None),
        SimpleNamespace(values=None, headers={"X": b"octets"}, message=None),
    ):
        with pytest.raises((TypeError, AttributeError)):
            finders().in_field(run)
    nothing_there = SimpleNamespace(values=values, headers={}, message=None)
    with pytest.raises(KeyError):
        finders(read=lambda _message: None).in_field(nothing_there)


@needs_kernel
def test_a_failed_confirmation_comes_through() -> None:
    def fail(_run: object, _candidate: object) -> None:
        raise DeadlineError

    found = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    with pytest.raises(DeadlineError):
        finders(finder(find_first, ((0, 0, 1),)), confirm=fail).over(run_with(found), [b"x"])


@needs_kernel
def test_a_search_looks_at_the_clock_when_its_time_is_over() -> None:
    looks: list[int] = []
    groups = finders(finder(lambda *_: None, ()))
    for deadline, expected in ((time.perf_counter() + 1000, 0), (0, 3)):
        found = kernel.compiled.Values(
            outset_of((0.0,), (), ()), never, {}, set(), lambda: looks.append(1), deadline
        )
        groups.over(run_with(found), (b"x",) * 100)
        assert expected == len(looks)


@needs_kernel
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [b"a", b"a*", b"", b"(?<=a)b|$", b"^a?", b"[ab]", b"[\\x80-\\xff]", b"(?:a|\\xc3[\\xa4])", b"a\\Kb|b"]
    ),
    st.lists(st.sampled_from([b"a", b"b", b"\n", b"\xc3\xa4", b"-"]), max_size=12).map(b"".join),
    st.sampled_from([None, 1, 2, 5]),
)
def test_it_counts_as_python_does(source: bytes, text: bytes, most: int | None) -> None:
    confirm = Confirm(Regex(source, ""))
    matcher: Any = confirm.matcher(counts=True)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    found = matcher.count(text, -1 if most is None else most)
    assert found in (None, confirm.count(text, most))
    assert found is not None or b"K" in source


@needs_kernel
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"b", b"a*", b"", b"(?<=a)b|$", b"a(?=b)", b"(b)(?<x>-)?", b"a\\Kb", b"(?=a\\K)"]),
    st.lists(st.sampled_from([b"a", b"b", b"\n", b"\xc3\xa4", b"-"]), max_size=12).map(b"".join),
)
def test_the_first_match_is_that_of_python(source: bytes, text: bytes) -> None:
    confirm = Confirm(Regex(source, ""))
    matcher = confirm.matcher(counts=False)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    found = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: matcher).first(0, text)
    assert found == confirm.first(text) or (found is None and b"K" in source)


@needs_kernel
def test_a_first_match_is_asked_of_an_expression_that_exists_and_in_octets() -> None:
    group = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: None)
    assert group.first(0, b"a") is None
    for place in (-1, 1, 1 << 70):
        with pytest.raises(IndexError):
            group.first(place, b"a")
    with pytest.raises(TypeError):
        group.first(0, "a")
    with pytest.raises(TypeError):
        group.first(0)


@needs_kernel
def test_what_takes_too_many_steps_is_left_to_python() -> None:
    matcher: Any = Confirm(Regex(rb"^(?:a+)+[bc]$", "")).matcher(counts=False)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    assert matcher.count(b"a" * 5000, 1) is None
    group = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: matcher)
    assert group.first(0, b"a" * 5000) is None
    with pytest.raises(ValueError, match="PCRE2"):
        kernel.compiled.Matcher(b"(", None, None)


@needs_kernel
def test_all_matchers_are_made_beforehand() -> None:
    asked: list[int] = []
    settled, put_off, exact, by_python = 1, 2, 32, 64
    places = tuple((rule, flag, 1) for rule, flag in enumerate((0, settled, put_off, exact, by_python)))
    group = kernel.compiled.Finder(None, None, places, (), None, asked.append)
    group.make_ready()
    group.make_ready()
    assert asked == [0, 1, 2, 3]

    def fails(_place: int) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        kernel.compiled.Finder(None, None, places, (), None, fails).make_ready()


@needs_kernel
@pytest.mark.parametrize("fold", [b"", bytes(255)])
def test_a_table_of_another_size_is_refused(fold: bytes) -> None:
    with pytest.raises(ValueError, match="fold"):
        kernel.compiled.Finders((), (), (), (), (), (), fold, never, "", None)


def test_it_is_built_where_there_is_a_compiler(tmp_path: Path) -> None:
    try:
        built = build_kernel.build(tmp_path)
    except build_kernel.NotBuiltError as reason:
        pytest.skip(str(reason))
    assert [built] == list(tmp_path.iterdir())
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import _kernel; print(_kernel.INTERFACE)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"{kernel.INTERFACE}\n" == done.stdout


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "no-such-compiler"))
    with pytest.raises(build_kernel.NotBuiltError, match=r"no C compiler|Python\.h"):
        build_kernel.build(tmp_path)
    assert [] == list(tmp_path.iterdir())


class Asking:
    """A message of 3 octets, of which questions are asked: in the kernel and without it."""

    def __init__(self, *asked: Asked, in_python: bool = False) -> None:
        self.failed: list[tuple[int, str]] = []
        self.shown: dict[int, str] = {}
        raw = message.parse(b"abc")
        self.subject = Subject(raw, Settings({}), HeaderValues(raw), 0.0)
        outset = Outset(
            names=tuple(f"R{n}" for n in range(9)),
            first=(0.0,) * 9,
            waiting=frozenset({8}),
            kept=frozenset(),
            metas=(),
            asked={
                rule: Asked(question, ((rule, test),)) for question, tests in asked for rule, test in tests
            },
            failed=lambda rule, error: self.failed.append((rule, str(error))),
        )
        start = outset.in_python(Settler((), 9)) if in_python else outset.start()
        self.found = Found({}, (), self.look, math.inf, self.shown, self.subject)
        self.values = start(self.work_out, self.found)

    def look(self) -> None:
        """There is always time."""

    def work_out(self, rule: int) -> None:
        """As the evaluator does where the kernel does not."""
        self.values.ask((self.values._outset.asked[rule],))  # type: ignore[attr-defined]


def length(subject: Subject) -> int:
    return len(subject.message.raw)


def nothing(_subject: Subject) -> None:
    return None


def broken(_found: object) -> int:
    raise ZeroDivisionError("broken")


ASKED = (
    Asked(length, ((0, lambda n: n == 3), (1, lambda n: n), (2, lambda n: -n), (3, lambda n: n > 3))),
    Asked(nothing, ((4, broken),)),
    Asked(length, ((5, broken), (6, lambda n: f"{n} octets"), (7, lambda _: ""))),
    Asked(broken, ((8, lambda _: 1),)),
)


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_questions_are_asked_and_their_answers_are_values(in_python: bool) -> None:
    asking = Asking(*ASKED, in_python=in_python)
    asking.values.ask(ASKED)
    assert {"R0": 1, "R1": 3, "R2": 1, "R6": 1} == asking.values.hits()
    assert {6: "3 octets"} == asking.shown
    assert [(5, "broken"), (8, "broken")] == asking.failed
    assert (1,) == asking.values.unanswered((length, nothing, broken))


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_questions_are_asked_when_somebody_wants_to_know(in_python: bool) -> None:
    asking = Asking(*ASKED, in_python=in_python)
    asking.values.forget(range(9))
    assert [1, 3, 1, 0, 0, 0, 1, 0, 0] == [asking.values[rule] for rule in range(9)]
    assert [(5, "broken"), (8, "broken")] == asking.failed


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_a_question_is_asked_once(in_python: bool) -> None:
    times: list[Subject] = []
    asked = (Asked(lambda s: times.append(s) or 1, ((0, bool), (1, bool))),) * 2
    asking = Asking(in_python=in_python)
    asking.values.ask(asked)
    assert {"R0": 1, "R1": 1} == asking.values.hits()
    assert [asking.subject] == times


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_no_function_that_fails_holds_up_a_shutdown(in_python: bool) -> None:
    def stopped(_found: object) -> int:
        raise KeyboardInterrupt

    for asked in ((Asked(stopped, ((0, bool),)),), (Asked(length, ((0, stopped),)),)):
        with pytest.raises(KeyboardInterrupt):
            Asking(in_python=in_python).values.ask(asked)


@needs_kernel
@pytest.mark.parametrize("asked", [None, (1,), ((1, 2),), ((length, (1,)),), ((length, ((1,),)),)])
def test_what_is_no_question_is_refused(asked: Any) -> None:
    with pytest.raises(TypeError):
        Asking().values.ask(asked)
    with pytest.raises(TypeError):
        outset_of((0.0,), (), (), asked=((0, asked),))


@needs_kernel
def test_tests_of_no_rule_are_refused() -> None:
    for rule in (-1, 9):
        with pytest.raises(IndexError):
            Asking().values.ask(((length, ((rule, bool),)),))
    with pytest.raises(IndexError):
        outset_of((0.0,), (), (), asked=((1, (length, ())),))


@needs_kernel
def test_where_there_is_no_message_nothing_is_asked() -> None:
    found = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    with pytest.raises(TypeError):
        found.ask(((length, ((0, bool),)),))
    with pytest.raises(TypeError):
        found.unanswered((length,))
