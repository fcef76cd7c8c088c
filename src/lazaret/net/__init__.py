"""Outgoing connections: sockets round the codecs of `wire`."""
