"""Lazaret: a content filter and quarantine for mail."""

__version__ = "0.1.0"
