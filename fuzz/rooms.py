"""Which code each target is about: to watch all of it takes a minute before the first step."""

ROOMS = {
    "smtp_server": "lazaret.wire",
    "smtp_client": "lazaret.wire",
    "ampdp": "lazaret.wire",
    "spamd": "lazaret.wire",
    "mime": "lazaret.mime",
    "edit": "lazaret.mime",
    "rule_syntax": "lazaret.rules",
    "search_query": "lazaret.store.query",
    "html_page": "lazaret.mime",
    "text_lines": "lazaret.mime",
    "html_preview": "lazaret.web.safe_html",
    "rules": "lazaret.rules",
    "features": "lazaret.learn",
    "attached_file": "lazaret.rules.evals",
    "amavisd_conf": "lazaret.config",
}
