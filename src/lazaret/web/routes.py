"""The table of all routes: path, page, and what one must be allowed to in order to see it."""

from lazaret.flow.rights import Right
from lazaret.web import (
    bulk_pages,
    digest_pages,
    home_pages,
    link_pages,
    lists_pages,
    login_pages,
    mail_login_pages,
    message_pages,
    overview_pages,
    people_pages,
    request_pages,
    search_pages,
    second_factor_pages,
)
from lazaret.web.api import routes as api_routes
from lazaret.web.door import Page

PAGES = (
    # Open to all: these and no others.
    Page("/", home_pages.home, None),
    Page("/healthz", home_pages.healthz, None),
    Page("/readyz", home_pages.readyz, None),
    Page("/metrics", home_pages.metrics, None),
    Page("/login", login_pages.login, None),
    Page("/login", login_pages.log_in, None, ("POST",)),
    Page("/login/mail", mail_login_pages.ask, None),
    Page("/login/mail", mail_login_pages.send, None, ("POST",)),
    # For whoever has the link out of a mail: it says by its signature what it is good for.
    Page("/d/{token}", link_pages.show, None),
    Page("/d/{token}", link_pages.act, None, ("POST",)),
    # For whoever is logged in.
    Page("/digest", digest_pages.settings, Right.ACCOUNT),
    Page("/digest", digest_pages.change, Right.ACCOUNT, ("POST",)),
    Page("/requests", request_pages.requests, Right.DECIDE),
    Page("/requests", request_pages.decide, Right.DECIDE, ("POST",)),
    Page("/logout", login_pages.log_out, Right.ACCOUNT, ("POST",), unfinished=True),
    Page("/mail", search_pages.search, Right.FIND),
    Page("/mail/fresh", search_pages.fresh, Right.FIND),
    Page("/mail/acts", bulk_pages.acts, Right.FIND, ("POST",)),
    Page("/mail/all", bulk_pages.everything, Right.FIND, ("POST",)),
    Page("/mail/{id}", message_pages.message, Right.FIND),
    Page("/mail/{id}/frame", message_pages.frame, Right.PREVIEW),
    Page("/mail/{id}/raw", message_pages.raw, Right.DOWNLOAD),
    Page("/mail/{id}/part/{number}", message_pages.part, Right.DOWNLOAD),
    Page("/mail/{id}/release", message_pages.release, Right.RELEASE, ("POST",)),
    Page("/mail/{id}/request", message_pages.request, Right.REQUEST, ("POST",)),
    Page("/mail/{id}/learn", message_pages.learn, Right.LEARN, ("POST",)),
    Page("/mail/{id}/delete", message_pages.delete, Right.DELETE, ("POST",)),
    Page("/mail/{id}/undelete", message_pages.undelete, Right.DELETE, ("POST",)),
    Page("/lists", lists_pages.lists, Right.LISTS),
    Page("/lists", lists_pages.change, Right.LISTS, ("POST",)),
    Page("/overview", overview_pages.overview, Right.FIGURES),
    Page("/rules", overview_pages.rules, Right.FIGURES),
    Page("/audit", people_pages.audit, Right.AUDIT),
    Page("/people", people_pages.people, Right.PEOPLE),
    Page("/people", people_pages.invite, Right.PEOPLE, ("POST",)),
    Page("/people/change", people_pages.change, Right.PEOPLE, ("POST",)),
    Page("/account", people_pages.account, Right.ACCOUNT),
    Page("/account", people_pages.settings, Right.ACCOUNT, ("POST",)),
    Page("/account/second-factor", second_factor_pages.show, Right.ACCOUNT, unfinished=True),
    Page("/account/second-factor", second_factor_pages.change, Right.ACCOUNT, ("POST",), unfinished=True),
    Page("/static/{name}", home_pages.static, Right.ACCOUNT, unfinished=True),
    *api_routes.PAGES,
)
