"""What `ifplugin`, `has()`, `can()` and `version` answer: the parts of SpamAssassin that rule files ask for.

A plugin is known by its class name and built in; its code is never loaded. Rule files use `has()` and `can()`
as a list of features, so the names here are those that published rule sets test for.
"""

VERSION = "4.000001"
"""The rule language spoken here, as `if (version >= …)` compares it."""

PERL_VERSION = "5.036000"

_PREFIX = "Mail::SpamAssassin::"

_DEFAULT_PLUGINS_WORDS = (
    "URIDNSBL SPF Pyzor Razor2 SpamCop AutoLearnThreshold WelcomeListSubject MIMEHeader ReplaceTags DKIM "
    "Check HTTPSMismatch URIDetail Bayes BodyEval DNSEval HTMLEval HeaderEval MIMEEval RelayEval URIEval "
    "WLBLEval VBounce ImageInfo FreeMail AskDNS HashBL DMARC"
)
DEFAULT_PLUGINS = frozenset(_DEFAULT_PLUGINS_WORDS.split())
"""What a stock installation loads; taken for loaded where no `loadplugin` line is read."""

_KNOWN_PLUGINS_WORDS = (
    "AWL TxRep TextCat Shortcircuit ASN RelayCountry DCC AntiVirus AccessDB PDFInfo PhishTag OLEVBMacro "
    "FromNameSpoof Phishing ExtractText DecodeShortURLs URILocalBL AuthRes ResourceLimits Reuse Rule2XSBody "
    "OneLineBodyRuleType Hashcash"
)
KNOWN_PLUGINS = DEFAULT_PLUGINS | frozenset(_KNOWN_PLUGINS_WORDS.split())

_RENAMED = {"Dmarc": "DMARC", "WhiteListSubject": "WelcomeListSubject"}

_CONF_FEATURES_WORDS = (
    "feature_originating_ip_headers feature_dns_local_ports_permit_avoid feature_bayes_auto_learn_on_error "
    "feature_uri_host_listed feature_yesno_takes_args feature_bug6558_free feature_edns "
    "feature_dns_query_restriction feature_registryboundaries feature_geodb feature_dns_block_rule "
    "feature_compile_regexp feature_meta_rules_matching feature_subjprefix feature_bayes_stopwords "
    "feature_get_host feature_welcomelist_blocklist feature_header_address_parser "
    "feature_local_tests_only feature_header_first_last feature_header_match_many feature_capture_rules "
    "perl_min_version_5010000 perl_min_version_5012000 has_tflags_nosubject has_tflags_nolog "
    "has_add_header_all"
)
_CONF_FEATURES = frozenset(_CONF_FEATURES_WORDS.split())

_PLUGIN_FEATURES = {
    "ASN": "has_asn_lookup_ipv6 has_asn_geodb has_check_asn has_check_asn_tag",
    "AskDNS": "has_tag_header",
    "BodyEval": "has_check_body_length has_plaintext_body_sig_ratio has_plaintext_sig_length",
    "DKIM": "has_arc",
    "DNSEval": "has_tflags_domains_only has_tflags_ips_only",
    "DecodeShortURLs": "has_short_url has_autoclean has_short_url_code has_user_agent has_get has_clear "
    "has_timeout has_max_redirections has_short_url_redir",
    "FreeMail": "has_freemail_skip_bulk_envfrom",
    "HashBL": "has_hashbl_bodyre has_hashbl_bodyre_num has_hashbl_emails has_hashbl_uris has_hashbl_ignore "
    "has_hashbl_email_regex has_hashbl_email_welcomelist has_hashbl_email_whitelist has_hashbl_tag "
    "has_hashbl_sha256 has_hashbl_attachments has_hashbl_email_domain has_hashbl_email_domain_alias",
    "HeaderEval": "has_check_for_unique_subject_id has_check_illegal_charset has_check_header_count_range",
    "MIMEEval": "has_check_for_ascii_text_illegal has_check_abundant_unicode_ratio has_check_qp_ratio "
    "has_check_for_mime",
    "MIMEHeader": "has_all_header has_tflags_range has_tflags_concat has_tflags_multiple has_capture_rules",
    "OLEVBMacro": "has_olemacro_redirect_uri has_olemacro_mhtml_uri has_olertfobject",
    "Pyzor": "has_fork has_perl",
    "Razor2": "has_fork",
    "RelayCountry": "has_bitmask",
    "SPF": "has_check_for_spf_errors has_check_spf_skipped_noenvfrom",
    "TextCat": "has_inactive_languages",
    "URIDNSBL": "has_tflags_domains_only has_tflags_notrim has_subtest_for_ranges has_uridnsbl_for_a "
    "has_uridnsbl_a_ns has_uridnsbl_skip_mailto",
    "URIDetail": "has_host_key",
    "WLBLEval": "has_check_uri_host_listed has_check_replyto_in_list has_check_mailfrom_matches_rcvd",
}


def short_name(class_name: str) -> str:
    """`Mail::SpamAssassin::Plugin::SPF` -> `SPF`; today's name for a renamed one; others as they are."""
    name = class_name.removeprefix(_PREFIX + "Plugin::")
    return _RENAMED.get(name, name)


def is_known(class_name: str) -> bool:
    """Whether it is a plugin of SpamAssassin itself, whose rules can be read here."""
    return short_name(class_name) in KNOWN_PLUGINS


def has(function: str, loaded: frozenset[str]) -> bool:
    """`has(A::B::fn)`: whether that feature exists, given the short names of the plugins loaded.

    `Lazaret::Evals::shipped` is ours: a SpamAssassin that reads our rules skips what only we can run.
    """
    if function == "Lazaret::Evals::shipped":
        return True
    owner, _, name = function.rpartition("::")
    if owner == _PREFIX + "Conf":
        return name in _CONF_FEATURES
    plugin = short_name(owner)
    return plugin in loaded and name in _PLUGIN_FEATURES.get(plugin, "").split()
