-- SQLite keeps what a statement writes as a text as one: no other database has that, and no restore there was proven.

$CHAIN_AS_OCTETS
