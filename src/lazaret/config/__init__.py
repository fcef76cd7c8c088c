"""The settings: where each is declared once, and how they are read."""
