"""The words that the databases do not share, for SQLite; all other statements are common to the three."""

SCHEMA_WORDS = {
    "SERIAL": "INTEGER PRIMARY KEY",
    "BLOB": "blob",
    "TEXT": "text",
    "DIGEST": "blob",
    "KEY": "blob",
    "CLUSTERED": "WITHOUT ROWID",
    # Without content of its own the index is a third the size; lz_words has what a deletion needs.
    # The tokenizer "ascii" takes each of our words as it is: it splits at ASCII punctuation alone.
    "FULLTEXT": (
        "CREATE VIRTUAL TABLE lz_text USING fts5("
        "subject, sender, recipients, body, attachments, content='', tokenize='ascii');"
    ),
}
"""What stands for `$WORD` in the files of `schema/`."""

INSERT_NEW = "INSERT OR IGNORE INTO"
"""Inserts the rows that violate no unique key, and passes over the others."""

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"

MATCHING = "SELECT rowid FROM lz_text WHERE lz_text MATCH :match"
"""The `lz_msgs.id` of the messages that match a full-text expression."""

INDEX_WORDS = (
    "INSERT INTO lz_text (rowid, subject, sender, recipients, body, attachments)"
    " VALUES (:id, :subject, :sender, :recipients, :body, :attachments)"
)
UNINDEX_WORDS = (
    "INSERT INTO lz_text (lz_text, rowid, subject, sender, recipients, body, attachments)"
    " VALUES ('delete', :id, :subject, :sender, :recipients, :body, :attachments)"
)
MERGE_WORDS = "INSERT INTO lz_text (lz_text, rank) VALUES ('merge', 64)"


def sql(*pieces: str) -> str:
    """One statement out of constant pieces. Values never come in here: they are parameters, always."""
    return " ".join(pieces)


def match(columns: str, words: tuple[str, ...], prefix: bool) -> str:
    """The full-text expression for words that follow each other, in one of `columns`.

    `words` are letters and digits alone (model.words), so that nothing in them needs escaping.
    """
    return '{%s} : "%s"%s' % (columns, " ".join(words), " *" if prefix else "")  # noqa: UP031
