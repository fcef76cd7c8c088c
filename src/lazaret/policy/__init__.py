"""Deciding, without side effects: what a score means for a recipient, and what to do with a message."""
