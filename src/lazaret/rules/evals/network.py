"""Functions that rules cannot ask here: of the network, of the learner, of a history. Nobody is asked.

Such questions are asked by checks of their own. A rule that calls one of these is not run, as under
SpamAssassin's `local_tests_only`, and people are told what it needs.
"""

from lazaret.rules.evals import Settings, eval_test

_NETWORK = "needs the network"
_HISTORY = "needs a history of senders, and none is kept here"

_SPF = (
    *("pass", "neutral", "none", "fail", "softfail", "permerror", "temperror"),
    *("helo_pass", "helo_neutral", "helo_none", "helo_fail", "helo_softfail", "helo_permerror"),
    *("helo_temperror", "welcomelist_from"),
)
_NAMES = (
    *(f"check_for_spf_{result}" for result in _SPF),
    *("check_for_def_spf_welcomelist_from", "check_spf_skipped_noenvfrom"),
    *("check_dkim_signed", "check_dkim_verified", "check_dkim_valid", "check_dkim_valid_author_sig"),
    *(
        "check_dkim_valid_envelopefrom",
        "check_dkim_testing",
        "check_dkim_signsome",
        "check_dkim_signall",
        "check_dkim_adsp",
    ),
    *("check_dkim_dependable", "check_for_dkim_welcomelist_from", "check_for_def_dkim_welcomelist_from"),
    *("check_arc_signed", "check_arc_valid"),
    *("check_dmarc_pass", "check_dmarc_reject", "check_dmarc_quarantine", "check_dmarc_none"),
    "check_dmarc_missing",
    *("check_rbl", "check_rbl_sub", "check_rbl_txt", "check_rbl_accreditor", "check_rbl_envfrom"),
    *("check_rbl_from_host", "check_rbl_from_domain", "check_rbl_headers", "check_rbl_ns_from"),
    *("check_rbl_rcvd", "check_dns_sender", "check_uridnsbl"),
    *("check_hashbl_emails", "check_hashbl_uris", "check_hashbl_bodyre", "check_hashbl_tag"),
    "check_hashbl_attachments",
    *("check_pyzor", "check_razor2", "check_razor2_range", "check_dcc", "check_dcc_reputation_range"),
    *("short_url_redir", "short_url_chained", "short_url_maxchain", "short_url_loop"),
    *("short_url_code", "short_url_200", "short_url_404"),
)


NEEDS = {
    **dict.fromkeys(_NAMES, _NETWORK),
    "check_access_database": "needs a Berkeley DB file, which is not read here",
    "check_bayes": "needs the learner",
    "check_from_in_auto_welcomelist": _HISTORY,
    "check_senders_reputation": _HISTORY,
}
"""What each of these functions needs, in a few words."""


def _unasked(_settings: Settings, *_arguments: str) -> None:
    """There is no test: the rule never hits."""


for _name in NEEDS:
    eval_test(_name)(_unasked)
