-- When messages came in, by their keys, without the rows. Not where another program made the tables.

$MOMENTS
