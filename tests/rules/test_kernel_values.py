"""The compiled kernel gives what plain Python gives, and nothing that it is given makes it read astray."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pcre2  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.mime import message
from lazaret.rules import RuleSet, build_kernel, expression, kernel, load, metas
from lazaret.rules.confirm import Confirm
from lazaret.rules.run import DeadlineError

from .kernels import find_first, finder, finders, needs_kernel, never, outset_of, run_with

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


@needs_kernel
def test_most_metas_are_worked_out_in_the_kernel() -> None:
    assert kernel.code("(v[1] and (not v[2]) and ((sum((v[3], v[4], 1)) > 2) or (v[1] if v[2] else v[3])))")


@needs_kernel
@pytest.mark.parametrize(
    "source",
    ["(v[1] / v[2])", "(v[1] * v[2])", "(v[1] > 0.5)", "(v[1] + 10000000000)", "+".join("1" * 500)],
)
def test_what_is_not_about_whole_numbers_is_left_to_python(source: str) -> None:
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
