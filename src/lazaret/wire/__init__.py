"""Protocols as state machines: octets in, events out. No socket, no clock, no await, no log."""
