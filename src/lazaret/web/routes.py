"""The table of all routes: path, page, and what one must be allowed to in order to see it."""

from lazaret.flow.rights import Right
from lazaret.web import home_pages, login_pages, search_pages
from lazaret.web.door import Page

PAGES = (
    # Open to all: these and no others.
    Page("/", home_pages.home, None),
    Page("/healthz", home_pages.healthz, None),
    Page("/readyz", home_pages.readyz, None),
    Page("/metrics", home_pages.metrics, None),
    Page("/login", login_pages.login, None),
    Page("/login", login_pages.log_in, None, ("POST",)),
    # For whoever is logged in.
    Page("/logout", login_pages.log_out, Right.ACCOUNT, ("POST",)),
    Page("/mail", search_pages.search, Right.FIND),
    Page("/static/{name}", home_pages.static, Right.ACCOUNT),
)
