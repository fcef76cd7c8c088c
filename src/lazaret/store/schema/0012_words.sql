-- MariaDB takes words in lower case where it makes their index anew, as OPTIMIZE TABLE does, and finds no others then.

$WORDS_IN_LOWER_CASE
