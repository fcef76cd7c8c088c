-- What a search asks of many messages stands in the leaves of indexes. Not where another program made the tables.

$LEAVES
