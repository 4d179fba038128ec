"""How far searches for defects go: small enough for every run by default, in full with TEST_SIZE=full (`make fuzz`)."""

import os

FULL = os.environ.get("TEST_SIZE") == "full"


def size(small: int, full: int) -> int:
    """The number to use."""
    return full if FULL else small
