"""The compiled inner loops of reading mail (…_kernel.c), where they could be built."""

from lazaret.model.compiled import load

header = load("lazaret.mime._header_kernel", 3)
"""None: header sections are split in Python, with the same results."""
received = load("lazaret.mime._received_kernel", 1)
"""None: Received is read by regular expressions, with the same results."""
html = load("lazaret.mime._html_kernel", 1)
"""None: HTML is read in Python, with the same results."""
text = load("lazaret.mime._text_kernel", 2)
"""None: text is read in Python, with the same results."""
