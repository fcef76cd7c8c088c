-- Ranges of scores in the quarantine. Not made where another program made the tables.

CREATE INDEX msgs_idx_score ON msgs (quar_type, spam_level, mail_id, partition_tag) $OF_STORED;
