"""The rule language of SpamAssassin: text to rules, rules to compiled sets, sets to hits."""
