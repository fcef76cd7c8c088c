-- The index of words puts off its larger work, which is done in small steps while nobody waits.

$PATIENCE
