"""PostgreSQL's own words: its full-text index, how it divides a table, and what stands for `$WORD`."""

from collections.abc import Sequence

from lazaret.model.partition import WEEKS
from lazaret.store.column_words import token, tokens
from lazaret.store.connection import Connection
from lazaret.store.dialect import NEWEST, Dialect, Warming, sql

MAX_POSITION = 16_383
"""PostgreSQL knows no position of a word beyond."""

_PENDING = (
    "SELECT gin_clean_pending_list(CAST(c.oid AS regclass)) FROM pg_class c"
    " WHERE c.oid = to_regclass('lz_text_idx_words') AND pg_has_role(c.relowner, 'USAGE')"
)
"""What was written lately stands in a list, which each search reads; whoever fills it up to 4 MB would sort
all of it in, for seconds, before his message is stored."""


class TsVector:
    """A tsvector with a GIN index over words made by us (`column_words.py`)."""

    # Without OFFSET it may take all rows in their order for cheaper than the index: it does not count the
    # words that lie elsewhere.
    matching = "SELECT t.msg FROM lz_text t WHERE t.words @@ CAST(CAST(:match AS text) AS tsquery) OFFSET 0"
    among = "l.id IN ($MATCHING)"
    # Not a join: it would put all of them in order to show fifty.
    among_newest = "COALESCE(l.id IN ($MATCHING), FALSE)"
    # COALESCE, or it takes every word for a rare one, and reads all messages instead of the newest.
    in_row = sql(
        "COALESCE((SELECT t.words FROM lz_text t WHERE t.msg = l.id)",
        "@@ CAST(CAST(:match AS text) AS tsquery), FALSE)",
    )
    # The words themselves lie elsewhere, those of each message on a page of their own. By the OR it puts two
    # indexes together, and does not read the words of all that are recent.
    in_recent = sql(
        "CASE WHEN l.id > :floor THEN l.id IN (SELECT t.msg FROM lz_text t",
        "WHERE t.words @@ CAST(CAST(:match AS text) AS tsquery) AND (t.msg > :floor OR t.msg < 0))",
        "ELSE",
        in_row,
        "END",
    )
    entries = 1000.0
    sample = (
        "SELECT count(*) FILTER (WHERE t.words @@ CAST(CAST(:match AS text) AS tsquery)),"
        " count(*) FILTER (WHERE t.words @@ CAST(CAST(:every AS text) AS tsquery))"
        " FROM (SELECT words FROM lz_text ORDER BY msg DESC LIMIT :some) t"
    )
    closer = 0
    row_cost = 10.0
    phrase_cost = 1.0
    columns = ("msg", "words")
    drop_index = "DROP INDEX lz_text_idx_words"
    # Of a million messages it writes parts of the index as often as this memory is full.
    make_index = (
        "SET maintenance_work_mem = '256MB'; CREATE INDEX lz_text_idx_words ON lz_text USING gin (words)"
    )
    add = "INSERT INTO lz_text (msg, words) VALUES (:id, CAST(CAST(:words AS text) AS tsvector))"
    is_removed_by_words = False
    remove = "DELETE FROM lz_text"

    def values(self, msg: int, columns: Sequence[str]) -> dict[str, object]:
        """The words with their positions, as PostgreSQL writes a tsvector."""
        placed = (f"{word}:{min(at, MAX_POSITION)}" for at, word in enumerate(tokens(columns), 1))
        return {"id": msg, "words": " ".join(placed)}

    def tend(self, connection: Connection) -> bool:
        connection.execute(_PENDING).fetchone()
        return False

    def match(self, columns: Sequence[str], words: Sequence[str], prefix: bool) -> dict[str, object]:
        end = ":*" if prefix else ""
        phrases = (" <-> ".join(token(column, word) for word in words) + end for column in columns)
        some = (" | ".join(token(column, word) for column in columns) for word in words)
        every = " & ".join(f"({one})" for one in some)
        if prefix:
            every = " | ".join(token(column, words[-1]) + ":*" for column in columns)
        return {"match": " | ".join(f"({phrase})" for phrase in phrases), "every": every}


class ListPartitions:
    """A table for each week, and one for all other tags."""

    is_made = (
        "SELECT count(*) FROM pg_class WHERE relname = 'quarantine' AND relkind = 'p'"
        " AND relnamespace = CAST(current_schema() AS regnamespace)"
    )
    make = (
        "LOCK TABLE quarantine",
        "ALTER TABLE quarantine RENAME TO quarantine_whole",
        "CREATE TABLE quarantine (LIKE quarantine_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
        " INCLUDING STORAGE) PARTITION BY LIST (partition_tag)",
        "ALTER TABLE quarantine ADD PRIMARY KEY (partition_tag, mail_id, chunk_ind)",
        *(
            f"CREATE TABLE quarantine_week_{week} PARTITION OF quarantine FOR VALUES IN ({week})"
            for week in range(1, WEEKS + 1)
        ),
        "CREATE TABLE quarantine_others PARTITION OF quarantine DEFAULT",
        "INSERT INTO quarantine SELECT * FROM quarantine_whole",
        "DROP TABLE quarantine_whole",
    )

    def clear(self, tag: int) -> str:
        return f"TRUNCATE TABLE quarantine_week_{tag:d}"


