"""Puts the concrete parts together from the configuration; nothing else knows which parts there are.

What only the filter needs is imported where it is made: `lazaret find` is not to wait for it.
"""

from lazaret.app.certificates import check_page_certificate
from lazaret.app.for_filter import Parts, checks, open_parts, preload, server_settings
from lazaret.app.for_learner import make_learner, make_teaching, open_writer
from lazaret.app.for_people import (
    expiry,
    late_digests,
    make_desk,
    make_digests,
    make_links,
    make_list_desk,
    make_mail_login,
    make_passkeys,
    make_policy_desk,
    make_seal,
    make_sign_on,
    make_simulator,
    open_desk,
)
from lazaret.app.rules import load_rules, store_rules, stored_rules, trusted_networks
from lazaret.app.surroundings import lookup_of, open_store, policy_of, release_relay, site_of

__all__ = [
    "Parts",
    "check_page_certificate",
    "checks",
    "expiry",
    "late_digests",
    "load_rules",
    "lookup_of",
    "make_desk",
    "make_digests",
    "make_learner",
    "make_links",
    "make_list_desk",
    "make_mail_login",
    "make_passkeys",
    "make_policy_desk",
    "make_seal",
    "make_sign_on",
    "make_simulator",
    "make_teaching",
    "open_desk",
    "open_parts",
    "open_store",
    "open_writer",
    "policy_of",
    "preload",
    "release_relay",
    "server_settings",
    "site_of",
    "store_rules",
    "stored_rules",
    "trusted_networks",
]
