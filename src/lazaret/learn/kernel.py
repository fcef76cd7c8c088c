"""The compiled inner loop of the features (kernel.c), where it could be built."""

from lazaret.model.compiled import load

INTERFACE = 11


compiled = load("lazaret.learn._kernel", INTERFACE)
"""None: everything runs in Python, with the same results."""
