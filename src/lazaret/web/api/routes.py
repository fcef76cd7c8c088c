"""The table of operations: path, method, what it needs, takes and gives."""

from dataclasses import dataclass
from typing import Any

from lazaret.flow.rights import Right
from lazaret.web.api import (
    account,
    account_shapes,
    factors,
    figure_shapes,
    figures,
    lines,
    lists,
    messages,
    openapi,
    own,
    people,
    policies,
    policy_shapes,
    reading_shapes,
    shapes,
)
from lazaret.web.api.openapi import AFTER, ID, KEY, NUMBER, PLACE, QUERY, number, text
from lazaret.web.door import DEAR, Page

V1 = "/api/v1"
POST = ("POST",)
EML = "message/rfc822"
HOURS = number("hours", 24, 1, figures.MOST_HOURS)


@dataclass(frozen=True, slots=True)
class Operation:
    """A line of the table."""

    page: Page
    gives: type | None
    """None: not JSON of ours."""
    parameters: tuple[dict[str, Any], ...] = ()
    takes: type | None = None
    may_lack: bool = False
    """What it is about may not be there, though no path names it."""
    media: str = "application/json"
    """Of an answer that is not JSON of ours."""


_BESIDE = (
    Operation(Page(f"{V1}/openapi.json", openapi.document, None), None),
    Operation(Page(f"{V1}/me", figures.me, Right.FIND), shapes.Me),
    Operation(
        Page(f"{V1}/messages", messages.find, Right.FIND, cost=DEAR),
        shapes.Messages,
        (QUERY, PLACE, number("limit", messages.PAGE, 1, messages.MOST), AFTER),
    ),
    Operation(
        Page(f"{V1}/messages/grouped", lines.grouped, Right.FIND, cost=DEAR),
        shapes.Lines,
        (QUERY, PLACE, number("limit", lines.PAGE, 1, lines.MOST), AFTER),
    ),
    Operation(
        Page(f"{V1}/messages/fresh", lines.fresh, Right.FIND, cost=DEAR),
        shapes.Fresh,
        (
            QUERY,
            PLACE,
            number("limit", lines.PAGE, 1, lines.MOST),
            text("newer", "`newest` of the answer before, or a moment in seconds since 1970."),
            number("each", 0, 0, 1) | {"description": "1: each message is a line."},
        ),
    ),
    Operation(
        Page(f"{V1}/messages/count", messages.count, Right.FIND, cost=DEAR), shapes.Count, (QUERY, PLACE)
    ),
    Operation(Page(f"{V1}/messages/{{id}}", messages.show, Right.FIND), shapes.Detail, (ID,)),
    Operation(Page(f"{V1}/messages/{{id}}/text", messages.text, Right.PREVIEW), reading_shapes.Text, (ID,)),
    Operation(
        Page(f"{V1}/messages/{{id}}/html", messages.html, Right.PREVIEW),
        None,
        (ID, number("remote", 0, 0, 1) | {"description": "1: with the addresses of remote pictures."}),
        media="text/html",
    ),
    Operation(Page(f"{V1}/messages/{{id}}/raw", messages.raw, Right.DOWNLOAD), None, (ID,), media=EML),
    Operation(
        Page(f"{V1}/messages/{{id}}/attachments/{{number}}", messages.attachment, Right.DOWNLOAD),
        None,
        (ID, NUMBER),
        media="application/octet-stream",
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/release", messages.release, Right.RELEASE, POST),
        shapes.Outcome,
        (ID, KEY),
        shapes.ReleaseWish,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/learn", messages.learn, Right.LEARN, POST),
        shapes.Taught,
        (ID,),
        shapes.Lesson,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/delete", messages.delete, Right.DELETE, POST),
        shapes.Outcome,
        (ID,),
        shapes.Nothing,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/undelete", messages.undelete, Right.DELETE, POST),
        shapes.Outcome,
        (ID,),
        shapes.Nothing,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/request", messages.request, Right.REQUEST, POST),
        shapes.Outcome,
        (ID,),
        shapes.Nothing,
    ),
    Operation(Page(f"{V1}/acts", messages.acts, Right.FIND, POST), shapes.Outcomes, (KEY,), shapes.Acts),
    Operation(
        Page(f"{V1}/acts/search", messages.acts_on_search, Right.FIND, POST, cost=DEAR),
        shapes.SearchOutcomes,
        (KEY,),
        shapes.SearchActs,
    ),
    Operation(
        Page(f"{V1}/requests", messages.requests, Right.DECIDE, cost=DEAR),
        shapes.Messages,
        (number("limit", messages.PAGE, 1, messages.MOST), AFTER),
    ),
    Operation(
        Page(f"{V1}/requests/decide", messages.decide, Right.DECIDE, POST),
        shapes.Outcome,
        (KEY,),
        shapes.Decision,
        may_lack=True,
    ),
    Operation(
        Page(f"{V1}/overview", figures.overview, Right.FIGURES, cost=DEAR),
        figure_shapes.Figures,
        (HOURS,),
    ),
    Operation(
        Page(f"{V1}/overview/volume", figures.volume, Right.FIGURES, cost=DEAR),
        figure_shapes.Volume,
        (HOURS, number("step", 1, 1, figures.MOST_HOURS) | {"description": "Hours of a span."}),
    ),
    Operation(
        Page(f"{V1}/overview/senders", figures.senders, Right.FIGURES, cost=DEAR),
        figure_shapes.Senders,
        (HOURS, number("limit", 10, 1, 500)),
    ),
    Operation(
        Page(f"{V1}/audit", figures.audit, Right.AUDIT),
        shapes.Record,
        (
            number("limit", 100, 1, 500),
            number("before", 0, 0, 1 << 53),
            text("who", "Only of this person, as web:ann@example.org."),
            text("id", "Only about this message."),
        ),
    ),
    Operation(Page(f"{V1}/audit/check", figures.check_audit, Right.AUDIT, cost=DEAR), shapes.Chain),
    Operation(
        Page(f"{V1}/rules", figures.rules, Right.FIGURES, cost=DEAR),
        figure_shapes.Rules,
        (number("hours", 7 * 24, 1, figures.MOST_HOURS),),
    ),
    Operation(
        Page(f"{V1}/policy", policies.policy, Right.POLICIES),
        policy_shapes.PolicyExplained,
        (
            text("address", "The recipient for whom it holds."),
            text("sender", "What the recipient's lists say of him, too."),
        ),
    ),
    Operation(
        Page(f"{V1}/policies", policies.policies, Right.POLICIES),
        policy_shapes.Policies,
        (
            number("limit", policies.PAGE, 1, policies.MOST),
            text("after", "The cursor `next` of the page before."),
        ),
    ),
    Operation(
        Page(f"{V1}/policies/settings", policies.policy_settings, Right.POLICIES),
        policy_shapes.SettingMeanings,
    ),
    Operation(
        Page(f"{V1}/policies/set", policies.set_policy, Right.LEVELS, POST),
        policy_shapes.PolicySet,
        takes=policy_shapes.PolicyWish,
    ),
    Operation(
        Page(f"{V1}/policies/unset", policies.unset_policy, Right.LEVELS, POST),
        policy_shapes.PolicyTakenBack,
        takes=policy_shapes.TakenBack,
    ),
    Operation(
        Page(f"{V1}/policies/named", policies.named_policies, Right.POLICIES), policy_shapes.NamedPolicies
    ),
    Operation(
        Page(f"{V1}/policies/named/set", policies.set_named_policy, Right.LEVELS, POST),
        policy_shapes.NamedPolicySet,
        takes=policy_shapes.NamedWish,
    ),
    Operation(
        Page(f"{V1}/simulate", figures.simulate, Right.FIGURES, POST, cost=DEAR),
        figure_shapes.Simulated,
        takes=figure_shapes.Simulation,
    ),
    Operation(Page(f"{V1}/searches", own.searches, Right.FIND), shapes.Searches),
    Operation(
        Page(f"{V1}/searches", own.save_search, Right.SEARCHES, POST), shapes.Search, takes=shapes.NewSearch
    ),
    Operation(
        Page(f"{V1}/searches/{{number}}/rename", own.rename_search, Right.SEARCHES, POST),
        shapes.Searches,
        (NUMBER,),
        shapes.NewName,
        may_lack=True,
    ),
    Operation(
        Page(f"{V1}/searches/{{number}}/remove", own.remove_search, Right.SEARCHES, POST),
        shapes.Searches,
        (NUMBER,),
        shapes.Nothing,
        may_lack=True,
    ),
    Operation(
        Page(f"{V1}/digest", own.digest, Right.DIGEST),
        shapes.Digest,
        (text("address", "Whose; without it one's own first address."),),
        may_lack=True,
    ),
    Operation(
        Page(f"{V1}/digest", own.choose_digest, Right.DIGEST, POST),
        shapes.Digest,
        takes=shapes.DigestWish,
        may_lack=True,
    ),
    Operation(
        Page(f"{V1}/lists", lists.entries, Right.LISTS),
        shapes.ListEntries,
        (text("q", "Part of a sender or an owner."), AFTER),
    ),
    Operation(
        Page(f"{V1}/lists/add", lists.add_entry, Right.LISTS, POST),
        shapes.ListEntries,
        takes=shapes.NewListing,
    ),
    Operation(
        Page(f"{V1}/lists/remove", lists.remove_entry, Right.LISTS, POST),
        shapes.ListEntries,
        takes=shapes.Listing,
    ),
    Operation(Page(f"{V1}/people", people.people, Right.PEOPLE), shapes.People),
    Operation(
        Page(f"{V1}/people", people.invite_person, Right.PEOPLE, POST),
        shapes.Invitation,
        takes=shapes.NewPerson,
    ),
    Operation(
        Page(f"{V1}/people/change", people.change_person, Right.PEOPLE, POST),
        shapes.Invitation,
        takes=shapes.ChangeOfPerson,
        may_lack=True,
    ),
)
_OF_ACCOUNT = (
    Operation(Page(f"{V1}/account", account.account, Right.ACCOUNT), account_shapes.Account),
    Operation(
        Page(f"{V1}/account/language", account.account_language, Right.ACCOUNT, POST),
        account_shapes.Done,
        takes=account_shapes.LanguageWish,
    ),
    Operation(
        Page(f"{V1}/account/password", account.account_password, Right.ACCOUNT, POST),
        account_shapes.Done,
        takes=account_shapes.NewPassword,
    ),
    Operation(Page(f"{V1}/account/sessions", account.sessions, Right.ACCOUNT), account_shapes.Sessions),
    Operation(
        Page(f"{V1}/account/sessions/end", account.end_session, Right.ACCOUNT, POST),
        account_shapes.Sessions,
        takes=account_shapes.EndSession,
        may_lack=True,
    ),
    Operation(Page(f"{V1}/account/tokens", account.tokens, Right.ACCOUNT), account_shapes.Tokens),
    Operation(
        Page(f"{V1}/account/tokens", account.make_token, Right.ACCOUNT, POST),
        account_shapes.MadeToken,
        takes=account_shapes.NewToken,
    ),
    Operation(
        Page(f"{V1}/account/tokens/remove", account.remove_token, Right.ACCOUNT, POST),
        account_shapes.Tokens,
        takes=account_shapes.RemoveToken,
        may_lack=True,
    ),
)
_FACTORS = (
    Operation(
        Page(f"{V1}/account/second-factor/propose", factors.propose_app, Right.ACCOUNT, POST),
        account_shapes.AppProposal,
        takes=account_shapes.Proof,
    ),
    Operation(
        Page(f"{V1}/account/second-factor/confirm", factors.confirm_app, Right.ACCOUNT, POST),
        account_shapes.RecoveryCodes,
        takes=account_shapes.FirstCode,
    ),
    Operation(
        Page(f"{V1}/account/second-factor/codes", factors.new_codes, Right.ACCOUNT, POST),
        account_shapes.RecoveryCodes,
        takes=account_shapes.CodeShown,
    ),
    Operation(
        Page(f"{V1}/account/second-factor/remove", factors.remove_app, Right.ACCOUNT, POST),
        account_shapes.Done,
        takes=account_shapes.CodeShown,
    ),
    Operation(Page(f"{V1}/account/passkeys", factors.passkeys, Right.ACCOUNT), account_shapes.Passkeys),
    Operation(
        Page(f"{V1}/account/passkeys/rename", factors.rename_passkey, Right.ACCOUNT, POST),
        account_shapes.Passkeys,
        takes=account_shapes.RenamePasskey,
        may_lack=True,
    ),
    Operation(
        Page(f"{V1}/account/passkeys/remove", factors.remove_passkey, Right.ACCOUNT, POST),
        account_shapes.Passkeys,
        takes=account_shapes.RemovePasskey,
        may_lack=True,
    ),
)
OPERATIONS = (*_BESIDE, *_OF_ACCOUNT, *_FACTORS)

PAGES = tuple(operation.page for operation in OPERATIONS)