POSTGRESQL = Dialect(
    kind="postgresql",
    schema_words={
        "SERIAL": "bigserial PRIMARY KEY",
        "MAIL_ID": "bytea",
        "EMAIL": "bytea",
        "ORDERED": 'varchar(255) COLLATE "C"',
        "BLOB": "bytea",
        "TEXT": "text",
        "DIGEST": "bytea",
        "KEY": "bytea",
        "CLUSTERED": "",
        "OF_STORED": "WHERE quar_type = 'Q'",
        "PATIENCE": "",
        "CHAIN_AS_OCTETS": "",
        "WORDS_IN_LOWER_CASE": (
            "UPDATE lz_text SET words = CAST(REPLACE(REPLACE(CAST(words AS text), '_X', '__'), '_Y', '__y')"
            " AS tsvector) WHERE CAST(words AS text) ~ '_[XY]';"
        ),
        # Words of more than 2 KB lie elsewhere. What an index of words gives is the place of a row here: few
        # pages have them all, and remain in memory.
        "FEWER_PAGES": (
            "SET LOCAL maintenance_work_mem = '256MB';\n"
            "ALTER TABLE lz_text SET (toast_tuple_target = 128);\n"
            # Puts them there: all rows are written anew.
            "ALTER TABLE lz_text ALTER COLUMN words TYPE tsvector USING words || CAST('' AS tsvector);\n"
            "CREATE INDEX lz_msgs_idx_key ON lz_msgs (id) INCLUDE (partition_tag, mail_id);\n"
        ),
        "LEAVES": (
            "CREATE INDEX msgs_idx_moment ON msgs (partition_tag, mail_id) INCLUDE (time_num);\n"
            "DROP INDEX msgs_idx_sid;\n"
            "CREATE INDEX msgs_idx_sid ON msgs (sid) INCLUDE (partition_tag, mail_id);\n"
            "DROP INDEX msgrcpt_idx_rid;\n"
            "CREATE INDEX msgrcpt_idx_rid ON msgrcpt (rid) INCLUDE (partition_tag, mail_id);\n"
            # What its WHERE says the server does not look for: with quar_type in front it read all of it.
            "DROP INDEX msgs_idx_score;\n"
            "CREATE INDEX msgs_idx_score ON msgs (spam_level, mail_id, partition_tag) WHERE quar_type = 'Q';"
        ),
        "KEYS": "",
        "MOMENTS": (
            "DROP INDEX msgs_idx_sid;\n"
            "CREATE INDEX msgs_idx_sid ON msgs (sid) INCLUDE (partition_tag, mail_id, time_num);"
        ),
        "FULLTEXT": (
            "CREATE TABLE lz_text (msg bigint NOT NULL PRIMARY KEY, words tsvector NOT NULL);\n"
            # Words that lie elsewhere make the table seem small, and reading all of it cheap.
            "ALTER TABLE lz_text ALTER COLUMN words SET STORAGE MAIN;\n"
            "CREATE INDEX lz_text_idx_words ON lz_text USING gin (words);"
        ),
    },
    table_options="",
    begin="BEGIN",
    begin_snapshot="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    insert_new="INSERT INTO",
    on_known="ON CONFLICT DO NOTHING",
    lock="FOR UPDATE",
    share="FOR KEY SHARE",
    tables="SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    renumber="SELECT setval(pg_get_serial_sequence(:table, 'id'), (SELECT COALESCE(max(id), 1) FROM",
    columns=(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = :table"
    ),
    full_text=TsVector(),
    division=ListPartitions(),
    load_from=4,
    warming=Warming(
        # It would read the tables themselves: quicker, if it were for the result.
        setting=(
            "SET enable_seqscan = off",
            "SET enable_bitmapscan = off",
            "SET max_parallel_workers_per_gather = 0",
        ),
        ours=(
            "SELECT sum(length(o.mail_id)) FROM lz_msgs o WHERE o.id > 0",
            "SELECT sum(length(l.mail_id)) FROM lz_msgs l WHERE l.mail_id >= ''",
            # The rows, whose words lie elsewhere: an index of words gives their places.
            "SELECT count(t.words) FROM lz_text t WHERE t.msg > 0",
        ),
        theirs=(
            "SELECT sum(m.time_num) FROM msgs m WHERE m.partition_tag >= 0",
            "SELECT sum(length(r.mail_id)) FROM msgrcpt r WHERE r.mail_id >= ''",
            *NEWEST,
        ),
    ),
)
