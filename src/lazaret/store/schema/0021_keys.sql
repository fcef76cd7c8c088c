-- The keys of messages by their numbers, without the rows.

$KEYS
