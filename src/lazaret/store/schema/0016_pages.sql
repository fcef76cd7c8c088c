-- The rows that a search goes through by their numbers lie close together.

$FEWER_PAGES
