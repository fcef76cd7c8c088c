"""What stands before a subject: a policy's text, with the words that amavis replaces in it."""

import re
from collections.abc import Iterable
from email.utils import formatdate

from lazaret.flow.arrival import Arrival
from lazaret.flow.fields import Site, number
from lazaret.mime.edit import tag_pattern
from lazaret.model.verdict import Action, Verdict

_WORD = re.compile(r"_(?:SCORE|REQD|YESNOCAPS|YESNO|HOSTNAME|DATE|U|LOGID|MAILID)_")


def subject_tag(verdict: Verdict, arrival: Arrival, site: Site) -> str:
    """The tag of one copy; "" for none."""
    tag = verdict.subject_tag
    if "_" not in tag:
        return tag
    yes = "Yes" if verdict.action is Action.MARK else "No"
    words = {
        "_SCORE_": number(verdict.score),
        "_REQD_": number(verdict.policy.levels.mark),
        "_YESNO_": yes,
        "_YESNOCAPS_": yes.upper(),
        "_HOSTNAME_": site.hostname,
        "_DATE_": formatdate(arrival.time, localtime=True),
        "_U_": str(int(arrival.time)),
        "_LOGID_": arrival.log_id,
        "_MAILID_": arrival.mail_id,
    }
    return _WORD.sub(lambda word: words[word[0]], tag)


def tag_patterns(tags: Iterable[str]) -> tuple[re.Pattern[bytes], ...]:
    """For `mime.edit.without_tag`: copies of messages that these policies' texts have marked."""
    return tuple(tag_pattern(tag, _WORD) for tag in sorted(set(tags), key=len, reverse=True) if tag.strip())
