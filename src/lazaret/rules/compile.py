"""From a Book to a Program: which rules run, what they search, in which database."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import hyperscan

from lazaret.rules import database, deferral, evals, expression, metas, views
from lazaret.rules.book import WITH_LEARNER, Book, Kind, Problem, Regex, Rule
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex, made_ready
from lazaret.rules.evals import network
from lazaret.rules.expression import Node
from lazaret.rules.program import Called, Group, Program, Searched

Progress = Callable[[int, int], None]
"""Called with what is done and how much there is in all."""

_CAPTURE = re.compile(rb"\(\?P?<([A-Z][A-Z0-9_]*)>")
_TAG = re.compile(rb"%\{([A-Z][A-Z0-9_]*|HEADER\([^(){}]+\))\}")
_BACK_REFERENCE = re.compile(rb"\\[1-9]")
_VIEWS = {
    Kind.HEADER: "header",
    Kind.BODY: "body",
    Kind.RAWBODY: "rawbody",
    Kind.URI: "uri",
    Kind.FULL: "full",
    Kind.MIMEHEADER: "mimeheader",
}
_Forms = list[tuple[str, database.Form | None]]
"""Where a rule is placed: what is searched, and in which form."""

_Companies = dict[tuple[str, int], list[tuple[Rule, database.Form | None]]]
"""Reach and company of forms -> the rules there."""

_SMALL_COMPANY = 5
"""So many forms go with another company: compiled together these do not take long yet."""

_OF_LINES = (Kind.BODY, Kind.RAWBODY)
"""Kinds that search many texts of a message."""

_ORDINARY = {
    (Kind.URI, ""): b"http://www.example.com/index.html",
    (Kind.HEADER, "ALL"): (
        b"Return-Path: <sender@example.com>\n"
        b"Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx.example.net with ESMTP id A1B2"
        b" for <recipient@example.net>; Thu, 1 Jan 2026 12:00:00 +0000\n"
        b"Message-ID: <1@example.com>\nDate: Thu, 1 Jan 2026 12:00:00 +0000\n"
        b"From: Sender <sender@example.com>\nTo: recipient@example.net\nSubject: Hello\n"
        b"MIME-Version: 1.0\nContent-Type: text/plain\n"
    ),
}
"""Texts as nearly all messages have them: to look for what stands in them says nothing."""


def compile_book(book: Book, *, keep_subrules: bool = False, progress: Progress | None = None) -> Program:
    """The program for a book. Rules that cannot be used are left out and noted as problems.

    `keep_subrules` runs even the sub-rules that no scored rule depends on (to compare with SpamAssassin).
    """
    parsed, problems = metas.trees(book)
    active = _active(book, parsed, keep_subrules)
    usable, unusable = _usable(book, active)
    problems += unusable
    ordered = metas.order(parsed, usable)
    names = tuple(sorted(n for n in usable if book.rules[n].kind is not Kind.META) + ordered)
    numbers = {name: number for number, name in enumerate(names)}
    plain = names[: len(names) - len(ordered)]
    listed = ordered if keep_subrules else [n for n in ordered if not n.startswith("__")]
    single = {n for n in plain if book.rules[n].kind is not Kind.EVAL and book.max_hits(n) == 1}

    def planned(values: list[float], prices: Mapping[str, deferral.Price]) -> tuple[metas.Meta, ...]:
        return metas.plan(parsed, ordered, numbers, values, prices, listed, single)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        placed = _placed(book, plain, pool, progress or (lambda _done, _total: None))
        put_off: set[str] = set()
        guarded: set[str] = set()
        if not keep_subrules:
            confirmed = {name for name, forms in placed.items() if not _settles(book, name, forms)}
            capturing = {name for name in placed if _tags(_CAPTURE, book.rules[name])}
            put_off = deferral.deferred(book, plain, confirmed, capturing)
            guarded = _guarded(book, plain, placed, put_off, planned)
            placed |= {name: [("each", None)] for name in guarded}
        groups = _groups(book, placed, numbers, pool)
    searches = [s for group in groups for s in group.searched]
    values: list[float] = [0] * len(names)
    for group in groups:
        for searched in group.searched:
            if group.view == "header" and searched.when_absent:
                values[searched.rule] = 1
    return Program(
        book=replace(book, problems=(*book.problems, *problems), rules=_made_ready(book, names, searches)),
        names=names,
        groups=groups,
        called=tuple(
            Called(numbers[rule.name], evals.called(rule.function, rule.scope), rule.arguments)
            for rule in map(book.rules.__getitem__, names)
            if rule.kind is Kind.EVAL
        ),
        metas=planned(values, deferral.prices(book, plain, put_off, guarded)),
        deferred=tuple(sorted(numbers[n] for n in put_off)),
        baseline=tuple(values),
    )


def _made_ready(book: Book, names: Sequence[str], searches: Iterable[Searched]) -> dict[str, Rule]:
    """The rules, with what is known of the expressions that are run by themselves."""
    rules = dict(book.rules)
    for searched in searches:
        rule = rules[names[searched.rule]]
        assert rule.regex is not None
        # Also of those that a database settles: they are run to show where they match.
        if not searched.needs:
            confirms = not searched.exact and searched.max_hits == 1
            rules[rule.name] = replace(rule, regex=made_ready(rule.regex, confirms=confirms))
    return rules


def _active(book: Book, parsed: Mapping[str, Node], keep_subrules: bool) -> set[str]:
    """Rules that are not switched off (score 0) and that some listed rule depends on."""
    running = {n for n in book.rules if book.score(n) != 0}
    if keep_subrules:
        return running
    running |= _beside_learner(book, parsed, running)
    capturing: dict[bytes, list[str]] = {}
    for name in running:
        for tag in _tags(_CAPTURE, book.rules[name]):
            capturing.setdefault(tag, []).append(name)
    active = set()
    waiting = [n for n in running if not n.startswith("__")]
    while waiting:
        name = waiting.pop()
        if name in active or name not in running:
            continue
        active.add(name)
        if name in parsed:
            waiting += expression.names(parsed[name])
        for tag in _tags(_TAG, book.rules[name]):
            waiting += capturing.get(tag, ())
    return active


def _beside_learner(book: Book, parsed: Mapping[str, Node], running: Collection[str]) -> set[str]:
    """Listed rules that have a score beside a learner alone.

    Whatever others build on stays off: without a learner it counts as 0 there, and what ends the examination
    would end it.
    """
    found = {
        name
        for name, rule in book.rules.items()
        if not name.startswith("__")
        and name not in running
        and book.score(name, WITH_LEARNER) != 0
        and not _tags(_CAPTURE, rule)
    }
    ending = {line.partition(" ")[0] for line in book.settings.get("shortcircuit", ())}
    built_on = {n for name in (*running, *found) if name in parsed for n in expression.names(parsed[name])}
    return found - ending - built_on


def _tags(spelling: re.Pattern[bytes], rule: Rule) -> list[bytes]:
    return spelling.findall(rule.regex.source) if rule.regex is not None else []


def _usable(book: Book, active: Iterable[str]) -> tuple[set[str], list[Problem]]:
    """Those that can run here. What cannot run counts as 0 in metas."""
    usable = set()
    problems = []
    for name in active:
        rule = book.rules[name]
        if rule.kind is Kind.EMPTY or _needs_more(book, rule):
            continue
        complaint = _complaint(rule)
        if complaint:
            problems.append(Problem(rule.file, rule.line, f"{name}: {complaint}"))
        else:
            usable.add(name)
    return usable, sorted(problems, key=lambda p: (p.file, p.line))


def _complaint(rule: Rule) -> str:
    if rule.kind is Kind.EVAL and rule.function not in evals.functions():
        return f"the eval function {rule.function}() is not available here; the rule never hits"
    if rule.regex is not None and not _TAG.search(rule.regex.source):
        try:
            Confirm(rule.regex).compile()
        except UnusableRegex as error:
            return f"the expression cannot be used: {error}"
    return ""


def _needs_more(book: Book, rule: Rule) -> bool:
    """Eval rules for the network or the learner, which score set 0 does without."""
    if rule.kind is not Kind.EVAL:
        return False
    return rule.function in network.NEEDS or bool({"net", "learn"} & set(book.flags.get(rule.name, ())))


def _placed(
    book: Book, names: Iterable[str], pool: ThreadPoolExecutor, progress: Progress
) -> dict[str, _Forms]:
    """Rules that search something, and how: those of the views with most rules first."""
    together: dict[tuple[str, str], list[Rule]] = {}
    for name in names:
        rule = book.rules[name]
        if rule.kind in _VIEWS:
            together.setdefault((_VIEWS[rule.kind], rule.selector), []).append(rule)
    rules = [rule for each in sorted(together.values(), key=len, reverse=True) for rule in each]
    placed = {}
    for done, (rule, forms) in enumerate(zip(rules, pool.map(_forms, rules), strict=True), 1):
        placed[rule.name] = forms
        progress(done, len(rules))
    return placed


def _settles(book: Book, name: str, forms: _Forms) -> bool:
    """Whether what is found in a database needs no confirmation."""
    return book.rules[name].regex is None or (
        book.max_hits(name) == 1 and all(form is not None and form.exact for _, form in forms)
    )


def _says_little(rule: Rule, forms: _Forms) -> bool:
    """Whether lines are searched for it octet by octet (not those of rawbody, which are many and long), or a
    whole header is, or nearly any link would do."""
    if rule.kind is Kind.URI:
        return forms == [("each", None)]
    return rule.selector == "ALL" or (rule.kind is Kind.BODY and any(reach == "ascii" for reach, _ in forms))


def _guarded(
    book: Book,
    names: Sequence[str],
    placed: Mapping[str, _Forms],
    put_off: Collection[str],
    planned: Callable[[list[float], Mapping[str, deferral.Price]], tuple[metas.Meta, ...]],
) -> set[str]:
    """Rules that take long to search, and that no meta asks for before others have hit: better not searched
    at all until then."""
    dear = {
        name
        for name, forms in placed.items()
        if name in put_off
        and deferral.can_run_alone(book.rules[name])
        and not _hits_absent(book.rules[name])
        and _says_little(book.rules[name], forms)
    }
    metas_then = planned([0] * len(book.rules), deferral.prices(book, names, put_off, dear))
    waking = {rule for meta in metas_then for rule in meta.triggers or ()}
    return {name for place, name in enumerate(names) if name in dear and place not in waking}


def _groups(
    book: Book, placed: Mapping[str, _Forms], numbers: Mapping[str, int], pool: ThreadPoolExecutor
) -> tuple[Group, ...]:
    together: dict[tuple[str, str], _Companies] = {}
    spelled: dict[str, str] = {}
    """Selectors as they are written first."""
    for name, forms in placed.items():
        rule = book.rules[name]
        selector = spelled.setdefault(views.alike(rule.selector), rule.selector)
        companies = together.setdefault((_VIEWS[rule.kind], selector), {})
        for reach, form in forms:
            companies.setdefault((reach, form.company if form else 0), []).append((rule, form))
    groups = [
        pool.submit(_group, book, (view, selector, reach), members, numbers)
        for (view, selector), companies in together.items()
        for (reach, _), members in _joined(companies).items()
    ]
    # What captures must run before what needs the captured text.
    built = [group.result() for group in groups]
    return tuple(sorted(built, key=lambda g: not any(s.captures for s in g.searched)))


def _joined(companies: _Companies) -> _Companies:
    """The same with small companies in the first of their reach: however small, each database costs."""
    joined: _Companies = {}
    for (reach, company), members in sorted(companies.items(), key=lambda item: item[0]):
        first = next((place for place in joined if place[0] == reach), None)
        if first is not None and len(members) <= _SMALL_COMPANY:
            joined[first] += members
        else:
            joined[reach, company] = members
    return joined


def _forms(rule: Rule) -> _Forms:
    """Where the rule is placed: what is searched, and in which form."""
    if rule.regex is None:
        return [("each", None)]
    source = _TAG.sub(rb"(?:[\\x00-\\xff]*)", rule.regex.source)
    regex = Regex(source, rule.regex.modifiers)
    if source != rule.regex.source or _CAPTURE.search(source) is not None:
        return [("each", database.form_of(regex, exact=False))]
    if rule.kind is Kind.MIMEHEADER:
        return [("each", database.form_of(regex))]
    if _is_ordinary(rule):
        return [("each", None)]
    return database.forms_of(regex, lines=rule.kind in _OF_LINES).placed


def _is_ordinary(rule: Rule) -> bool:
    """Whether a database would find it nearly everywhere. There a back reference may be anything."""
    text = _ORDINARY.get((rule.kind, rule.selector))
    if text is None or rule.regex is None:
        return False
    source = _BACK_REFERENCE.sub(rb"(?:[\\x00-\\xff]*)", rule.regex.source)
    try:
        return Confirm(Regex(source, rule.regex.modifiers)).search(text) is not None
    except (MatchLimit, UnusableRegex):
        return False


def _group(
    book: Book,
    kind: tuple[str, str, str],
    rules: list[tuple[Rule, database.Form | None]],
    numbers: Mapping[str, int],
) -> Group:
    with_form = [(rule, form) for rule, form in rules if form is not None]
    try:
        serialised = database.build([form for _, form in with_form])
    except hyperscan.error:
        with_form = [(rule, form) for rule, form in with_form if database.compiles(form)]
        serialised = database.build([form for _, form in with_form])
    placed = {rule.name for rule, _ in with_form}
    alone = [rule for rule, _ in rules if rule.name not in placed and rule.regex is not None]
    searched = [_searched(book, rule, form.exact, numbers) for rule, form in with_form]
    return Group(
        *kind,
        tuple(searched + [_searched(book, rule, False, numbers) for rule in alone]),
        len(with_form),
        serialised,
        tuple(numbers[rule.name] for rule, _ in rules if rule.exists),
    )


def _searched(book: Book, rule: Rule, exact: bool, numbers: Mapping[str, int]) -> Searched:
    assert rule.regex is not None
    limit = book.max_hits(rule.name)
    needs = tuple(t.decode() for t in _TAG.findall(rule.regex.source))
    return Searched(
        rule=numbers[rule.name],
        exact=exact and limit == 1,
        max_hits=limit,
        negated=rule.negated,
        skips_subject="nosubject" in book.flags.get(rule.name, ()),
        when_absent=not needs and _hits_absent(rule),
        captures=tuple(t.decode() for t in _CAPTURE.findall(rule.regex.source)),
        needs=needs,
    )


def _hits_absent(rule: Rule) -> bool:
    """An absent field is the `if-unset` text, or else empty (as Perl matches an undefined value)."""
    if rule.regex is None or rule.kind not in (Kind.HEADER, Kind.MIMEHEADER):
        return False
    try:
        found = Confirm(rule.regex).search(rule.if_unset or b"") is not None
    except MatchLimit:
        found = False
    return found != rule.negated
